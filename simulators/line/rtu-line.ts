import type { SimulatorClock } from "../clock.ts";
import type { FaultPlan } from "../modbus/fault-plan.ts";
import type { RegisterBank } from "../modbus/register-bank.ts";
import { seededChance } from "../seeded-chance.ts";
import type { LineEnd } from "./line-end.ts";
import { PacedWire } from "./paced-wire.ts";
import { type LineFigures, RtuUnits } from "./rtu-units.ts";
import { type Punctuality, Timetable } from "./timetable.ts";

export interface RtuLineOptions {
  readonly baud: number;
  /** 10 or 11: start bit, data, parity and stop bits. */
  readonly bitsPerCharacter: number;
  readonly turnaroundMs: number;
  readonly punctuality: Punctuality;
  readonly units: ReadonlyMap<number, RegisterBank>;
  readonly clock: SimulatorClock;
  readonly seed: number;
}

/** A serial line with Modbus units on it, paced byte by byte. */
export class RtuLine implements AsyncDisposable {
  readonly end: LineEnd;
  /** Its `faults` are those of the wire and its adapter. */
  readonly wire: PacedWire;
  readonly #units: RtuUnits;
  readonly #timetable: Timetable;

  constructor(end: LineEnd, options: RtuLineOptions) {
    const { baud, clock, units, turnaroundMs, punctuality, seed } = options;
    const characterMs = (options.bitsPerCharacter * 1_000) / baud;
    this.end = end;
    this.#timetable = new Timetable(clock, punctuality);
    const timetable = this.#timetable;
    this.wire = new PacedWire(end, { characterMs, clock, timetable, chance: seededChance(seed) });
    this.#units = new RtuUnits({
      units,
      wire: this.wire,
      timetable,
      clock,
      baud,
      characterMs,
      turnaroundMs,
    });
  }

  /** Faults of single units, and of what they answer. */
  get faults(): FaultPlan {
    return this.#units.faults;
  }

  get figures(): LineFigures {
    return this.#units.figures;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timetable[Symbol.dispose]();
    await this.end[Symbol.asyncDispose]();
  }
}
