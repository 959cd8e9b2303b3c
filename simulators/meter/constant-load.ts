import type { SimulatorClock } from "../clock.ts";
import { DeviceJournal } from "../device-journal.ts";
import { type Fields, InvalidField } from "../input-fields.ts";
import type { Journal } from "../journal.ts";
import type { ControlledDevice, DeviceAction } from "../simulated-device.ts";
import type { MeteredLoad, PhaseLoad } from "./metered-load.ts";

/** W on L1, L2, L3. */
export type LoadW = readonly [number, number, number];

const MAX_W = 100_000;
const POWER_FACTOR = 0.95;
const MS_PER_HOUR = 3_600_000;

/** Three phases that take what the control API last said. */
export class ConstantLoad implements MeteredLoad, ControlledDevice {
  readonly actions: readonly DeviceAction[];
  readonly #clock: SimulatorClock;
  readonly #log: DeviceJournal;
  #loadW: LoadW;
  #energyWh: LoadW = [0, 0, 0];
  #countedAtMs: number;
  readonly #lost = new Set<number>();

  constructor(options: {
    readonly id: string;
    readonly loadW: LoadW;
    readonly journal: Journal;
    readonly clock: SimulatorClock;
  }) {
    this.#clock = options.clock;
    this.#log = new DeviceJournal(options.id, options.journal);
    this.#loadW = options.loadW;
    this.#countedAtMs = options.clock.monotonicMs();
    this.actions = [
      {
        name: "set-load",
        about: "what the three phases take from now on",
        takes: { loadW: `three numbers from 0 to ${MAX_W}, W` },
        prepare: (fields) => {
          const loadW = parseLoad(fields);
          return () => this.#set(loadW);
        },
      },
      this.#phaseAction("lose-phase", "a phase loses its voltage, as behind a blown fuse"),
      this.#phaseAction("restore-phase", "it has voltage again"),
    ];
  }

  phases(): readonly [PhaseLoad, PhaseLoad, PhaseLoad] {
    const [l1, l2, l3] = this.#taken();
    return [phaseOf(l1), phaseOf(l2), phaseOf(l3)];
  }

  isLost(phase: number): boolean {
    return this.#lost.has(phase);
  }

  energyWh(): LoadW {
    const nowMs = this.#clock.monotonicMs();
    const hours = (nowMs - this.#countedAtMs) / MS_PER_HOUR;
    const [w1, w2, w3] = this.#taken();
    const [e1, e2, e3] = this.#energyWh;
    this.#energyWh = [e1 + w1 * hours, e2 + w2 * hours, e3 + w3 * hours];
    this.#countedAtMs = nowMs;
    return this.#energyWh;
  }

  view(): { readonly loadW: LoadW; readonly energyWh: LoadW; readonly lostPhases: readonly number[] } {
    const lostPhases = [...this.#lost].map((phase) => phase + 1);
    return { loadW: this.#loadW, energyWh: this.energyWh(), lostPhases };
  }

  /** W that the phases with voltage take. */
  #taken(): LoadW {
    const [l1, l2, l3] = this.#loadW;
    return [this.isLost(0) ? 0 : l1, this.isLost(1) ? 0 : l2, this.isLost(2) ? 0 : l3];
  }

  #phaseAction(name: "lose-phase" | "restore-phase", about: string): DeviceAction {
    return {
      name,
      about,
      takes: { phase: "1, 2 or 3" },
      prepare: (fields) => {
        const phase = fields.wholeNumber("phase", { min: 1, max: 3 });
        return () => this.#turnPhase(phase, name);
      },
    };
  }

  #turnPhase(phase: number, action: "lose-phase" | "restore-phase"): void {
    this.energyWh();
    const from = Number(this.isLost(phase - 1));
    if (action === "lose-phase") this.#lost.add(phase - 1);
    else this.#lost.delete(phase - 1);
    const to = Number(this.isLost(phase - 1));
    this.#log.effect({ by: "control", action }, [{ what: `phase-${phase}-lost`, from, to }]);
  }

  #set(loadW: LoadW): void {
    this.energyWh();
    const changes = loadW.map((to, at) => ({ what: `load-l${at + 1}`, from: this.#loadW[at] ?? 0, to }));
    this.#loadW = loadW;
    this.#log.effect({ by: "control", action: "set-load" }, changes);
  }
}

/** The member `loadW`; absent: 1, 2 and 3 kW, so that no two phases agree by accident. @throws {InvalidField} */
export function readLoad(fields: Fields): LoadW {
  return fields.has("loadW") ? parseLoad(fields) : [1_000, 2_000, 3_000];
}

function parseLoad(fields: Fields): LoadW {
  const [l1, l2, l3, ...more] = fields.list("loadW");
  const isLoad = (value: unknown): value is number =>
    typeof value === "number" && value >= 0 && value <= MAX_W;
  if (isLoad(l1) && isLoad(l2) && isLoad(l3) && more.length === 0) return [l1, l2, l3];
  throw new InvalidField(fields.pointerTo("loadW"), `three numbers from 0 to ${MAX_W}, in W`);
}

const phaseOf = (w: number): PhaseLoad => ({ w, va: w / POWER_FACTOR });
