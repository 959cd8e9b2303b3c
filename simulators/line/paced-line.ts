import type { SimulatorClock } from "../clock.ts";
import type { Fields } from "../input-fields.ts";
import { seededChance } from "../seeded-chance.ts";
import type { DeviceAction } from "../simulated-device.ts";
import type { LineEnd } from "./line-end.ts";
import { LINE_HELP, lineEndOf } from "./open-line-end.ts";
import { PacedWire } from "./paced-wire.ts";
import { plugActions } from "./plug-actions.ts";
import { Timetable } from "./timetable.ts";
import { wireActions } from "./wire-actions.ts";

/** For `about` texts of kinds whose line may have a speed. */
export const PACED_LINE_HELP = `${LINE_HELP}, "baud": each character takes its time, 8N1 (absent: at once)`;

/** Start bit, eight data bits, stop bit. */
const BITS_PER_CHARACTER = 10;

/** A line that is open, and what a hand does to it. */
export interface OpenedLine {
  readonly line: LineEnd;
  readonly actions: readonly DeviceAction[];
}

/** Reads `line`, `link`, `listen` and `baud`. @throws {InvalidField} */
export function pacedLineOf(
  fields: Fields,
): (around: { readonly clock: SimulatorClock; readonly seed: number }) => Promise<OpenedLine> {
  const openEnd = lineEndOf(fields);
  const baud = fields.optionalWholeNumber("baud", { min: 300, max: 1_000_000 });
  return async (around) => {
    const end = await openEnd();
    if (baud === undefined) return { line: end, actions: plugActions(end) };
    const line = new PacedLine(end, { baud, ...around });
    return { line, actions: [...plugActions(end), ...wireActions(line.wire)] };
  };
}

/** Another line's end, behind a wire on which every character takes its time. */
class PacedLine implements LineEnd {
  readonly wire: PacedWire;
  readonly #end: LineEnd;
  readonly #baud: number;
  readonly #clock: SimulatorClock;
  readonly #timetable: Timetable;

  constructor(
    end: LineEnd,
    options: { readonly baud: number; readonly clock: SimulatorClock; readonly seed: number },
  ) {
    const { baud, clock, seed } = options;
    this.#end = end;
    this.#baud = baud;
    this.#clock = clock;
    this.#timetable = new Timetable(clock, "timer");
    const characterMs = (BITS_PER_CHARACTER * 1_000) / baud;
    const chance = seededChance(seed);
    this.wire = new PacedWire(end, { characterMs, clock, timetable: this.#timetable, chance });
  }

  get reach(): object {
    return { ...this.#end.reach, baud: this.#baud };
  }

  get clients(): number | undefined {
    return this.#end.clients;
  }

  write(bytes: Uint8Array): void {
    this.wire.send(bytes, this.#clock.monotonicMs());
  }

  /** What collided on the wire reaches nobody. */
  onBytes(listener: (bytes: Buffer) => void): void {
    this.wire.onBurst(({ bytes, isCollision }) => {
      if (!isCollision) listener(bytes);
    });
  }

  unplug(): Promise<void> {
    return this.#end.unplug();
  }

  plug(): Promise<void> {
    return this.#end.plug();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timetable[Symbol.dispose]();
    await this.#end[Symbol.asyncDispose]();
  }
}
