import type { FeederLoads } from "../cabinet/feeder-loads.ts";
import type { SimulatorClock } from "../clock.ts";
import type { DaliBridge } from "../dali/dali-bridge.ts";
import { apparentOf, powerW, settle } from "../dali/gear-physics.ts";
import type { EffectCause } from "../journal.ts";
import type { MeteredLoad, PhaseLoad } from "../meter/metered-load.ts";

const VOLTS = 230;
const MS_PER_HOUR = 3_600_000;
/** Controller and bridge, always on; on the first phase. */
const OWN_USE_W = 9;
const PHASES = [0, 1, 2] as const;

/** The cables of a cabinet: which lamps hang on which feeder, and feeder n on phase n mod 3. */
export class FeederLamps implements FeederLoads, MeteredLoad {
  readonly #bridge: DaliBridge;
  readonly #clock: SimulatorClock;
  /** Gears by way. */
  readonly #feeders: readonly (readonly number[])[];
  readonly #startMs: number;
  /** What the gears had used when the meter was put in, Wh a phase. */
  readonly #startWh: readonly number[];

  constructor(bridge: DaliBridge, feeders: readonly (readonly number[])[], clock: SimulatorClock) {
    this.#bridge = bridge;
    this.#clock = clock;
    this.#feeders = feeders;
    this.#startMs = clock.monotonicMs();
    this.#startWh = PHASES.map((phase) => this.#gearsWh(phase));
  }

  currentMa(way: number): number {
    const watts = this.#watts(this.#feeders[way] ?? []);
    return (apparentOf(watts) / VOLTS) * 1_000;
  }

  supply(way: number, supply: "live" | "dead", cause: EffectCause): void {
    this.#bridge.supply(this.#feeders[way] ?? [], supply, cause);
  }

  phases(): readonly [PhaseLoad, PhaseLoad, PhaseLoad] {
    return [this.#phaseLoad(0), this.#phaseLoad(1), this.#phaseLoad(2)];
  }

  energyWh(): readonly [number, number, number] {
    const own = (OWN_USE_W * (this.#clock.monotonicMs() - this.#startMs)) / MS_PER_HOUR;
    const used = (phase: number) => this.#gearsWh(phase) - (this.#startWh[phase] ?? 0);
    return [used(0) + own, used(1), used(2)];
  }

  #phaseLoad(phase: number): PhaseLoad {
    const w = this.#watts(this.#gearsOn(phase)) + (phase === 0 ? OWN_USE_W : 0);
    return { w, va: apparentOf(w) };
  }

  #gearsOn(phase: number): readonly number[] {
    return this.#feeders.filter((_, way) => way % 3 === phase).flat();
  }

  #watts(gears: readonly number[]): number {
    const nowMs = this.#clock.monotonicMs();
    return gears.reduce((watts, gear) => watts + powerW(this.#bridge.state, gear, nowMs), 0);
  }

  #gearsWh(phase: number): number {
    const { state } = this.#bridge;
    const nowMs = this.#clock.monotonicMs();
    return this.#gearsOn(phase).reduce((wh, gear) => {
      settle(state, gear, nowMs);
      return wh + (state.energyWh[gear] ?? 0);
    }, 0);
  }
}
