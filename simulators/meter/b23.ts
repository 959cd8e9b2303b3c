import type { ReadAnswer, RegisterBank, WriteRequest } from "../modbus/register-bank.ts";
import { integerWords, type RegisterWords, readWords, textWords } from "../modbus/register-words.ts";
import { frequency, phasesNow, powerFactor, sumOf } from "./electrical.ts";
import type { MeterOptions } from "./iem3000.ts";

/** Every bit of an unsigned, every bit but the sign of a signed number: "no value". */
const NONE = { u16: 0xffffn, s16: 0x7fffn, u32: 0xffff_ffffn, s32: 0x7fff_ffffn } as const;
const EXPORT_START_WH = 0;

/**
 * An ABB B23 112-100 in a three-phase, four-wire supply. Function 3; scaled whole numbers, high word first. A phase that
 * is not there reads "no value", not zero. Writes are refused: the meter is sealed.
 */
export class B23 implements RegisterBank {
  readonly #options: MeterOptions;
  readonly #serial: number;
  /** In steps of 0.01 kWh, as it is counted. */
  readonly #startSteps: number;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#serial = 9_000_000 + (Math.abs(options.seed) % 1_000_003);
    this.#startSteps = 1_234_500 + (Math.abs(options.seed) % 77_777);
  }

  readHolding(address: number, count: number): ReadAnswer {
    return readWords(this.#words(), { address, count, most: 125 }, 0xffff);
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.journal.recordWrite(this.#options.id, request, reason);
  }

  #words(): RegisterWords {
    const wallMs = this.#options.clock.wallMs();
    return new Map<number, readonly number[]>([
      ...this.#energies(),
      ...this.#measured(wallMs),
      [0x8900, integerWords(BigInt(this.#serial), 2)],
      [0x8908, textWords("B2.13.0", 8)],
    ]);
  }

  #energies(): [number, readonly number[]][] {
    const wh = this.#options.load.energyWh().reduce((sum, phase) => sum + phase, 0);
    const imported = BigInt(this.#startSteps + Math.floor(wh / 10));
    return [
      [0x5000, integerWords(imported, 4)],
      [0x5004, integerWords(BigInt(EXPORT_START_WH), 4)],
    ];
  }

  #measured(wallMs: number): [number, readonly number[]][] {
    const { load } = this.#options;
    const phases = phasesNow(load, { wallMs, flavour: this.#serial });
    const isLost = (phase: number): boolean => load.isLost?.(phase) === true;
    const w = sumOf(phases, (phase) => phase.w);
    const va = Math.hypot(
      w,
      sumOf(phases, (phase) => phase.vars),
    );
    const perPhase = phases.flatMap((phase, at): [number, readonly number[]][] => {
      const or = (value: number, none: bigint): bigint => (isLost(at) ? none : BigInt(Math.round(value)));
      return [
        [0x5b00 + 2 * at, integerWords(or(phase.v * 10, NONE.u32), 2)],
        [0x5b0c + 2 * at, integerWords(or(phase.a * 100, NONE.u32), 2)],
        [0x5b16 + 2 * at, integerWords(or(phase.w * 100, NONE.s32), 2)],
        [0x5b3b + at, integerWords(or(powerFactor(phase.w, phase.va) * 1_000, NONE.s16), 1)],
      ];
    });
    return [
      ...perPhase,
      [0x5b14, integerWords(BigInt(Math.round(w * 100)), 2)],
      [0x5b2c, integerWords(BigInt(Math.round(frequency(wallMs) * 100)), 1)],
      [0x5b3a, integerWords(BigInt(Math.round(powerFactor(w, va) * 1_000)), 1)],
    ];
  }
}
