import { pointText } from "./device-texts.ts";
import type { Language } from "./texts.ts";

type Text = Readonly<Record<Language, string>>;

/** What the center itself finds wrong. A newer one stands under its own name. */
const CENTER: Readonly<Record<string, Text>> = {
  "lineage-fork": {
    en: "A gateway's store was cloned or restored",
    fr: "Mémoire d’une passerelle clonée ou restaurée",
  },
  "two-gateways-one-identity": {
    en: "Two boxes use one identity",
    fr: "Deux boîtiers utilisent la même identité",
  },
  "record-content-differs": {
    en: "One record came with two contents",
    fr: "Un enregistrement reçu avec deux contenus",
  },
  "evidence-chain-broken": { en: "Chain of evidence broken", fr: "Chaîne de preuves rompue" },
  "store-lost": { en: "A gateway's store was lost", fr: "Mémoire d’une passerelle perdue" },
  "generation-behind": { en: "The center is older than it was", fr: "Le centre est revenu en arrière" },
  "records-quarantined": { en: "Records in quarantine", fr: "Enregistrements en quarantaine" },
};

/** A point's words, or those of what the center found. */
export function alarmText(language: Language, name: string): string {
  return (Object.hasOwn(CENTER, name) ? CENTER[name]?.[language] : undefined) ?? pointText(language, name);
}
