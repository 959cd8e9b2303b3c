import type { Quality } from "../../domain/quality.ts";

/** Puts a colour round a text; the text itself says all. */
export type Paint = (text: string) => string;

const ESCAPE = "\u001b[";
const painted =
  (code: number): Paint =>
  (text) =>
    `${ESCAPE}${code}m${text}${ESCAPE}0m`;
const bare: Paint = (text) => text;

export interface Palette {
  readonly good: Paint;
  readonly doubt: Paint;
  readonly bad: Paint;
}

export function palette(colour: "on" | "off"): Palette {
  return colour === "on"
    ? { good: painted(32), doubt: painted(33), bad: painted(31) }
    : { good: bare, doubt: bare, bad: bare };
}

export function paintOfQuality(quality: Quality, colours: Palette): Paint {
  if (quality.startsWith("bad/")) return colours.bad;
  return quality === "good" ? colours.good : colours.doubt;
}
