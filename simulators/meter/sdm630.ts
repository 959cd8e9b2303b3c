import type { SimulatorClock } from "../clock.ts";
import type { Journal } from "../journal.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteRequest,
} from "../modbus/register-bank.ts";
import { DemandMeter } from "./demand-meter.ts";
import { frequency, type PhaseValues, phasesNow, powerFactor, sumOf } from "./electrical.ts";
import type { MeteredLoad } from "./metered-load.ts";

export interface Sdm630Options {
  /** A slug: the device a refused write is told of. */
  readonly id: string;
  readonly seed: number;
  readonly load: MeteredLoad;
  readonly journal: Journal;
  readonly clock: SimulatorClock;
}

/** Eastron: 40 parameters a read, two registers each; more is answered with an exception. */
const REGISTERS_PER_READ = 80;
/** The last parameter of the documented list of input registers is at 0x017E. */
const INPUT_REGISTERS = 0x0180;
const HOLDING_REGISTERS = 0x0030;

/**
 * An Eastron SDM630 in a three-phase, four-wire supply, as seen through its Modbus registers: every parameter is a
 * big-endian float32 in two registers, high word first, at an even address. Parameters that this model does not
 * form read 0. An odd address or count would tear a parameter: exceptions 2 and 3. Nothing can be written
 * (exception 1): the settings of a meter in the street are sealed.
 */
export class Sdm630 implements RegisterBank {
  readonly id: string;
  readonly #options: Sdm630Options;
  readonly #demand = new DemandMeter();
  /** What the meter had counted when it was put in, kWh a phase. */
  readonly #startKwh: readonly [number, number, number];
  readonly #serial: number;

  constructor(options: Sdm630Options) {
    this.id = options.id;
    this.#options = options;
    const seed = Math.abs(options.seed) % 1_000_003;
    this.#startKwh = [9_000 + (seed % 7_001), 8_500 + (seed % 6_007), 8_800 + (seed % 5_003)];
    this.#serial = 18_000_000 + seed;
  }

  readInput(address: number, count: number): ReadAnswer {
    return refusal({ address, count, size: INPUT_REGISTERS }) ?? words(this.#parameters(), address, count);
  }

  readHolding(address: number, count: number): ReadAnswer {
    const serial = new Map([
      [0x002a, Math.floor(this.#serial / 65_536)],
      [0x002c, this.#serial % 65_536],
    ]);
    return refusal({ address, count, size: HOLDING_REGISTERS }) ?? words(serial, address, count);
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.journal.recordWrite(this.id, request, reason);
  }

  /** Every parameter by its address: V, A, W, VA, var, Hz, kWh, %. */
  #parameters(): ReadonlyMap<number, number> {
    const { clock, load } = this.#options;
    const wallMs = clock.wallMs();
    const phases = phasesNow(load, { wallMs, flavour: this.#serial });
    const sum = (pick: (phase: PhaseValues) => number) => sumOf(phases, pick);
    const energies = load.energyWh().map((wh, at) => wh / 1_000 + (this.#startKwh[at] ?? 0));
    const importKwh = energies.reduce((total, kwh) => total + kwh, 0);
    const watts = sum(({ w }) => w);
    const va = Math.hypot(
      watts,
      sum(({ vars }) => vars),
    );
    const demand = this.#demand.demandW(importKwh, { nowMs: clock.monotonicMs(), w: watts });
    return new Map([
      ...spread(
        0x0000,
        phases.map(({ v }) => v),
      ),
      ...spread(
        0x0006,
        phases.map(({ a }) => a),
      ),
      ...spread(
        0x000c,
        phases.map(({ w }) => w),
      ),
      ...spread(
        0x0012,
        phases.map((phase) => phase.va),
      ),
      ...spread(
        0x0018,
        phases.map(({ vars }) => vars),
      ),
      ...spread(
        0x001e,
        phases.map((phase) => powerFactor(phase.w, phase.va)),
      ),
      [0x002a, sum(({ v }) => v) / 3],
      [0x002e, sum(({ a }) => a) / 3],
      [0x0030, sum(({ a }) => a)],
      [0x0034, watts],
      [0x0038, va],
      [0x003c, sum(({ vars }) => vars)],
      [0x003e, powerFactor(watts, va)],
      [0x0046, frequency(wallMs)],
      [0x0048, importKwh],
      [0x0054, demand.nowW],
      [0x0056, demand.maxW],
      ...spread(
        0x00ea,
        phases.map(({ va: load }) => 1.4 + Math.min(2, load / 4_000)),
      ),
      [0x0156, importKwh],
      ...spread(0x015a, energies),
    ]);
  }
}

function spread(first: number, values: readonly number[]): [number, number][] {
  return values.map((value, at) => [first + 2 * at, value]);
}

function refusal(read: {
  readonly address: number;
  readonly count: number;
  readonly size: number;
}): ModbusException | undefined {
  const { address, count, size } = read;
  if (count > REGISTERS_PER_READ || count % 2 === 1) return new ModbusException(ILLEGAL_DATA_VALUE);
  return address % 2 === 1 || address + count > size ? new ModbusException(ILLEGAL_DATA_ADDRESS) : undefined;
}

function words(parameters: ReadonlyMap<number, number>, address: number, count: number): Uint16Array {
  const bytes = new DataView(new ArrayBuffer(4));
  const registers = new Uint16Array(count);
  for (let at = 0; at < count; at += 2) {
    bytes.setFloat32(0, parameters.get(address + at) ?? 0);
    registers[at] = bytes.getUint16(0);
    registers[at + 1] = bytes.getUint16(2);
  }
  return registers;
}
