import type { Effect } from "../journal-client.ts";
import type { Move } from "./command-case.ts";

/** Without what a hand did, or a device by its own rule: what remains came over the wire. */
export function requested(effects: readonly Effect[]): readonly Effect[] {
  return effects.filter(({ cause }) => cause.by === "request");
}

/** At most once, and only what was asked. */
export function unexpected(moves: readonly Move[], effects: readonly Effect[]): readonly string[] {
  const problems: string[] = [];
  const seen = Map.groupBy(effects, keyOf);
  for (const move of moves) if (!seen.has(keyOf(move))) problems.push(`${keyOf(move)} did not move`);
  for (const [key, changes] of seen) {
    const asked = moves.find((move) => keyOf(move) === key);
    const to = changes.at(-1)?.to ?? Number.NaN;
    if (asked === undefined) problems.push(`${key} moved, and nobody asked for it`);
    else if (!isThere(asked, to)) problems.push(`${key} went to ${to}, not to ${asked.to}`);
    if (changes.length !== 1) problems.push(`${key} moved ${changes.length} times`);
  }
  return problems;
}

/** A level is not exact: docs/devices.md. */
function isThere({ what, to }: Move, shown: number): boolean {
  return Math.abs(shown - to) <= (what === "level" ? 1 : 0);
}

function keyOf({ device, what }: Pick<Move, "device" | "what">): string {
  return `${device} ${what}`;
}
