/** IEC 62386-102 dimming curves: `log` is the standard one, `linear` only where gear offers it. */
export type DimmingCurve = "log" | "linear";

/** Highest arc level; 255 is MASK and no level. */
export const MAX_ARC = 254;

/** Decades between level 1 (0.1 %) and level 254 (100 %) are three. */
const STEPS_PER_DECADE = 253 / 3;

/** Light output in % (0..100) of an arc level 0..254. */
export function percentOfArc(arc: number, curve: DimmingCurve): number {
  if (arc <= 0) return 0;
  if (curve === "linear") return (Math.min(arc, MAX_ARC) / MAX_ARC) * 100;
  return 10 ** ((Math.min(arc, MAX_ARC) - 1) / STEPS_PER_DECADE - 1);
}

/** The arc level (0..254) nearest to `percent` (0..100) on the curve; below the curve's first step it is level 1. */
export function arcOfPercent(percent: number, curve: DimmingCurve): number {
  if (percent <= 0) return 0;
  const arc =
    curve === "linear" ? (percent / 100) * MAX_ARC : 1 + STEPS_PER_DECADE * (Math.log10(percent) + 1);
  return Math.min(MAX_ARC, Math.max(1, Math.round(arc)));
}

/**
 * What a bridge with whole % shows for an arc level. Lit never shows as 0.
 * Going there and back through whole arc levels is not exact: 99 % is nearest to level 254 and reads back as 100 %,
 * 50 % as 51 %. On the log curve 27 of the 101 values come back different, each by 1 %; on the linear curve none.
 */
export function wholePercentOfArc(arc: number, curve: DimmingCurve): number {
  return arc <= 0 ? 0 : Math.max(1, Math.round(percentOfArc(arc, curve)));
}
