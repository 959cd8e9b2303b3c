import type { Scale } from "../domain/point.ts";

/** From the device's number to the point's unit; `null` where the curve has no such raw value. */
export type ToUnit = (raw: number) => number | null;

/** DALI's "no level known" (IEC 62386-102, MASK): a value of no lamp, whatever the profile says. */
export const DALI_MASK = 255;
const DALI_LEVEL_MAX = 254;

/** Made once for a point, called for every value. */
export function compileScale(scale: Scale | undefined): ToUnit {
  if (scale === undefined) return (raw) => raw;
  if (scale.kind === "dali-log") return (raw) => daliPercent(raw);
  const { factor, offset } = scale;
  const divisor = wholeDivisor(factor);
  // 2301 × 0.1 is 230.10000000000002, 2301 ÷ 10 is 230.1: the decimal that the device means.
  if (divisor !== undefined) return (raw) => raw / divisor + offset;
  return (raw) => raw * factor + offset;
}

/**
 * The raw number for `value`: the nearest arc level for DALI, not yet rounded for a linear scale.
 * `null` where the curve has none, i.e. outside 0 … 100 % or not a finite number.
 */
export function rawOf(value: number, scale: Scale | undefined): number | null {
  if (!Number.isFinite(value)) return null;
  if (scale === undefined) return value;
  if (scale.kind === "dali-log") return daliLevel(value);
  const divisor = wholeDivisor(scale.factor);
  const raw =
    divisor === undefined ? (value - scale.offset) / scale.factor : (value - scale.offset) * divisor;
  return Number.isFinite(raw) ? raw : null;
}

/** IEC 62386-102: percent(n) = 10^((n-1)/(253/3) - 1) for n = 1 … 254; 0 is off. */
function daliPercent(level: number): number | null {
  if (level === 0) return 0;
  if (!Number.isInteger(level) || level < 1 || level > DALI_LEVEL_MAX) return null;
  return 10 ** ((level - 1) / (253 / 3) - 1);
}

/** The level whose light is nearest; any light at all asks for at least level 1, since 0 is off. */
function daliLevel(percent: number): number | null {
  if (percent < 0 || percent > 100) return null;
  if (percent === 0) return 0;
  const exact = 1 + (253 / 3) * (Math.log10(percent) + 1);
  const below = Math.min(DALI_LEVEL_MAX, Math.max(1, Math.floor(exact)));
  const above = Math.min(DALI_LEVEL_MAX, below + 1);
  const distance = (level: number): number => Math.abs((daliPercent(level) ?? 0) - percent);
  return distance(above) < distance(below) ? above : below;
}

/** 10 for 0.1, 4 for 0.25; `undefined` where the factor is no whole part of one. */
function wholeDivisor(factor: number): number | undefined {
  const divisor = Math.round(1 / factor);
  if (Math.abs(divisor) < 2 || !Number.isSafeInteger(divisor)) return undefined;
  return 1 / divisor === factor ? divisor : undefined;
}
