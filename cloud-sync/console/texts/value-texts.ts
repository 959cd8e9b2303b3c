import type { Language } from "./texts.ts";

type Text = Readonly<Record<Language, string>>;

/** What texts of the profiles that come with Nerve may say. One that is not here is shown as it is. */
const VALUES: Readonly<Record<string, Text>> = {
  // Traffic signals: modes, and who set them (docs/devices.md, neutral traffic cabinet).
  normal: { en: "normal", fr: "normal" },
  "yellow-flash": { en: "flashing yellow", fr: "jaune clignotant" },
  dark: { en: "dark", fr: "éteint" },
  "all-red": { en: "all red", fr: "rouge intégral" },
  startup: { en: "starting up", fr: "démarrage" },
  control: { en: "in control", fr: "en service" },
  standby: { en: "standby", fr: "en veille" },
  failure: { en: "failure", fr: "en défaut" },
  test: { en: "under test", fr: "en essai" },
  "operator-panel": { en: "panel at the cabinet", fr: "pupitre de l’armoire" },
  "calendar-clock": { en: "its own calendar", fr: "son propre calendrier" },
  "control-block": { en: "control block", fr: "bloc de commande" },
  forced: { en: "remote order", fr: "ordre distant" },
  other: { en: "other", fr: "autre" },
  off: { en: "off", fr: "arrêt" },
  // Barriers and bollards.
  unknown: { en: "unknown", fr: "inconnu" },
  open: { en: "open", fr: "ouverte" },
  opening: { en: "opening", fr: "s’ouvre" },
  closed: { en: "closed", fr: "fermée" },
  closing: { en: "closing", fr: "se ferme" },
  lowered: { en: "lowered", fr: "abaissée" },
  lowering: { en: "going down", fr: "s’abaisse" },
  raised: { en: "raised", fr: "relevée" },
  raising: { en: "going up", fr: "se relève" },
  stopped: { en: "stopped", fr: "arrêtée" },
  obstructed: { en: "obstructed", fr: "gênée" },
  fault: { en: "fault", fr: "en défaut" },
  local: { en: "local", fr: "local" },
  // Street cabinets.
  remote: { en: "remote", fr: "distant" },
  astro: { en: "astronomical clock", fr: "horloge astronomique" },
  photocell: { en: "photocell", fr: "cellule" },
  "all-on": { en: "all on", fr: "tout allumé" },
  locked: { en: "locked", fr: "verrouillé" },
  none: { en: "none", fr: "aucun" },
  fallback: { en: "fallback", fr: "repli" },
  trip: { en: "protection", fr: "protection" },
  // Supervised loops, and the weather.
  short: { en: "short circuit", fr: "court-circuit" },
  cut: { en: "cut", fr: "coupée" },
  alarm: { en: "alarm", fr: "alarme" },
  undecided: { en: "undecided", fr: "indécise" },
  unspecified: { en: "unspecified", fr: "non précisé" },
  rain: { en: "rain", fr: "pluie" },
  "freezing-rain": { en: "freezing rain", fr: "pluie verglaçante" },
  sleet: { en: "sleet", fr: "neige fondue" },
  snow: { en: "snow", fr: "neige" },
  hail: { en: "hail", fr: "grêle" },
};

export const VALUE_WORDS: readonly string[] = Object.keys(VALUES);

/** A text value in words. */
export function valueText(language: Language, value: string): string {
  return (Object.hasOwn(VALUES, value) ? VALUES[value]?.[language] : undefined) ?? value;
}
