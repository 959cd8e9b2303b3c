import type { Language } from "./texts.ts";

type Text = Readonly<Record<Language, string>>;

/** Points of the profiles that come with Nerve. One that is not here is shown under its own name. */
const POINTS: Readonly<Record<string, Text>> = {
  "dim-level": { en: "Dim level", fr: "Niveau demandé" },
  "actual-level": { en: "Actual level", fr: "Niveau mesuré" },
  level: { en: "Level", fr: "Niveau" },
  "lamp-failure": { en: "Lamp failure", fr: "Lampe en défaut" },
  "gear-failure": { en: "Gear failure", fr: "Appareillage en défaut" },
  "lamp-on": { en: "Lamp on", fr: "Lampe allumée" },
  "limit-error": { en: "Outside its limits", fr: "Hors limites" },
  fading: { en: "Fading", fr: "Variation en cours" },
  "reset-state": { en: "In reset state", fr: "État initial" },
  "power-on-level": { en: "Level at power-on", fr: "Niveau à la mise sous tension" },
  "system-failure-level": { en: "Level without bus", fr: "Niveau sans bus" },
  "min-level": { en: "Least level", fr: "Niveau minimal" },
  "max-level": { en: "Greatest level", fr: "Niveau maximal" },
  "active-power": { en: "Power", fr: "Puissance" },
  "door-open": { en: "Door open", fr: "Porte ouverte" },
  "rcd-tripped": { en: "Residual-current device tripped", fr: "Différentiel déclenché" },
  "main-breaker-tripped": { en: "Main breaker tripped", fr: "Disjoncteur général déclenché" },
  "operating-hours": { en: "Operating hours", fr: "Heures de fonctionnement" },
  "contactor-demand": { en: "contactor demand", fr: "contacteur, consigne" },
  "contactor-feedback": { en: "contactor feedback", fr: "contacteur, retour" },
  "breaker-tripped": { en: "breaker tripped", fr: "disjoncteur déclenché" },
  current: { en: "current", fr: "courant" },
  starts: { en: "starts", fr: "manœuvres" },
  "cabinet-light": { en: "Cabinet light", fr: "Éclairage de l’armoire" },
  "surge-arrester-spent": { en: "Surge arrester spent", fr: "Parafoudre usé" },
  "selector-local": { en: "Selector on local", fr: "Sélecteur sur local" },
  "local-on": { en: "Local switch on", fr: "Marche forcée locale" },
  "photocell-dark": { en: "Photocell dark", fr: "Cellule : nuit" },
  "leakage-current": { en: "Leakage current", fr: "Courant de fuite" },
  "battery-voltage": { en: "Battery voltage", fr: "Tension batterie" },
  temperature: { en: "Temperature", fr: "Température" },
  // Traffic cabinets.
  "control-mode": { en: "Control mode", fr: "Mode de commande" },
  "functional-position": { en: "Signal mode", fr: "Mode des feux" },
  "functional-position-source": { en: "Signal mode set by", fr: "Mode des feux décidé par" },
  "police-key": { en: "Police key", fr: "Clé police" },
  "signal-groups": { en: "Signal groups", fr: "Groupes de feux" },
  "active-plan": { en: "Active plan", fr: "Plan actif" },
  "requested-plan": { en: "Requested plan", fr: "Plan demandé" },
  "release-plan": { en: "Back to its own calendar", fr: "Rendre au calendrier" },
  "plan-source": { en: "Plan decided by", fr: "Plan décidé par" },
  "active-emergency-route": { en: "Active emergency route", fr: "Itinéraire d’urgence actif" },
  "emergency-routes": { en: "Emergency routes", fr: "Itinéraires d’urgence" },
  "begin-emergency-route": { en: "Begin emergency route", fr: "Ouvrir un itinéraire d’urgence" },
  "end-emergency-route": { en: "End emergency route", fr: "Fermer un itinéraire d’urgence" },
  "request-priority": { en: "Request priority", fr: "Demander une priorité" },
  "priority-requests": { en: "Priority requests", fr: "Demandes de priorité" },
  "major-fault": { en: "Major fault", fr: "Défaut majeur" },
  power: { en: "Power", fr: "Puissance" },
  energy: { en: "Energy", fr: "Énergie" },
};

/** Arguments of the actions of those profiles. */
const ARGUMENTS: Readonly<Record<string, Text>> = {
  route: { en: "Route", fr: "Itinéraire" },
  group: { en: "Signal group", fr: "Groupe de feux" },
  level: { en: "Priority level", fr: "Niveau de priorité" },
  "vehicle-class": { en: "Vehicle class", fr: "Classe de véhicule" },
  eta: { en: "Arrives in", fr: "Arrivée dans" },
};

/** The name of an action's argument, for the label of its field. */
export function argumentText(language: Language, name: string): string {
  return (Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name]?.[language] : undefined) ?? worded(name);
}

const FEEDER = /^feeder-(\d+)-(.+)$/;

export function pointText(language: Language, name: string): string {
  const [, feeder, rest] = FEEDER.exec(name) ?? [];
  if (feeder !== undefined && rest !== undefined) {
    const of = pointText(language, rest);
    return `${language === "fr" ? "Départ" : "Feeder"} ${feeder} · ${of.slice(0, 1).toLowerCase()}${of.slice(1)}`;
  }
  const known = Object.hasOwn(POINTS, name) ? POINTS[name]?.[language] : undefined;
  if (known !== undefined) return known;
  return worded(name);
}

/** A name that nobody has put into words: its own. */
function worded(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

const QUALITY: Readonly<Record<string, Text>> = {
  good: { en: "good", fr: "bonne" },
  "good/local-override": { en: "good, local switch in force", fr: "bonne, commande locale" },
  "uncertain/last-usable-value": { en: "last usable value", fr: "dernière valeur exploitable" },
  "uncertain/engineering-units-exceeded": { en: "outside its range", fr: "hors plage" },
  "bad/no-communication": { en: "no answer", fr: "pas de réponse" },
  "bad/device-failure": { en: "device failure", fr: "équipement en défaut" },
  "bad/sensor-failure": { en: "sensor failure", fr: "capteur en défaut" },
  "bad/out-of-service": { en: "out of service", fr: "hors service" },
  "bad/configuration-error": { en: "wrong configuration", fr: "configuration erronée" },
  "bad/waiting-for-initial-data": { en: "waiting for its first value", fr: "attend sa première valeur" },
};

export function qualityText(language: Language, quality: string): string {
  return (Object.hasOwn(QUALITY, quality) ? QUALITY[quality]?.[language] : undefined) ?? quality;
}
