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
};

/** A text value in words. */
export function valueText(language: Language, value: string): string {
  return (Object.hasOwn(VALUES, value) ? VALUES[value]?.[language] : undefined) ?? value;
}
