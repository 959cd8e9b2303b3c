import type { Effect } from "../journal-client.ts";
import type { Move } from "./command-case.ts";

/** Without what a hand did, or a device by its own rule: what remains came over the wire. */
export function requested(effects: readonly Effect[]): readonly Effect[] {
  return effects.filter(({ cause }) => cause.by === "request" || cause.by === "order" || isBoard(cause));
}

/** The firmware of a board of pins has no rules of its own: what it does it was told to. */
function isBoard({ by, rule }: Effect["cause"]): boolean {
  return by === "device" && rule === "firmware";
}

/** Once, by the way that was expected, and only what was asked. */
export function unexpected(moves: readonly Move[], effects: readonly Effect[]): readonly string[] {
  const problems: string[] = [];
  const seen = Map.groupBy(effects, keyOf);
  for (const move of moves) if (!seen.has(keyOf(move))) problems.push(`${keyOf(move)} did not move`);
  for (const [key, changes] of seen) {
    const asked = moves.find((move) => keyOf(move) === key);
    const way = changes.map(({ to }) => to);
    if (asked === undefined) problems.push(`${key} moved, and nobody asked for it`);
    else if (!isWay(asked, way)) problems.push(`${key} went to ${way.join(", then ")}: ${wanted(asked)}`);
  }
  return problems;
}

function isWay(move: Move, way: readonly number[]): boolean {
  const { via = [] } = move;
  const last = way.at(-1) ?? Number.NaN;
  return way.length === via.length + 1 && via.every((value, at) => way[at] === value) && isThere(move, last);
}

function wanted({ via = [], to }: Move): string {
  return `asked was ${[...via, to].join(", then ")}, once`;
}

/** A level is not exact: docs/devices.md. */
function isThere({ what, to }: Move, shown: number): boolean {
  return Math.abs(shown - to) <= (what === "level" ? 1 : 0);
}

function keyOf({ device, what }: Pick<Move, "device" | "what">): string {
  return `${device} ${what}`;
}
