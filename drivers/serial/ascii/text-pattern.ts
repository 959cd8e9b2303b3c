/**
 * A line of text with gaps, as a profile writes it: `{unit:02},TEMP={value},{skip}`. Asking fills the gaps in, an
 * answer is read along it: each gap takes what comes up to the next literal, so that reading is linear whatever a device sends.
 */
export type TextPattern = readonly PatternPart[];
type PatternPart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "unit"; readonly digits: number }
  /** `digits`: decimals when written; ignored when read. */
  | { readonly kind: "value"; readonly digits: number | undefined }
  | { readonly kind: "skip" };

export class PatternError extends Error {
  override readonly name = "PatternError";
}

const GAP = /\{([^{}]*)\}/g;

/** @throws {PatternError} with the remedy. */
export function parsePattern(written: string): TextPattern {
  const parts: PatternPart[] = [];
  let at = 0;
  for (const match of written.matchAll(GAP)) {
    if (match.index > at) parts.push({ kind: "literal", text: written.slice(at, match.index) });
    const gap = gapOf(match[1] ?? "");
    if (gap.kind !== "unit" && isOpen(parts.at(-1))) {
      throw new PatternError(`${match[0]} follows another gap: write what stands between them`);
    }
    parts.push(gap);
    at = match.index + match[0].length;
  }
  if (at < written.length) parts.push({ kind: "literal", text: written.slice(at) });
  return parts;
}

/** The text with its gaps filled in. `value`: as the point's rule writes it. */
export function fillPattern(
  pattern: TextPattern,
  gaps: { readonly unit: number; readonly value?: string },
): string {
  return pattern
    .map((part) => {
      if (part.kind === "literal") return part.text;
      if (part.kind === "unit") return String(gaps.unit).padStart(part.digits, "0");
      return part.kind === "value" ? (gaps.value ?? "") : "";
    })
    .join("");
}

export type PatternMatch =
  /** `value`: what stands in the value gap; absent: the pattern has none. */
  { readonly value?: string } | "another text" | "another unit";

export function matchPattern(pattern: TextPattern, text: string, unit: number): PatternMatch {
  let at = 0;
  let value: string | undefined;
  for (const [index, part] of pattern.entries()) {
    const end = endOf(part, pattern[index + 1], { text, at, unit });
    if (end === undefined) return "another text";
    const found = text.slice(at, end);
    const mismatch = mismatchOf(part, found, unit);
    if (mismatch !== undefined) return mismatch;
    if (part.kind === "value") value = found;
    at = end;
  }
  if (at !== text.length) return "another text";
  return value === undefined ? {} : { value };
}

function mismatchOf(
  part: PatternPart,
  found: string,
  unit: number,
): "another text" | "another unit" | undefined {
  if (part.kind === "literal" && found !== part.text) return "another text";
  if (part.kind === "unit" && !(/^\d+$/.test(found) && Number(found) === unit)) return "another unit";
  return undefined;
}

/** Whether the pattern has a gap for the value. */
export function hasValue(pattern: TextPattern): boolean {
  return pattern.some(({ kind }) => kind === "value");
}

/** Decimals that a written value gets; `undefined`: as many as it has. */
export function decimalsOf(pattern: TextPattern): number | undefined {
  for (const part of pattern) if (part.kind === "value") return part.digits;
  return undefined;
}

function gapOf(written: string): PatternPart {
  const [, name, digits] = /^(unit|value|skip)(?::0?\.?(\d))?$/.exec(written) ?? [];
  const count = digits === undefined ? undefined : Number(digits);
  if (name === "unit") return { kind: "unit", digits: count ?? 1 };
  if (name === "value") return { kind: "value", digits: count };
  if (name === "skip" && count === undefined) return { kind: "skip" };
  throw new PatternError(`{${written}} is no gap: write {unit}, {unit:02}, {value}, {value:.1} or {skip}`);
}

function isOpen(part: PatternPart | undefined): boolean {
  return part !== undefined && part.kind !== "literal";
}

/** Where the part ends in the text; `undefined`: it is not there. */
function endOf(
  part: PatternPart,
  next: PatternPart | undefined,
  { text, at, unit }: { readonly text: string; readonly at: number; readonly unit: number },
): number | undefined {
  if (part.kind === "literal")
    return at + part.text.length <= text.length ? at + part.text.length : undefined;
  if (part.kind === "unit") return unitEnd(part.digits, { text, at, unit });
  if (next === undefined) return text.length;
  const until = next.kind === "literal" ? text.indexOf(next.text, at) : -1;
  return until === -1 ? undefined : until;
}

function unitEnd(
  digits: number,
  { text, at, unit }: { readonly text: string; readonly at: number; readonly unit: number },
): number {
  return Math.min(text.length, at + Math.max(digits, String(unit).length));
}
