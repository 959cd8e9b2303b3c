import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { rawOf } from "../scale.ts";
import { isRegisterAddress, type ModbusAddress, type RegisterAddress } from "./modbus-address.ts";
import type { WriteRequest } from "./modbus-client.ts";
import { numberToRegisters, textToRegisters } from "./register-codec.ts";

/**
 * The request that brings `point` to `value`, which is rounded to the nearest step that the register has: read-back
 * tells by how much. An action takes true or a number.
 * @throws {DeviceFault} `refused-by-device` where the register has no such value: the unit would have to refuse
 * it, so it is not sent. `unknown-address` for a point that can not be written at all.
 */
export function encodeWrite(
  point: PointDefinition<ModbusAddress>,
  value: PointValue,
  unit: number,
): WriteRequest {
  const { address } = point;
  const at = placeOf(address);
  const label = `write ${JSON.stringify(value)} to ${at.table} ${at.register} of unit ${unit}`;
  if (point.access === "read") {
    throw new DeviceFault("unknown-address", label, {
      cause: new Error(`not sent: ${point.name} is only read`),
    });
  }
  const { register } = at;
  if (at.table === "coil") {
    if (typeof value !== "boolean") throw refused(label, "a coil takes true or false");
    return { function: at.function, register, state: value, label };
  }
  const { layout } = at;
  const words =
    layout.coding === "text" ? textWords(layout, value, label) : numberWords(point, layout, value, label);
  return { function: layout.writeFunction, register, words, label };
}

type WritePlace =
  | { readonly table: "coil"; readonly register: number; readonly function: 5 | 15 }
  | { readonly table: "holding"; readonly register: number; readonly layout: RegisterAddress };

function placeOf(address: ModbusAddress): WritePlace {
  if (!isRegisterAddress(address))
    return { table: "coil", register: address.writeRegister, function: address.writeFunction };
  return address.writeCoil === undefined
    ? { table: "holding", register: address.writeRegister, layout: address }
    : { table: "coil", register: address.writeCoil, function: 5 };
}

function textWords(address: RegisterAddress, value: PointValue, label: string): readonly number[] {
  const words = typeof value === "string" ? textToRegisters(value, address) : null;
  if (words === null)
    throw refused(label, `it takes up to ${2 * address.registers} printable ASCII characters`);
  return words;
}

function numberWords(
  point: PointDefinition<ModbusAddress>,
  address: RegisterAddress,
  value: PointValue,
  label: string,
): readonly number[] {
  if (address.coding === "text") throw refused(label, "it takes text");
  const raw = rawNumber(point, value);
  if (raw === null) throw refused(label, `no such value for a ${point.type} point with this scale`);
  const isInteger = address.coding !== "float32";
  const step = isInteger ? Math.round(raw) : Math.fround(raw);
  if (point.sentinels?.includes(step) === true)
    throw refused(label, `raw ${step} means "no value" to the unit`);
  const words = numberToRegisters(step, { ...address, coding: address.coding });
  if (words === null) throw refused(label, `raw ${step} does not fit ${address.coding}`);
  return words;
}

function rawNumber(point: PointDefinition, value: PointValue): number | null {
  if (typeof value === "boolean") return point.type === "number" ? null : Number(value);
  if (typeof value === "string" || point.type === "boolean") return null;
  return rawOf(value, point.scale);
}

function refused(label: string, why: string): DeviceFault {
  return new DeviceFault("refused-by-device", label, { cause: new Error(`not sent: ${why}`) });
}
