import type { SimulatorClock } from "../clock.ts";
import type { Journal } from "../journal.ts";
import type { ReadAnswer, RegisterBank, WriteRequest } from "../modbus/register-bank.ts";
import {
  float32Words,
  integerWords,
  type RegisterWords,
  readWords,
  textWords,
} from "../modbus/register-words.ts";
import { frequency, phasesNow, powerFactor, sumOf } from "./electrical.ts";
import type { MeteredLoad } from "./metered-load.ts";

export interface MeterOptions {
  /** A slug: the device a refused write is told of. */
  readonly id: string;
  readonly seed: number;
  readonly load: MeteredLoad;
  readonly journal: Journal;
  readonly clock: SimulatorClock;
}

/** The manual counts registers from 1: its register 3028 travels as 3027. */
const register = (documented: number): number => documented - 1;
/** What a quantity that the wiring does not give reads as. */
const NOT_A_NUMBER = Number.NaN;

/**
 * A Schneider Electric iEM3155 in a three-phase, four-wire supply. Written down by the numbers of its register list,
 * which count from 1. Function 3 only; "Com. Protection" is on as it leaves the factory, so every write is exception 1.
 */
export class Iem3000 implements RegisterBank {
  readonly #options: MeterOptions;
  readonly #serial: number;
  /** What it had counted when it was put in, Wh a phase. */
  readonly #startWh: readonly [number, number, number];

  constructor(options: MeterOptions) {
    this.#options = options;
    const seed = Math.abs(options.seed) % 1_000_003;
    this.#serial = 1_700_000_000 + seed;
    this.#startWh = [4_100_000 + (seed % 99_991), 3_900_000 + (seed % 88_883), 4_400_000 + (seed % 77_773)];
  }

  readHolding(address: number, count: number): ReadAnswer {
    return readWords(this.#words(), { address, count, most: 125 }, 0);
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.journal.recordWrite(this.#options.id, request, reason);
  }

  #words(): RegisterWords {
    const wallMs = this.#options.clock.wallMs();
    const text = [[register(50), textWords("iEM3155", 20)]] as const;
    const serial = [[register(130), integerWords(BigInt(this.#serial), 2)]] as const;
    return new Map([...text, ...serial, ...this.#floats(wallMs), ...this.#energies()]);
  }

  #floats(wallMs: number): [number, readonly number[]][] {
    const { load } = this.#options;
    const phases = phasesNow(load, { wallMs, flavour: this.#serial });
    const w = sumOf(phases, (phase) => phase.w);
    const vars = sumOf(phases, (phase) => phase.vars);
    const va = Math.hypot(w, vars);
    const mean = (values: readonly number[]) =>
      values.reduce((total, value) => total + value, 0) / values.length;
    const volts = phases.map(({ v }, at) => (load.isLost?.(at) === true ? NOT_A_NUMBER : v));
    const values: readonly (readonly [number, number])[] = [
      ...phases.map(({ a }, at) => [3_000 + 2 * at, a] as const),
      [3_010, mean(phases.map(({ a }) => a))],
      ...volts.map((v, at) => [3_028 + 2 * at, v] as const),
      [3_036, mean(volts)],
      ...phases.map((phase, at) => [3_054 + 2 * at, phase.w / 1_000] as const),
      [3_060, w / 1_000],
      [3_068, vars / 1_000],
      [3_076, va / 1_000],
      [3_084, powerFactor(w, va)],
      [3_110, frequency(wallMs)],
    ];
    return values.map(([documented, value]) => [register(documented), float32Words(value)]);
  }

  #energies(): [number, readonly number[]][] {
    const phases = this.#options.load.energyWh().map((wh, at) => Math.floor(wh) + (this.#startWh[at] ?? 0));
    const total = phases.reduce((sum, wh) => sum + wh, 0);
    const values = [
      [3_204, total],
      [3_208, 0],
      ...phases.map((wh, at) => [3_518 + 4 * at, wh] as const),
    ] as const;
    return values.map(([documented, wh]) => [register(documented), integerWords(BigInt(wh), 4)]);
  }
}
