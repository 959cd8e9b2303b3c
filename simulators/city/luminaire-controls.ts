import type { SimulatorClock } from "../clock.ts";
import type { DaliBridge } from "../dali/dali-bridge.ts";
import { has } from "../dali/gear-physics.ts";
import { GEAR_SILENT } from "../dali/gear-state.ts";
import type { EffectCause } from "../journal.ts";
import { seededChance, seedOfName } from "../seeded-chance.ts";
import type { Sky } from "../sky/sky.ts";

/** What a luminaire's control would have it do. `unknown`: it had no voltage, and looks at the sky when it gets it. */
const UNKNOWN = 0;
const DAY = 1;
const FULL = 2;
const REDUCED = 3;
/** % by phase. */
const LEVELS: Readonly<Record<number, number>> = { [DAY]: 0, [FULL]: 100, [REDUCED]: 50 };

/** About 30 lx: the first photocell switches some 10 min after sunset … */
const FIRST_DEGREES = -2.5;
/** … a municipality's are set up to so much darker, and no two cells are alike: the last one 16 to 20 min later. */
const MUNICIPALITY_DEGREES = 2;
const CELL_DEGREES = 0.7;
/** The reduction of the small hours, by the middle of the night that the control has measured, h. */
const REDUCED_FROM = -2;
const REDUCED_UNTIL = 4;
/** What one control's middle of the night differs from another's, h. */
const MIDNIGHT_SPREAD = 0.2;
const LOOK_EVERY_MS = 1_000;
const SUN: EffectCause = { by: "device", rule: "sun" };

interface Lights {
  readonly bridge: DaliBridge;
  /** By gear: below this height of the sun it is night, degrees. */
  readonly thresholds: Float32Array;
  /** By gear, h. */
  readonly midnightShifts: Float32Array;
  readonly phases: Uint8Array;
  /** By gear: returns of the voltage that its control has seen. */
  readonly powerUps: Uint32Array;
}

/**
 * The control device on each luminaire (DiiA part 351): a photocell, and a reduction of the small hours that needs no
 * clock. It sends its level when the sky passes from one phase to the next and not again, so an order of the bridge
 * holds until then. All live in one timer; the same seed has the same cells.
 */
export class LuminaireControls implements Disposable {
  readonly #sky: Sky;
  readonly #clock: SimulatorClock;
  readonly #lights: readonly Lights[];
  #cancel: (() => void) | undefined;

  constructor(
    bridges: readonly DaliBridge[],
    { seed, sky, clock }: { readonly seed: number; readonly sky: Sky; readonly clock: SimulatorClock },
  ) {
    this.#sky = sky;
    this.#clock = clock;
    this.#lights = bridges.map((bridge) => newLights(bridge, seed));
  }

  /** The world begins as the sky has it: what is lit then was lit before, and is no switching. */
  start(): this {
    for (const { bridge, phases, ...cells } of this.#lights) {
      const wanted = phasesOf(cells, this.#sky.sun());
      for (const [gear, phase] of wanted.entries()) bridge.beginAt(gear, LEVELS[phase] ?? 0);
      phases.set(wanted);
    }
    this.#waitForNext();
    return this;
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
  }

  #waitForNext(): void {
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => {
      const sun = this.#sky.sun();
      for (const lights of this.#lights) follow(lights, sun);
      this.#waitForNext();
    });
  }
}

type Sun = ReturnType<Sky["sun"]>;

function newLights(bridge: DaliBridge, seed: number): Lights {
  // Its cabinets may stand in several processes, each with a seed of its own.
  const municipality = seededChance(seedOfName(0, bridge.id.replace(/-c\d+$/, "")))();
  const chance = seededChance(seedOfName(seed, bridge.id));
  const length = bridge.state.places.length;
  const darkest = FIRST_DEGREES - MUNICIPALITY_DEGREES * municipality;
  return {
    bridge,
    thresholds: Float32Array.from({ length }, () => darkest - CELL_DEGREES * chance()),
    midnightShifts: Float32Array.from({ length }, () => MIDNIGHT_SPREAD * (chance() - 0.5)),
    phases: new Uint8Array(length),
    powerUps: new Uint32Array(length),
  };
}

function phasesOf(
  { thresholds, midnightShifts }: Pick<Lights, "thresholds" | "midnightShifts">,
  sun: Sun,
): Uint8Array {
  return Uint8Array.from(thresholds, (threshold, gear) => {
    if (sun.elevation > threshold) return DAY;
    const hours = sun.fromMidnightHours + (midnightShifts[gear] ?? 0);
    return hours >= REDUCED_FROM && hours < REDUCED_UNTIL ? REDUCED : FULL;
  });
}

function follow({ bridge, phases, powerUps, ...cells }: Lights, sun: Sun): void {
  for (const [gear, wanted] of phasesOf(cells, sun).entries()) {
    const poweredUp = bridge.state.powerUps[gear] ?? 0;
    if (poweredUp !== powerUps[gear]) phases[gear] = UNKNOWN;
    powerUps[gear] = poweredUp;
    if (has(bridge.state, gear, GEAR_SILENT)) phases[gear] = UNKNOWN;
    else if (phases[gear] !== wanted) {
      phases[gear] = wanted;
      bridge.turn(gear, LEVELS[wanted] ?? 0, SUN);
    }
  }
}
