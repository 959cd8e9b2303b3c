/**
 * How far the store has filled its quota, and what gives way from there on (PROTOCOL §5). Each level does what all below
 * it do; lane A gives way at none of them (I13).
 * `warn`: nothing yet; `drop`: lane D, then what the center holds of lane C; `thin`: lane C that was told to nobody and is older than
 * an hour; `thin-live`: all of it; `least`: lane B keeps alarms, gaps and the latest state of each point.
 */
export const PRESSURES = ["none", "warn", "drop", "thin", "thin-live", "least"] as const;
export type Pressure = (typeof PRESSURES)[number];

/** Shares of the quota at which a level begins. */
const BEGINS: Readonly<Record<Pressure, number>> = {
  none: Number.NEGATIVE_INFINITY,
  warn: 0.7,
  drop: 0.8,
  thin: 0.9,
  "thin-live": 0.95,
  least: 0.98,
};
/** A level ends so far below its beginning: what is freed at once must outlast some filling, or alarms would flap. */
const HYSTERESIS = 0.05;

/** The level at this share of the quota, after `before`. */
export function nextPressure(before: Pressure, share: number): Pressure {
  const held = PRESSURES.indexOf(before);
  return (
    PRESSURES.findLast((level, rank) => share >= (rank <= held ? endOf(level) : BEGINS[level])) ?? "none"
  );
}

/** Share to which a level brings the store back. */
export function endOf(level: Pressure): number {
  return BEGINS[level] - HYSTERESIS;
}

export function isAtLeast(level: Pressure, least: Pressure): boolean {
  return PRESSURES.indexOf(level) >= PRESSURES.indexOf(least);
}
