import { POINT_NAMES } from "./point-names.ts";
import type { Language, Text } from "./texts.ts";

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

/** One of many: which, and what of it. */
const PARTS: readonly { readonly form: RegExp; readonly of: Text }[] = [
  { form: /^feeder-(\d+)-(.+)$/, of: { en: "Feeder", fr: "Départ" } },
  { form: /^detector-(\d+)-(.+)$/, of: { en: "Detector", fr: "Détecteur" } },
];
/** `power-l2`: a phase; `loop-3`: one of several. */
const NUMBERED = /^(.+?)-(l?\d+(?:-to-\d+)?)$/;

export function pointText(language: Language, name: string): string {
  const known = nameOf(language, name);
  if (known !== undefined) return known;
  for (const { form, of } of PARTS) {
    const [, number, rest] = form.exec(name) ?? [];
    if (number === undefined || rest === undefined) continue;
    const what = pointText(language, rest);
    return `${of[language]} ${number} · ${what.slice(0, 1).toLowerCase()}${what.slice(1)}`;
  }
  const [, stem = "", number = ""] = NUMBERED.exec(name) ?? [];
  const numbered = nameOf(language, stem);
  return numbered === undefined ? worded(name) : `${numbered} ${number.toUpperCase().replace("-TO-", "…")}`;
}

function nameOf(language: Language, name: string): string | undefined {
  return Object.hasOwn(POINT_NAMES, name) ? POINT_NAMES[name]?.[language] : undefined;
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
