import type { RandomSource } from "./random.ts";
import { Millis } from "./time.ts";

/** 1, 2, 4 … times `min`, never above `max`. `failures` counts from 1. */
export function exponentialBackoff(
  failures: number,
  bounds: { readonly min: Millis; readonly max: Millis },
): Millis {
  return Millis(Math.min(bounds.max, bounds.min * 2 ** Math.min(Math.max(failures, 1) - 1, 30)));
}

/** Uniform in [0, ceiling of this attempt): spreads a city's gateways after an outage (PROTOCOL §3). */
export function fullJitter(
  failures: number,
  bounds: { readonly min: Millis; readonly max: Millis },
  random: RandomSource,
): Millis {
  return Millis(random.next() * exponentialBackoff(failures, bounds));
}
