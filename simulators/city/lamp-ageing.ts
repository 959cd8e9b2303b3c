import type { SimulatorClock } from "../clock.ts";
import type { DaliBridge } from "../dali/dali-bridge.ts";
import type { EffectCause } from "../journal.ts";
import type { Chance } from "../seeded-chance.ts";
import type { AgeingConfig } from "./cabinet-config.ts";

interface Failed {
  readonly bridge: DaliBridge;
  readonly lamp: string;
  readonly sinceMs: number;
}

/** Of a hundred failures so many are the gear's, which then no longer answers; the others are the LED's. */
const GEAR_SHARE = 0.15;
const FAILED_MAX = 5_000;
const AGEING: EffectCause = { by: "device", rule: "ageing" };
const REPAIR: EffectCause = { by: "device", rule: "repair" };

/**
 * Lets lamps fail now and then, the longer burnt ones rather, and repairs them after a while. One timer for all;
 * the same seed fails the same lamps in the same order.
 */
export class LampAgeing implements Disposable {
  readonly #config: AgeingConfig;
  readonly #bridges: readonly DaliBridge[];
  readonly #chance: Chance;
  readonly #clock: SimulatorClock;
  #failed: Failed[] = [];
  #cancel: (() => void) | undefined;

  constructor(
    config: AgeingConfig,
    world: {
      readonly bridges: readonly DaliBridge[];
      readonly chance: Chance;
      readonly clock: SimulatorClock;
    },
  ) {
    this.#config = config;
    this.#bridges = world.bridges.filter(({ state }) => state.places.length > 0);
    this.#chance = world.chance;
    this.#clock = world.clock;
  }

  start(): this {
    if (this.#bridges.length > 0) this.#waitForNext();
    return this;
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
  }

  /** Exponential pauses: failures do not keep a timetable. */
  #waitForNext(): void {
    const pauseMs = -Math.log(1 - this.#chance()) * this.#config.failureEverySec * 1_000;
    this.#cancel = this.#clock.after(Math.max(1, pauseMs), () => {
      this.#repair();
      this.#fail();
      this.#waitForNext();
    });
  }

  #fail(): void {
    const [one, other] = [this.#pick(), this.#pick()];
    const worn = one.burntMs >= other.burntMs ? one : other;
    const action = this.#chance() < GEAR_SHARE ? "gear-failure" : "lamp-failure";
    const { bridge, lamp } = worn;
    // Past the bound the city is dark enough: nothing more fails until something is repaired.
    if (this.#failed.length >= FAILED_MAX || this.#failed.some((failed) => failed.lamp === lamp)) return;
    bridge.treat(lamp, action, AGEING);
    this.#failed.push({ bridge, lamp, sinceMs: this.#clock.monotonicMs() });
  }

  #repair(): void {
    const before = this.#clock.monotonicMs() - this.#config.repairAfterSec * 1_000;
    for (const { bridge, lamp, sinceMs } of this.#failed) {
      if (sinceMs <= before) bridge.treat(lamp, "restore", REPAIR);
    }
    this.#failed = this.#failed.filter(({ sinceMs }) => sinceMs > before);
  }

  #pick(): { readonly bridge: DaliBridge; readonly lamp: string; readonly burntMs: number } {
    const bridge = this.#bridges[Math.floor(this.#chance() * this.#bridges.length)];
    if (bridge === undefined) throw new RangeError("no lamps to age");
    const gear = Math.floor(this.#chance() * bridge.state.places.length);
    return { bridge, lamp: bridge.lampIdOf(gear), burntMs: bridge.state.burnMs[gear] ?? 0 };
  }
}
