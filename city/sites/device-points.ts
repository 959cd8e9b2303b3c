/** What a lamp was told and what it does: its control state. */
export const LAMP_LEVELS = ["dim-level", "actual-level"] as const;

/**
 * The points that the city's gateways read of each device: of a lamp six of the bridge's twenty-seven, of a cabinet
 * those of the feeders that it has. The others are there, but nobody here looks at them.
 */
export const LAMP_POINTS = [
  ...LAMP_LEVELS,
  "gear-failure",
  "lamp-failure",
  "lamp-on",
  "limit-error",
] as const;

export const GROUP_POINTS = ["level"] as const;

export const METER_POINTS = [
  "voltage-l1",
  "voltage-l2",
  "voltage-l3",
  "current-l1",
  "current-l2",
  "current-l3",
  "power",
  "power-factor",
  "frequency",
  "energy-import",
] as const;

const CABINET_POINTS = [
  "door-open",
  "selector-local",
  "local-on",
  "rcd-tripped",
  "main-breaker-tripped",
  "surge-arrester-spent",
  "photocell-dark",
  "water",
  "shock",
  "cabinet-light",
  "mode",
  "last-switch-reason",
  "temperature",
  "battery-voltage",
  "leakage-current",
] as const;
const FEEDER_POINTS = [
  "contactor-demand",
  "contactor-feedback",
  "breaker-tripped",
  "current",
  "starts",
] as const;

export function cabinetPoints(feeders: readonly { readonly feeder: number }[]): readonly string[] {
  const ways = feeders.flatMap(({ feeder }) => FEEDER_POINTS.map((name) => `feeder-${feeder}-${name}`));
  return [...CABINET_POINTS, ...ways];
}
