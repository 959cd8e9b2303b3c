import type { SimulatorClock } from "../clock.ts";
import { Fields, InvalidField } from "../input-fields.ts";
import { hoursFromMidnight, sunElevation } from "./sun.ts";

export interface SkyConfig {
  /** What the sky's clock says at the start, ms since 1970; null: what the machine's says. */
  readonly startsAtMs: number | null;
  /** Seconds of the sky in one of the machine, 1..3600. */
  readonly speed: number;
}

/** The sky over the city. Its time is the sun's alone: devices stamp and rest by the machine's. */
export class Sky {
  readonly #config: SkyConfig;
  readonly #clock: SimulatorClock;
  readonly #beginMs: number;
  readonly #beginMonotonicMs: number;

  constructor(config: SkyConfig, clock: SimulatorClock) {
    this.#config = config;
    this.#clock = clock;
    this.#beginMs = config.startsAtMs ?? clock.wallMs();
    this.#beginMonotonicMs = clock.monotonicMs();
  }

  /** ms since 1970 on the sky's clock. */
  timeMs(): number {
    const { startsAtMs, speed } = this.#config;
    // The real sky goes with the wall clock, also when that is set right.
    if (startsAtMs === null && speed === 1) return this.#clock.wallMs();
    return this.#beginMs + speed * (this.#clock.monotonicMs() - this.#beginMonotonicMs);
  }

  /** The sun's height over the horizon in degrees, and the hours since or, negative, until its lowest point. */
  sun(): { readonly elevation: number; readonly fromMidnightHours: number } {
    const timeMs = this.timeMs();
    return { elevation: sunElevation(timeMs), fromMidnightHours: hoursFromMidnight(timeMs) };
  }
}

/** The machine's own time, as it goes. */
export const REAL_SKY: SkyConfig = { startsAtMs: null, speed: 1 };

/** @throws {InvalidField} */
export function parseSky(data: unknown): SkyConfig {
  const fields = new Fields(data, "/sky");
  const startsAtMs = fields.has("startsAt") ? Date.parse(fields.text("startsAt")) : null;
  if (Number.isNaN(startsAtMs)) {
    throw new InvalidField("/sky/startsAt", "a time like 2026-06-21T19:30:00Z");
  }
  const speed = fields.optionalWholeNumber("speed", { min: 1, max: 3_600 }) ?? 1;
  fields.refuseUnknown();
  return { startsAtMs, speed };
}
