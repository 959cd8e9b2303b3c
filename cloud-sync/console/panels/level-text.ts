import type { LookName } from "../city/look.ts";
import type { Wording } from "../texts/wording.ts";

/** A look in words; a lamp that is on says how much, a barrier whether it is open. */
export function levelText(
  wording: Wording,
  look: LookName,
  of: { readonly level: number; readonly deviceClass: string },
): string {
  if (look.startsWith("level-")) return `${wording.number(of.level)} %`;
  // Without a level it is only there.
  if (of.level < 0 && look === "present") return wording.text("look.present");
  return wording.textFor(`look.${look}.${of.deviceClass}`, wording.textFor(`look.${look}`, look));
}
