import type { Language } from "./texts.ts";

type Text = Readonly<Record<Language, string>>;

/** The four steps an operator sees; the states of PROTOCOL §8 fall into them. */
export const STEPS = ["queued", "sent", "executing", "succeeded"] as const;
export type Step = (typeof STEPS)[number];

const STATES: Readonly<Record<string, Text & { readonly step: Step }>> = {
  draft: { step: "queued", en: "Taken down", fr: "Enregistrée" },
  "awaiting-approval": { step: "queued", en: "Waits for a second person", fr: "Attend une seconde personne" },
  authorized: { step: "queued", en: "Waits for the link", fr: "Attend la liaison" },
  queued: { step: "queued", en: "Queued", fr: "En file" },
  sent: { step: "sent", en: "Sent", fr: "Envoyée" },
  "outcome-pending": { step: "sent", en: "Sent, no word yet", fr: "Envoyée, sans nouvelle" },
  selected: { step: "executing", en: "Selected", fr: "Sélectionnée" },
  executing: { step: "executing", en: "Executing", fr: "En exécution" },
  succeeded: { step: "succeeded", en: "Succeeded", fr: "Réussie" },
  failed: { step: "succeeded", en: "Failed", fr: "Échouée" },
  rejected: { step: "succeeded", en: "Rejected", fr: "Refusée" },
  expired: { step: "succeeded", en: "Expired", fr: "Expirée" },
  cancelled: { step: "succeeded", en: "Taken back", fr: "Annulée" },
  superseded: { step: "succeeded", en: "Replaced by a newer one", fr: "Remplacée par une plus récente" },
  "outcome-unknown": { step: "succeeded", en: "Outcome unknown", fr: "Issue inconnue" },
};

export function stateText(language: Language, state: string): string {
  return (Object.hasOwn(STATES, state) ? STATES[state]?.[language] : undefined) ?? state;
}

/** The step that a state belongs to; a state of a newer center counts as on its way. */
export function stepOf(state: string): Step {
  return (Object.hasOwn(STATES, state) ? STATES[state]?.step : undefined) ?? "sent";
}

/** What to do about an end that is no success. */
const ENDS: Readonly<Record<string, Text>> = {
  failed: {
    en: "The device answered that it did not do it. Look at its points; send a crew if it stays so.",
    fr: "L’équipement a répondu qu’il ne l’a pas fait. Examinez ses points ; envoyez une équipe si cela persiste.",
  },
  expired: {
    en: "It came too late to be wanted, so nothing moved. Give the command again.",
    fr: "Elle arrivait trop tard : rien n’a bougé. Redonnez la commande.",
  },
  cancelled: { en: "Nothing moved.", fr: "Rien n’a bougé." },
  superseded: {
    en: "A newer command to this point took its place.",
    fr: "Une commande plus récente a pris sa place.",
  },
  "outcome-unknown": {
    en: "It was asked, and nobody can know whether it happened. Look at the value read back, or send somebody.",
    fr: "L’ordre est parti et nul ne peut savoir s’il a eu lieu. Regardez la valeur relue, ou envoyez quelqu’un.",
  },
};

const CAUSES: Readonly<Record<string, Text>> = {
  "unknown-point": {
    en: "No such point on this gateway: check the name.",
    fr: "Point inconnu de cette passerelle : vérifiez le nom.",
  },
  "not-writable": { en: "This point can only be read.", fr: "Ce point ne se lit qu’en lecture." },
  "out-of-range": {
    en: "The value is outside the range of the profile: choose another.",
    fr: "La valeur sort de la plage du profil : choisissez-en une autre.",
  },
  "wrong-type": {
    en: "The point takes another kind of value.",
    fr: "Ce point attend un autre type de valeur.",
  },
  "bad-signature": {
    en: "The gateway did not trust the signature: call the administrator.",
    fr: "La passerelle n’a pas reconnu la signature : appelez l’administrateur.",
  },
  "wrong-gateway": {
    en: "The order was signed for another gateway: call the administrator.",
    fr: "L’ordre était signé pour une autre passerelle : appelez l’administrateur.",
  },
  unsupported: {
    en: "The gateway does not know this kind of order: have it updated.",
    fr: "La passerelle ne connaît pas ce type d’ordre : faites-la mettre à jour.",
  },
  offline: {
    en: "The gateway has no link, and this kind of order never waits: try when it is back.",
    fr: "La passerelle est sans liaison et ce type d’ordre n’attend pas : réessayez à son retour.",
  },
  "stale-link": {
    en: "The link is too slow to prove the order fresh: try again in a few seconds.",
    fr: "La liaison est trop lente pour prouver la fraîcheur de l’ordre : réessayez dans quelques secondes.",
  },
  blocked: {
    en: "A lock-out, an interlock or the local switch holds the point: see who, and ask.",
    fr: "Une consignation, un verrouillage ou la commande locale retient ce point : voyez par qui.",
  },
  "not-selected": {
    en: "Its selection did not hold until it was operated: look at the preview and give it again.",
    fr: "La sélection n’a pas tenu jusqu’à la manœuvre : relisez l’aperçu et redonnez l’ordre.",
  },
  "preview-changed": {
    en: "It does not stand as you saw it any more: look at the preview and give it again.",
    fr: "L’état n’est plus celui que vous avez vu : relisez l’aperçu et redonnez l’ordre.",
  },
  "not-permitted": {
    en: "You may not command this point: ask an admin.",
    fr: "Vous ne pouvez pas commander ce point : voyez un administrateur.",
  },
  "store-unavailable": {
    en: "The gateway can not write its ledger, so it moves nothing: send a crew.",
    fr: "La passerelle ne peut pas écrire son registre et ne manœuvre rien : envoyez une équipe.",
  },
  busy: {
    en: "Too many orders wait on this line: try again in a minute.",
    fr: "Trop d’ordres attendent sur cette ligne : réessayez dans une minute.",
  },
  "shutting-down": {
    en: "The gateway is stopping: try again when it is back.",
    fr: "La passerelle s’arrête : réessayez à son retour.",
  },
};

/** Why it ended so and what to do; undefined for a success or a command that is not over. */
export function adviceText(
  language: Language,
  state: { readonly name: string; readonly cause?: string },
): string | undefined {
  if (state.name === "rejected") return CAUSES[state.cause ?? ""]?.[language] ?? state.cause;
  return Object.hasOwn(ENDS, state.name) ? ENDS[state.name]?.[language] : undefined;
}
