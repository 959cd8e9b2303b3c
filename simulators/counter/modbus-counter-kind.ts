import { DeviceJournal } from "../device-journal.ts";
import type { ModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
} from "../modbus/register-bank.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";

const PASSES_MAX = 100_000;

/** A counter of people in two directions; neutral map revision 1 (docs/devices.md, people counter). */
export const modbusCounterKind: ModbusUnitKind = {
  about: `people counter, two directions: "bits" 16 or 32 [16], "in" and "out" counted so far [0]`,
  parse: (fields) => {
    const bits = fields.has("bits") ? fields.wholeNumber("bits", { min: 16, max: 32 }) : 16;
    const range = { min: 0, max: 2 ** bits - 1 };
    const total = {
      in: fields.optionalWholeNumber("in", range) ?? 0,
      out: fields.optionalWholeNumber("out", range) ?? 0,
    };
    return (around) => new PeopleCounter(around, { bits, total });
  },
};

class PeopleCounter implements ModbusUnit {
  readonly actions: readonly DeviceAction[];
  readonly bank: RegisterBank;
  readonly #log: DeviceJournal;
  readonly #modulus: number;
  readonly #total: { in: number; out: number };
  /** All that ever passed, whatever the device forgot: the truth for tests. */
  readonly #passed = { in: 0, out: 0 };
  #covered = false;

  constructor(
    { id, journal }: DeviceSurroundings,
    { bits, total }: { readonly bits: number; readonly total: { readonly in: number; readonly out: number } },
  ) {
    this.#log = new DeviceJournal(id, journal);
    this.#modulus = 2 ** bits;
    this.#total = { ...total };
    this.bank = {
      readInput: (address, count) => this.#read(address, count),
      readDiscrete: (address, count) =>
        address + count > 1 ? new ModbusException(ILLEGAL_DATA_ADDRESS) : [Number(this.#covered)],
      writeNotExecuted: (request, reason) => this.#log.refused(request, reason),
    };
    this.actions = [
      {
        name: "pass",
        about: "so many people go through",
        takes: { in: `0..${PASSES_MAX}`, out: `0..${PASSES_MAX}` },
        prepare: (fields) => {
          const passing = { in: 0, out: 0 };
          for (const way of ["in", "out"] as const)
            passing[way] = fields.optionalWholeNumber(way, { min: 0, max: PASSES_MAX }) ?? 0;
          return () => this.#pass(passing);
        },
      },
      { name: "power-loss", about: "both totals begin at 0 again", prepare: () => () => this.#forget() },
      { name: "cover", about: "something hangs before the sensor", prepare: () => () => this.#cover(true) },
      { name: "uncover", about: "and is taken away", prepare: () => () => this.#cover(false) },
    ];
  }

  view(): object {
    return { total: this.#total, passed: this.#passed, covered: this.#covered };
  }

  [Symbol.dispose](): void {
    // Memory only.
  }

  #read(address: number, count: number): ReadAnswer {
    const { in: entered, out: left } = this.#total;
    const words = [Math.floor(entered / 65_536), entered % 65_536, Math.floor(left / 65_536), left % 65_536];
    return address + count > words.length
      ? new ModbusException(ILLEGAL_DATA_ADDRESS)
      : words.slice(address, address + count);
  }

  #pass(passing: { readonly in: number; readonly out: number }): void {
    const changes = (["in", "out"] as const).map((way) => {
      this.#passed[way] += passing[way];
      const from = this.#total[way];
      if (!this.#covered) this.#total[way] = (from + passing[way]) % this.#modulus;
      return { what: `total-${way}`, from, to: this.#total[way] };
    });
    this.#log.effect({ by: "control", action: "pass" }, changes);
  }

  #forget(): void {
    const changes = (["in", "out"] as const).map((way) => ({
      what: `total-${way}`,
      from: this.#total[way],
      to: 0,
    }));
    this.#total.in = 0;
    this.#total.out = 0;
    this.#log.effect({ by: "control", action: "power-loss" }, changes);
  }

  #cover(to: boolean): void {
    const from = this.#covered;
    this.#covered = to;
    const action = to ? "cover" : "uncover";
    this.#log.effect({ by: "control", action }, [{ what: "covered", from: Number(from), to: Number(to) }]);
  }
}
