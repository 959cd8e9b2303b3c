import { DeviceJournal } from "../device-journal.ts";
import { Fields, InvalidField } from "../input-fields.ts";
import type { EffectCause } from "../journal.ts";
import type { ModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteRequest,
} from "../modbus/register-bank.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";

const TABLES = ["holding", "input", "coil", "discrete"] as const;
type Table = (typeof TABLES)[number];
type Values = Map<number, number>;
type Tables = Readonly<Record<Table, Values>>;

const ADDRESS_MAX = 65_535;
const GREATEST: Readonly<Record<Table, number>> = { holding: 65_535, input: 65_535, coil: 1, discrete: 1 };

/** A Modbus unit without a meaning: it has just the registers it was given, for trying a profile against. */
export const registerBankKind: ModbusUnitKind = {
  about: `any Modbus unit: "holding", "input", "coil", "discrete": {"address": value}; the rest does not exist`,
  parse: (fields) => {
    const given = TABLES.map((table) => [table, parseTable(fields, table)] as const);
    return (around) => new PlainBank(around, given);
  },
};

class PlainBank implements ModbusUnit {
  readonly actions: readonly DeviceAction[];
  readonly bank: RegisterBank;
  readonly #tables: Tables;
  readonly #log: DeviceJournal;

  constructor({ id, journal }: DeviceSurroundings, given: readonly (readonly [Table, Values])[]) {
    const tableOf = (wanted: Table): Values => new Map(given.find(([table]) => table === wanted)?.[1]);
    this.#tables = {
      holding: tableOf("holding"),
      input: tableOf("input"),
      coil: tableOf("coil"),
      discrete: tableOf("discrete"),
    };
    this.#log = new DeviceJournal(id, journal);
    this.actions = [this.#setAction()];
    this.bank = {
      readHolding: (address, count) => this.#read("holding", address, count),
      readInput: (address, count) => this.#read("input", address, count),
      readCoils: (address, count) => this.#read("coil", address, count),
      readDiscrete: (address, count) => this.#read("discrete", address, count),
      writeRegisters: (request) => this.#write("holding", request),
      writeCoils: (request) => this.#write("coil", request),
      writeNotExecuted: (request, reason) => this.#log.refused(request, reason),
    };
  }

  view(): Readonly<Record<Table, Readonly<Record<number, number>>>> {
    const { holding, input, coil, discrete } = this.#tables;
    return {
      holding: Object.fromEntries(holding),
      input: Object.fromEntries(input),
      coil: Object.fromEntries(coil),
      discrete: Object.fromEntries(discrete),
    };
  }

  [Symbol.dispose](): void {
    // Memory only.
  }

  #read(table: Table, address: number, count: number): ReadAnswer {
    const values = Array.from({ length: count }, (_, at) => this.#tables[table].get(address + at));
    const known = values.filter((value) => value !== undefined);
    return known.length === count ? known : new ModbusException(ILLEGAL_DATA_ADDRESS);
  }

  #write(table: "holding" | "coil", request: WriteRequest): "written" | ModbusException {
    const { address, values, effect } = request;
    if (values.some((_, at) => !this.#tables[table].has(address + at))) {
      this.#log.refused(request, `exception-${ILLEGAL_DATA_ADDRESS}`);
      return new ModbusException(ILLEGAL_DATA_ADDRESS);
    }
    if (effect === "frozen") this.#log.refused(request, "frozen");
    else this.#log.executed(request, this.#store(table, address, values));
    return "written";
  }

  #store(table: Table, address: number, values: readonly number[]) {
    return values.flatMap((to, at) => {
      const place = address + at;
      const from = this.#tables[table].get(place) ?? 0;
      this.#tables[table].set(place, to);
      return from === to ? [] : [{ what: `${table}-${place}`, from, to }];
    });
  }

  #setAction(): DeviceAction {
    return {
      name: "set",
      about: "gives one place a value, as the device itself would",
      takes: {
        table: TABLES.join(", "),
        address: `0..${ADDRESS_MAX}`,
        value: "0..65535, or 0 and 1 for bits",
      },
      prepare: (fields) => {
        const table = fields.oneOf("table", TABLES);
        const address = fields.wholeNumber("address", { min: 0, max: ADDRESS_MAX });
        const value = fields.wholeNumber("value", { min: 0, max: GREATEST[table] });
        const cause: EffectCause = { by: "control", action: "set" };
        return () => this.#log.effect(cause, this.#store(table, address, [value]));
      },
    };
  }
}

function parseTable(fields: Fields, table: Table): Values {
  const values: Values = new Map();
  if (!fields.has(table)) return values;
  const pointer = fields.pointerTo(table);
  const members = new Fields(fields.raw(table), pointer);
  for (const name of Object.keys(Object(fields.raw(table)))) {
    const address = Number(name);
    if (!Number.isInteger(address) || address < 0 || address > ADDRESS_MAX) {
      throw new InvalidField(`${pointer}/${name}`, `an address from 0 to ${ADDRESS_MAX}`);
    }
    values.set(address, members.wholeNumber(name, { min: 0, max: GREATEST[table] }));
  }
  return values;
}
