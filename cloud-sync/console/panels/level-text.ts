import type { LookName } from "../city/look.ts";
import type { Wording } from "../texts/wording.ts";

/** A look in words; a lamp that is on says how much. */
export function levelText(wording: Wording, look: LookName, level: number): string {
  if (look.startsWith("level-")) return `${wording.number(level)} %`;
  return wording.textFor(`look.${look}`, look);
}
