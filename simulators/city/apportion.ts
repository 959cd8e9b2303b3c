import assert from "node:assert/strict";
import type { Chance } from "../seeded-chance.ts";

/**
 * Whole parts of `total` in proportion to `weights`, none below `least`; largest remainders. Their sum is `total`,
 * which the caller keeps at or above the sum of all `least`.
 */
export function apportion(
  total: number,
  weights: readonly number[],
  least: (index: number) => number,
): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (total * weight) / whole);
  const parts = exact.map((share, index) => Math.max(least(index), Math.floor(share)));
  assert(
    total >= weights.reduce((sum, _, index) => sum + least(index), 0),
    "the least parts exceed the whole",
  );
  const missing = total - parts.reduce((sum, part) => sum + part, 0);
  const order = exact
    .map((share, index) => ({ index, owed: share - (parts[index] ?? 0) }))
    .sort(
      (one, other) =>
        (missing > 0 ? other.owed - one.owed : one.owed - other.owed) || one.index - other.index,
    );
  for (let left = Math.abs(missing), at = 0; left > 0; at = (at + 1) % order.length) {
    const index = order[at]?.index ?? 0;
    const part = parts[index] ?? 0;
    if (missing < 0 && part <= least(index)) continue;
    parts[index] = part + Math.sign(missing);
    left -= 1;
  }
  return parts;
}

/** `total` over `count` parts that differ as those of a city do, each from `min` to `max`. Their sum is `total`. */
export function scatter(
  total: number,
  bounds: { readonly count: number; readonly min: number; readonly max: number },
  chance: Chance,
): number[] {
  const { count, min, max } = bounds;
  const parts = apportion(total, new Array<number>(count).fill(1), () => 0);
  for (let exchange = 0; exchange < 3 * count; exchange += 1) {
    const from = Math.floor(chance() * count);
    const to = Math.floor(chance() * count);
    const giver = parts[from] ?? 0;
    const taker = parts[to] ?? 0;
    const most = Math.min(giver - min, max - taker, 6);
    if (from === to || most <= 0) continue;
    const moved = Math.floor(chance() * (most + 1));
    parts[from] = giver - moved;
    parts[to] = taker + moved;
  }
  return parts;
}
