import {
  type DataType,
  type DataValue,
  DataType as Types,
  Variant,
  VariantArrayType,
} from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { Instant } from "../../domain/time.ts";
import type { Sample } from "../driver.ts";
import { compileScale, rawOf } from "../scale.ts";
import type { MethodArgument, NodeAddress, WrittenDataType } from "./opcua-address.ts";
import { judgeStatus } from "./status-quality.ts";

/** Makes a point's sample from what the server said of its variable. */
export type SampleReader = (data: DataValue) => Sample;

/** Longest text taken from a server, in characters: it goes into every message and row. */
const TEXT_MAX = 1_000;
/** A source timestamp before this was set by a clock that did not know better: the device keeps no time. */
const PLAUSIBLE_SINCE_MS = Date.UTC(1980, 0, 1);

/** Compiled once for a point, called for each of its values. */
export function compileReader(point: PointDefinition<NodeAddress>): SampleReader {
  const read = compileValue(point);
  return (data) => {
    const takenAt = takenAtOf(data);
    const verdict = judgeStatus(data.statusCode.value);
    if (verdict.kind === "unknown-node") return { fault: unknownNode(point, data.statusCode.name) };
    if (verdict.kind === "bad") return { bad: verdict.quality, takenAt };
    const value = read(partOf(plain(data.value), point.address));
    if (value instanceof Error)
      return { fault: new DeviceFault("malformed-reply", `read ${point.name}`, { cause: value }) };
    if (typeof value === "object") return value;
    return verdict.quality === "good" ? { value, takenAt } : { value, takenAt, quality: verdict.quality };
  };
}

/** The server has no such node, or will not show it. */
export function unknownNode(point: PointDefinition<NodeAddress>, status: string): DeviceFault {
  const { namespace, node } = point.address;
  const cause = new Error(
    `${status}: the server has no ${node} in ${namespace}: mend the address in the profile, or the unit address`,
  );
  return new DeviceFault("unknown-address", `read ${point.name}`, { cause });
}

/**
 * @throws {DeviceFault} `refused-by-device` where the type has no such value: the server would have to refuse it, so it
 * is not sent.
 */
export function encodeValue(point: PointDefinition<NodeAddress>, value: PointValue, label: string): Variant {
  const { dataType, names } = point.address;
  if (names !== undefined) return variantOf(dataType, numberOfName(names, value), label);
  if (point.type !== "number") return variantOf(dataType, value, label);
  const raw = typeof value === "number" ? rawOf(value, point.scale) : null;
  if (raw !== null && point.sentinels?.includes(raw) === true)
    throw refused(label, `${raw} means "no value" to the server`);
  return variantOf(dataType, raw, label);
}

/** The arguments of a method, those that the profile fixes and those given. @throws {DeviceFault} `refused-by-device` */
export function encodeArguments(
  declared: readonly MethodArgument[],
  given: readonly PointValue[],
  label: string,
): Variant[] {
  const open = declared.filter(({ value }) => value === undefined).length;
  if (open !== given.length) throw refused(label, `it takes ${open} arguments, ${given.length} were given`);
  const rest = given.values();
  return declared.map(({ dataType, names, value }) => {
    const taken = value ?? rest.next().value ?? null;
    return variantOf(dataType, names === undefined ? taken : numberOfName(names, taken), label);
  });
}

/** A method's first result, where it is one that a point could have. */
export function decodeResult(variant: Variant | undefined): PointValue | undefined {
  const value = variant === undefined ? undefined : plain(variant);
  return typeof value === "number" || typeof value === "boolean" || typeof value === "string"
    ? value
    : undefined;
}

type Plain = number | bigint | boolean | string | null | readonly Plain[];

/** The value of a variable without the library's clothes; `null` for what no point can show. */
function plain(variant: Variant): Plain {
  if (variant.value === null || variant.value === undefined) return null;
  if (variant.arrayType === VariantArrayType.Matrix) return null;
  if (variant.arrayType === VariantArrayType.Scalar) return scalar(variant.dataType, variant.value);
  return Array.from(variant.value as Iterable<unknown>, (item) => scalar(variant.dataType, item));
}

