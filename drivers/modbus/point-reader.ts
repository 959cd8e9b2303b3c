import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition, StateBand } from "../../domain/point.ts";
import type { Sample } from "../driver.ts";
import { compileScale, DALI_MASK, type ToUnit } from "../scale.ts";
import { isRegisterAddress, type ModbusAddress, type RegisterAddress } from "./modbus-address.ts";
import { compileNumber, compileText, type NumberCoding, type NumberReader } from "./register-codec.ts";

/** Makes a point's sample from the bytes of a block's answer. */
export type PointReader = (data: Buffer) => Sample;

/** By the first place of the block. */
const compiled = new WeakMap<PointDefinition<ModbusAddress>, Map<number, PointReader>>();

/** Devices of a model share their definitions: a reader serves all blocks that hold the same point at the same place. */
export function readerOf(point: PointDefinition<ModbusAddress>, blockFirst: number): PointReader {
  const known = compiled.get(point);
  const reader = known?.get(blockFirst) ?? compileReader(point, blockFirst);
  if (known === undefined) compiled.set(point, new Map([[blockFirst, reader]]));
  else known.set(blockFirst, reader);
  return reader;
}

/**
 * Compiled once for a place, called for each of its answers. What the device can not have meant is a fault of
 * the point: a 64-bit integer beyond ±(2^53-1), which no number holds exactly (9·10^15 Wh is more than the world
 * uses in a year, so it is a pattern or a wrong word order), and a raw value that the DALI curve lacks. A float that is no finite number is the device's
 * own "no value", declared or not.
 */
export function compileReader(point: PointDefinition<ModbusAddress>, blockFirst: number): PointReader {
  const { address } = point;
  if (!isRegisterAddress(address)) return compileBit(address.register - blockFirst);
  const at = 2 * (address.register - blockFirst);
  if (address.coding === "text") return compileTextPoint(address, at);
  const { coding } = address;
  const whole = compileNumber({ ...address, coding }, at);
  const raw = address.bits === undefined ? whole : bitField(whole, address.bits);
  if (point.type === "boolean") return compileBoolean(raw, point, coding);
  if (point.states !== undefined) return compileStates(raw, { point, coding, states: point.states });
  return compileNumberPoint(raw, point, coding);
}

function compileBit(index: number): PointReader {
  const at = index >> 3;
  // Modbus V1.1b3 §6.1: the first place is the lowest bit of the first byte.
  const mask = 1 << (index & 7);
  return (data) => ({ value: (data.readUInt8(at) & mask) !== 0, takenAt: null });
}

function compileTextPoint(address: RegisterAddress, at: number): PointReader {
  const text = compileText(address, at);
  return (data) => ({ value: text(data), takenAt: null });
}

function bitField(
  whole: NumberReader,
  bits: { readonly shift: number; readonly width: number },
): NumberReader {
  const mask = (1 << bits.width) - 1;
  return (data) => (whole(data) >> bits.shift) & mask;
}

/** A whole register is true unless it is 0. */
function compileBoolean(raw: NumberReader, point: PointDefinition, coding: NumberCoding): PointReader {
  const sentinels = sentinelsOf(point, coding);
  return (data) => {
    const value = raw(data);
    return sentinels.has(value) ? { sentinel: value } : { value: value !== 0, takenAt: null };
  };
}

function compileStates(
  raw: NumberReader,
  given: {
    readonly point: PointDefinition;
    readonly coding: NumberCoding;
    readonly states: readonly StateBand[];
  },
): PointReader {
  const { point, coding, states } = given;
  const sentinels = sentinelsOf(point, coding);
  return (data) => {
    const value = raw(data);
    if (sentinels.has(value)) return { sentinel: value };
    const state = states.find(({ from, to }) => value >= from && value <= to);
    if (state !== undefined) return { value: state.is, takenAt: null };
    const cause = new Error(
      `${value} lies in none of its states: check the register, or add a state to the profile`,
    );
    return { fault: new DeviceFault("malformed-reply", `read ${point.name}`, { cause }) };
  };
}

function compileNumberPoint(raw: NumberReader, point: PointDefinition, coding: NumberCoding): PointReader {
  const sentinels = sentinelsOf(point, coding);
  const toUnit = compileScale(point.scale);
  // Most points: an integer that always fits, without sentinels.
  if (sentinels.size === 0 && point.scale?.kind !== "dali-log" && coding !== "float32" && !isWide(coding)) {
    return (data) => ({ value: toUnit(raw(data)) ?? 0, takenAt: null });
  }
  return (data) => {
    const value = raw(data);
    if (sentinels.has(value) || !Number.isFinite(value)) return { sentinel: value };
    if (isWide(coding) && !Number.isSafeInteger(value)) return inexact(point, value);
    return sampleOf(value, toUnit, point);
  };
}

function sampleOf(raw: number, toUnit: ToUnit, point: PointDefinition): Sample {
  const value = toUnit(raw);
  if (value !== null) return { value, takenAt: null };
  const cause = new Error(`${raw} is no arc level 0 to 254: check the register and the scale of the profile`);
  return { fault: new DeviceFault("malformed-reply", `read ${point.name}`, { cause }) };
}

function inexact(point: PointDefinition, raw: number): Sample {
  const cause = new Error(
    `${raw} is beyond 2^53-1 and can not be held exactly: check wordOrder, or name the pattern a sentinel in the profile`,
  );
  return { fault: new DeviceFault("malformed-reply", `read ${point.name}`, { cause }) };
}

const isWide = (coding: NumberCoding): boolean => coding === "u64" || coding === "s64";

/** A profile may write the pattern of a signed number with its sign or without it: -1 or 0xFFFF. */
function sentinelsOf(point: PointDefinition, coding: NumberCoding): ReadonlySet<number> {
  const declared = point.sentinels ?? [];
  const all = new Set(coding === "float32" ? declared.map(Math.fround) : declared);
  if (point.scale?.kind === "dali-log") all.add(DALI_MASK);
  const bits = { s16: 16, s32: 32, s64: 64 }[String(coding)];
  if (bits === undefined) return all;
  for (const pattern of declared) if (pattern >= 2 ** (bits - 1)) all.add(pattern - 2 ** bits);
  return all;
}
