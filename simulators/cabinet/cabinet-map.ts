/** Switched ways of the controller. All eight are fitted; a way without lamps is a spare one. */
export const WAYS = 8;

/** Places of the neutral segment cabinet's four tables, zero-based. Source: docs/devices.md, neutral segment cabinet. */
export const COIL = { contactorDemand: 0, cabinetLight: 8, count: 9 } as const;

export const DISCRETE = {
  doorOpen: 0,
  selectorLocal: 1,
  localOn: 2,
  rcdTripped: 3,
  mainBreakerTripped: 4,
  surgeArresterSpent: 5,
  photocellDark: 6,
  water: 7,
  shock: 8,
  feederBreakerTripped: 16,
  contactorFeedback: 24,
  count: 32,
} as const;

export const HOLDING = {
  heartbeat: 0,
  commLossTime: 1,
  fallbackMode: 2,
  minOnTime: 3,
  minOffTime: 4,
  scheduleHash: 5,
  count: 7,
} as const;

export const INPUT = {
  mode: 0,
  reason: 1,
  discreteImage: 2,
  coilImage: 4,
  lastSwitch: 5,
  starts: 7,
  temperature: 23,
  battery: 24,
  feederCurrent: 25,
  leakage: 33,
  count: 34,
} as const;

/** Register values of input 0. */
export const MODE = { remote: 0, local: 1, astro: 2, photocell: 3, allOn: 4, locked: 5 } as const;

/** Register values of input 1: why a contactor moved last. */
export const REASON = { none: 0, remote: 1, local: 2, fallback: 3, trip: 4 } as const;

/** Least and greatest value that each holding register takes, and its name in the journal. Heartbeats are no effect. */
export const SETTINGS = [
  { name: "heartbeat", min: 0, max: 65_535, preset: 0 },
  { name: "comm-loss-time", min: 10, max: 3_600, preset: 60 },
  { name: "fallback-mode", min: 0, max: 2, preset: 2 },
  { name: "min-on-time", min: 0, max: 3_600, preset: 60 },
  { name: "min-off-time", min: 0, max: 3_600, preset: 60 },
  { name: "schedule-hash-high", min: 0, max: 65_535, preset: 0 },
  { name: "schedule-hash-low", min: 0, max: 65_535, preset: 0 },
] as const;