function scalar(type: DataType, value: unknown): Plain {
  if (type === Types.Int64 || type === Types.UInt64) return wide(type, value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") return value;
  return value instanceof Date ? value.toISOString() : textInside(value);
}

/** LocalizedText and QualifiedName. */
function textInside(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const text: unknown = Reflect.get(value, "text") ?? Reflect.get(value, "name");
  return typeof text === "string" ? text : null;
}

/** The library holds 64 bits as two halves, the high one first. */
function wide(type: DataType, value: unknown): Plain {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const whole = (BigInt(Number(value[0])) << 32n) | BigInt(Number(value[1]));
  return type === Types.Int64 ? BigInt.asIntN(64, whole) : whole;
}

function partOf(value: Plain, { element, bit }: NodeAddress): Plain {
  const picked = element === undefined ? value : Array.isArray(value) ? (value[element] ?? null) : null;
  if (bit === undefined) return picked;
  return typeof picked === "number" && Number.isInteger(picked)
    ? Math.floor(picked / 2 ** bit) % 2 !== 0
    : null;
}

type ValueReader = (value: Plain) => PointValue | { readonly sentinel: number } | Error;

function compileValue(point: PointDefinition<NodeAddress>): ValueReader {
  const { names } = point.address;
  switch (point.type) {
    case "number":
      return compileNumber(point);
    case "boolean":
      return (value) => {
        if (typeof value === "boolean") return value;
        return typeof value === "number" ? value !== 0 : unfit(value, "a boolean");
      };
    case "text":
      return names === undefined ? textOf : compileNames(names);
    case "action":
      return (value) => unfit(value, "an action, which has no value");
  }
}

/** 64-bit integers beyond ±(2^53-1) are no number that we could hold exactly: a pattern, or the wrong node. */
function compileNumber(point: PointDefinition): ValueReader {
  const sentinels = new Set(point.sentinels);
  const toUnit = compileScale(point.scale);
  return (value) => {
    const raw = typeof value === "bigint" ? Number(value) : value;
    if (typeof raw !== "number") return unfit(value, "a number");
    if (sentinels.has(raw) || !Number.isFinite(raw)) return { sentinel: raw };
    if (typeof value === "bigint" && !Number.isSafeInteger(raw)) return unfit(value, "a number up to 2^53-1");
    return toUnit(raw) ?? unfit(value, "a value that the scale of the profile has");
  };
}

function compileNames(names: Readonly<Record<string, number>>): ValueReader {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  return (value) => {
    const name = typeof value === "number" ? byNumber.get(value) : undefined;
    return (
      name ?? unfit(value, `one of the numbers that the profile names (${[...byNumber.keys()].join(", ")})`)
    );
  };
}

/** A list is its items with commas between: plans, active routes. */
function textOf(value: Plain): PointValue | Error {
  if (value === null) return unfit(value, "a text");
  const text = Array.isArray(value) ? value.map(String).join(",") : String(value);
  return text.length <= TEXT_MAX
    ? text
    : new Error(`the server gave a text of ${text.length} characters, at most ${TEXT_MAX} are taken`);
}

function unfit(value: Plain, expected: string): Error {
  const found = value === null ? "no such value" : String(value).slice(0, 50);
  return new Error(
    `the server gave ${found}, expected ${expected}: check the node and its type in the profile`,
  );
}

function takenAtOf({ sourceTimestamp }: DataValue): Instant | null {
  const ms = sourceTimestamp?.getTime() ?? Number.NaN;
  return ms >= PLAUSIBLE_SINCE_MS ? Instant(ms) : null;
}

const INTEGERS: Readonly<Partial<Record<WrittenDataType, readonly [min: number, max: number]>>> = {
  SByte: [-128, 127],
  Byte: [0, 255],
  Int16: [-32_768, 32_767],
  UInt16: [0, 65_535],
  Int32: [-2_147_483_648, 2_147_483_647],
  UInt32: [0, 4_294_967_295],
  Int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UInt64: [0, Number.MAX_SAFE_INTEGER],
};

function variantOf(dataType: WrittenDataType, value: PointValue | null, label: string): Variant {
  const wanted = { Boolean: "boolean", String: "string" }[String(dataType)] ?? "number";
  if (typeof value !== wanted || value === null || !isFiniteOrOther(value))
    throw refused(label, `${value} is no ${dataType}`);
  const limits = INTEGERS[dataType];
  return limits === undefined
    ? new Variant({ dataType, value })
    : integerVariant(dataType, { value: Number(value), limits, label });
}

/** Rounded to the nearest: read-back tells by how much. */
function integerVariant(
  dataType: WrittenDataType,
  {
    value,
    limits,
    label,
  }: { readonly value: number; readonly limits: readonly [number, number]; readonly label: string },
): Variant {
  const whole = Math.round(value);
  if (whole < limits[0] || whole > limits[1]) throw refused(label, `${whole} does not fit ${dataType}`);
  if (dataType !== "Int64" && dataType !== "UInt64") return new Variant({ dataType, value: whole });
  const bits = BigInt.asUintN(64, BigInt(whole));
  const halves = [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
  return new Variant({ dataType, arrayType: VariantArrayType.Scalar, value: halves });
}

function isFiniteOrOther(value: PointValue): boolean {
  return typeof value !== "number" || Number.isFinite(value);
}

function numberOfName(names: Readonly<Record<string, number>>, value: PointValue | null): number | null {
  return typeof value === "string" && Object.hasOwn(names, value) ? (names[value] ?? null) : null;
}

function refused(label: string, why: string): DeviceFault {
  return new DeviceFault("refused-by-device", label, { cause: new Error(`not sent: ${why}`) });
}
