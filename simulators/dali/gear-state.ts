import { type Chance, seededChance } from "../seeded-chance.ts";
import { arcOfPercent, MAX_ARC } from "./dali-level.ts";

/** Short addresses of one DALI channel. */
export const GEARS_PER_CHANNEL = 64;
/** No scene stored (IEC 62386-102: MASK). */
export const NO_SCENE = 255;
export const SCENES = 16;

/** Bits of `condition`. */
export const LAMP_FAILED = 1;
export const GEAR_FAILED = 2;
export const FROZEN = 4;
export const LIMIT_ERROR = 8;
export const POWER_CYCLE_SEEN = 16;
/** The feeder that supplies it is dead. */
export const UNPOWERED = 32;
/** Does not answer on the DALI line, for either reason; the bridge can not tell them apart. */
export const GEAR_SILENT = GEAR_FAILED | UNPOWERED;

/** One commissioned gear. */
export interface GearPlace {
  readonly channel: number;
  readonly shortAddress: number;
  /** Bit g: member of DALI group g. */
  readonly groups: number;
}

/**
 * All gears of one bridge, one array a property: a city has 34,000 of them, and an object each would cost
 * ten times as much. No gear has a timer: a fade is its two ends, and what is between is computed when asked.
 */
export interface GearState {
  readonly places: readonly GearPlace[];
  /** Light output a fade goes between, in arc levels; both are the same once it is over. */
  readonly arcFrom: Uint8Array;
  readonly arcTo: Uint8Array;
  readonly fadeStartMs: Float64Array;
  readonly fadeEndMs: Float64Array;
  /** Last level ordered, whole %: what register +15 shows, whatever the lamp made of it. */
  readonly orderedPercent: Uint8Array;
  readonly condition: Uint8Array;
  /** Arc levels. */
  readonly physicalMin: Uint8Array;
  readonly min: Uint8Array;
  readonly max: Uint8Array;
  readonly powerOn: Uint8Array;
  readonly systemFailure: Uint8Array;
  /** DALI codes 0..15 and 1..15. */
  readonly fadeTime: Uint8Array;
  readonly fadeRate: Uint8Array;
  /** 0 log, 1 linear. */
  readonly curve: Uint8Array;
  /** LED failure bits b0..b7. */
  readonly ledFailure: Uint8Array;
  readonly currentProtector: Uint8Array;
  readonly fastFadeTime: Uint8Array;
  readonly scenes: Uint8Array;
  readonly ratedW: Float32Array;
  /** Up to `settledMs`; what came since is computed when asked. */
  readonly energyWh: Float64Array;
  readonly burnMs: Float64Array;
  readonly settledMs: Float64Array;
  readonly starts: Uint32Array;
  /** Returns of the voltage. */
  readonly powerUps: Uint32Array;
  readonly effects: Uint32Array;
}

/** Gears as they leave the works: dark, 1..100 %, full light when the bus or the power comes back. */
export function newGearState(places: readonly GearPlace[], seed: number, nowMs: number): GearState {
  const count = places.length;
  const chance = seededChance(seed);
  const lowest = arcOfPercent(1, "log");
  return {
    places,
    arcFrom: new Uint8Array(count),
    arcTo: new Uint8Array(count),
    fadeStartMs: new Float64Array(count).fill(nowMs),
    fadeEndMs: new Float64Array(count).fill(nowMs),
    orderedPercent: new Uint8Array(count),
    condition: new Uint8Array(count).fill(POWER_CYCLE_SEEN),
    physicalMin: new Uint8Array(count).fill(lowest),
    min: new Uint8Array(count).fill(lowest),
    max: new Uint8Array(count).fill(MAX_ARC),
    powerOn: new Uint8Array(count).fill(MAX_ARC),
    systemFailure: new Uint8Array(count).fill(MAX_ARC),
    fadeTime: new Uint8Array(count),
    fadeRate: new Uint8Array(count).fill(7),
    curve: new Uint8Array(count),
    ledFailure: new Uint8Array(count),
    currentProtector: new Uint8Array(count).fill(1),
    fastFadeTime: new Uint8Array(count),
    scenes: new Uint8Array(count * SCENES).fill(NO_SCENE),
    ratedW: Float32Array.from({ length: count }, () => ratedPower(chance)),
    energyWh: Float64Array.from({ length: count }, () => Math.floor(chance() * 400_000)),
    burnMs: Float64Array.from({ length: count }, () => Math.floor(chance() * 8_000) * 3_600_000),
    settledMs: new Float64Array(count).fill(nowMs),
    starts: Uint32Array.from({ length: count }, () => Math.floor(chance() * 2_000)),
    powerUps: new Uint32Array(count),
    effects: new Uint32Array(count),
  };
}

/** LED street luminaires come in steps; W. */
function ratedPower(chance: Chance): number {
  const steps = [24, 31, 42, 58, 76, 104];
  return steps[Math.floor(chance() * steps.length)] ?? 42;
}
