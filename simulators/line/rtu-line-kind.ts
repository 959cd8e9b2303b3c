import { type CabinetConfig, parseCabinet } from "../city/cabinet-config.ts";
import { newStreetCabinet } from "../city/street-cabinet.ts";
import { Fields, InvalidField } from "../input-fields.ts";
import type { MakeModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import type { RegisterBank } from "../modbus/register-bank.ts";
import { seedOfName } from "../seeded-chance.ts";
import type {
  ControlledDevice,
  DeviceAction,
  DeviceKind,
  DeviceSurroundings,
  SimulatedDevice,
} from "../simulated-device.ts";
import { REAL_SKY, Sky } from "../sky/sky.ts";
import { LINE_HELP, lineEndOf } from "./open-line-end.ts";
import { plugActions } from "./plug-actions.ts";
import { RtuLine } from "./rtu-line.ts";
import { wireActions } from "./wire-actions.ts";

const UNITS_MAX = 247;
const PARITIES = ["none", "even", "odd"] as const;

interface UnitOnLine {
  readonly unit: number;
  readonly make: MakeModbusUnit;
}

/** A serial line, byte by byte at its speed, with Modbus units of any of `kinds`. */
export function rtuLineKind(kinds: Readonly<Record<string, ModbusUnitKind>>): DeviceKind {
  return {
    about:
      'serial line of Modbus RTU units at its real speed: "baud" [19200], "parity" [even], "stopBits" [1; 2 without parity], ' +
      `${LINE_HELP}, "turnaroundMs" [5], "precise": for measuring, takes a core [false], "units": ` +
      '[{"unit","kind",...}] of the kinds that are Modbus units, "cabinet": a street cabinet as units 1, 2 and 3',
    parse: (fields) => {
      const format = parseFormat(fields);
      const openEnd = lineEndOf(fields);
      const turnaroundMs = fields.optionalWholeNumber("turnaroundMs", { min: 0, max: 10_000 }) ?? 5;
      const punctuality = parsePrecise(fields);
      const units = parseUnits(fields, kinds);
      const cabinet = fields.has("cabinet")
        ? parseCabinet(fields.raw("cabinet"), fields.pointerTo("cabinet"))
        : undefined;
      refuseRepeatedUnits(units, fields, cabinet);
      return async (around) => {
        await using made = new AsyncDisposableStack();
        const standing = [...standUp(units, around, made), ...standCabinet(cabinet, around, made)];
        const banks = new Map(standing.map(({ unit, bank }) => [unit, bank]));
        const end = await openEnd();
        const options = {
          ...format,
          turnaroundMs,
          punctuality,
          units: banks,
          clock: around.clock,
          seed: around.seed,
        };
        const line = made.use(new RtuLine(end, options));
        return new LineDevice(line, { standing, baud: format.baud, resources: made.move() });
      };
    },
  };
}

interface Standing {
  readonly unit: number;
  readonly bank: RegisterBank;
  readonly device?: ControlledDevice;
}

class LineDevice implements SimulatedDevice {
  readonly actions: readonly DeviceAction[];
  readonly #line: RtuLine;
  readonly #standing: readonly Standing[];
  readonly #baud: number;
  readonly #resources: AsyncDisposableStack;

  constructor(
    line: RtuLine,
    parts: {
      readonly standing: readonly Standing[];
      readonly baud: number;
      readonly resources: AsyncDisposableStack;
    },
  ) {
    this.#line = line;
    this.#standing = parts.standing;
    this.#baud = parts.baud;
    this.#resources = parts.resources;
    this.actions = [
      ...wireActions(line.wire),
      ...plugActions(line.end),
      ...parts.standing.flatMap(unitActions),
    ];
  }

  get reach(): object {
    return { ...this.#line.end.reach, baud: this.#baud, units: this.#standing.map(({ unit }) => unit) };
  }

  get faults() {
    return this.#line.faults;
  }

  view(): object {
    const units = this.#standing.map(({ unit, device }) => [unit, device?.view() ?? {}]);
    return { line: this.#line.figures, wire: this.#line.wire.faults, units: Object.fromEntries(units) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** `set` of unit 3 is `set-of-3`. */
function unitActions({ unit, device }: Standing): readonly DeviceAction[] {
  return (device?.actions ?? []).map((action) => ({
    ...action,
    name: `${action.name}-of-${unit}`,
    prepare: (fields) => action.prepare(fields),
  }));
}

function standUp(
  units: readonly UnitOnLine[],
  around: DeviceSurroundings,
  made: AsyncDisposableStack,
): readonly Standing[] {
  return units.map(({ unit, make }) => {
    const id = `${around.id}-${unit}`;
    const device = made.use(make({ ...around, id, seed: seedOfName(around.seed, id) }));
    return { unit, bank: device.bank, device };
  });
}

function standCabinet(
  cabinet: CabinetConfig | undefined,
  around: DeviceSurroundings,
  made: AsyncDisposableStack,
): readonly Standing[] {
  if (cabinet === undefined) return [];
  const { units } = made.use(newStreetCabinet(cabinet, { ...around, sky: new Sky(REAL_SKY, around.clock) }));
  return [...units].map(([unit, bank]) => ({ unit, bank }));
}

function parseFormat(fields: Fields): { readonly baud: number; readonly bitsPerCharacter: number } {
  const baud = fields.optionalWholeNumber("baud", { min: 300, max: 1_000_000 }) ?? 19_200;
  const parity = fields.has("parity") ? fields.oneOf("parity", PARITIES) : "even";
  const stopBits = fields.optionalWholeNumber("stopBits", { min: 1, max: 2 }) ?? (parity === "none" ? 2 : 1);
  return { baud, bitsPerCharacter: 9 + (parity === "none" ? 0 : 1) + stopBits };
}

function parsePrecise(fields: Fields): "timer" | "precise" {
  if (!fields.has("precise")) return "timer";
  const value = fields.raw("precise");
  if (typeof value !== "boolean") throw new InvalidField(fields.pointerTo("precise"), "true or false");
  return value ? "precise" : "timer";
}

function parseUnits(fields: Fields, kinds: Readonly<Record<string, ModbusUnitKind>>): readonly UnitOnLine[] {
  if (!fields.has("units")) return [];
  return fields.list("units").map((data, at) => {
    const member = new Fields(data, `${fields.pointerTo("units")}/${at}`);
    const unit = member.wholeNumber("unit", { min: 1, max: UNITS_MAX });
    const kind = member.oneOf("kind", Object.keys(kinds));
    const make = kinds[kind]?.parse(member);
    if (make === undefined) throw new InvalidField(member.pointerTo("kind"), "a kind of Modbus unit");
    member.refuseUnknown();
    return { unit, make };
  });
}

function refuseRepeatedUnits(
  units: readonly UnitOnLine[],
  fields: Fields,
  cabinet: CabinetConfig | undefined,
): void {
  const seen = new Set(cabinet === undefined ? [] : [1, 2, 3]);
  for (const [at, { unit }] of units.entries()) {
    if (seen.has(unit))
      throw new InvalidField(`${fields.pointerTo("units")}/${at}/unit`, "a unit that no other has");
    seen.add(unit);
  }
  if (seen.size === 0) throw new InvalidField(fields.pointerTo("units"), "at least one unit, or a cabinet");
}
