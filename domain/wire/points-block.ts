import { PointNumber } from "../ids.ts";
import { isBad, QUALITIES, QUALITY_CAUSES } from "../quality.ts";
import type { PointValue, StoredReading } from "../reading.ts";
import { type Instant, Millis } from "../time.ts";
import { WireError } from "./wire-error.ts";

/**
 * Readings as columns, for lanes B and C and for the state snapshot (there `stateVersion`s do not follow each other).
 * `storedAt` (`tMono`) is the time since the store opened at which the block was committed; `timeQuality` (`tq`) how
 * far its wall-clock times may be trusted.
 *
 * Layout, little-endian: layout version u8, flags u8 (1 source timestamps, 2 state versions, 4 wide times), time quality u8,
 * reserved u8, count u32, storedAt f64 ms, base time f64 ms, first state version f64, text bytes u32, reserved u32; columns: value
 * f64 × n, [source time f64 × n], [state version f64 × n], point u32 × n, gateway time i32 × n ms from base (f64 × n where one is more
 * than 24 days away: a clock that was just set, a value that never changed),
 * quality u8 × n, cause u8 × n, value type u8 × n; texts as one JSON array.
 */
export interface PointsBlock {
  readonly storedAt: Millis;
  readonly timeQuality: TimeQuality;
  /** 1 … 1,000. */
  readonly readings: readonly StoredReading[];
}

/** `synced`: set by NTP or the center; `holdover`: was, and runs on; `unset`: never was in this boot. */
export const TIME_QUALITIES = ["synced", "holdover", "unset"] as const;
export type TimeQuality = (typeof TIME_QUALITIES)[number];

const LAYOUT = 1;
const HEADER_BYTES = 40;
const HAS_SOURCE = 1;
const HAS_VERSIONS = 2;
const WIDE_TIMES = 4;
const QUALITY_CODES = new Map(QUALITIES.map((name, code) => [name as string, code]));
const CAUSE_CODES = new Map(QUALITY_CAUSES.map((name, code) => [name as string, code]));
const NO_VALUE = 0;
const NUMBER = 1;
const BOOLEAN = 2;
const TEXT = 3;
const I32_MAX = 2_147_483_647;

export function encodePointsBlock(block: PointsBlock): Uint8Array {
  const { readings } = block;
  const count = readings.length;
  const base = readings[0]?.gatewayTimestamp ?? 0;
  const firstVersion = readings[0]?.stateVersion ?? 0;
  const flags = flagsOf(readings, firstVersion, base);
  const texts: string[] = [];
  const columns = columnsOf(count, flags);
  const frame = Buffer.alloc(columns.end);
  for (let index = 0; index < count; index += 1) {
    const reading = readings[index];
    if (reading !== undefined) writeReading(frame, columns, { index, reading, base, texts });
  }
  const text = texts.length > 0 ? Buffer.from(JSON.stringify(texts)) : Buffer.alloc(0);
  frame[0] = LAYOUT;
  frame[1] = flags;
  frame[2] = TIME_QUALITIES.indexOf(block.timeQuality);
  frame.writeUInt32LE(count, 4);
  frame.writeDoubleLE(block.storedAt, 8);
  frame.writeDoubleLE(base, 16);
  frame.writeDoubleLE(firstVersion, 24);
  frame.writeUInt32LE(text.length, 32);
  return text.length > 0 ? Buffer.concat([frame, text]) : frame;
}

/** @throws {WireError} if lengths do not agree or a code is out of its table. */
export function decodePointsBlock(bytes: Uint8Array): PointsBlock {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length < HEADER_BYTES) throw new WireError("truncated", `points block of ${frame.length} bytes`);
  if (frame[0] !== LAYOUT) throw new WireError("unknown-version", `points block layout ${frame[0]}`);
  const flags = frame[1] ?? 0;
  const timeQuality = TIME_QUALITIES[frame[2] ?? 255];
  if (timeQuality === undefined) throw new WireError("bad-schema", `time quality code ${frame[2]}`);
  const count = frame.readUInt32LE(4);
  const textBytes = frame.readUInt32LE(32);
  const columns = columnsOf(count, flags);
  if (columns.end + textBytes !== frame.length) {
    throw new WireError("bad-length", `points block of ${frame.length} bytes for ${count} readings`);
  }
  const texts = parseTexts(frame.subarray(columns.end));
  const base = frame.readDoubleLE(16);
  const firstVersion = frame.readDoubleLE(24);
  const readings: StoredReading[] = [];
  for (let index = 0; index < count; index += 1) {
    readings.push(readReading(frame, columns, { index, base, firstVersion, texts }));
  }
  return { storedAt: Millis(frame.readDoubleLE(8)), timeQuality, readings };
}

interface Columns {
  readonly value: number;
  readonly source: number | null;
  readonly version: number | null;
  readonly point: number;
  readonly time: number;
  readonly timeWidth: 4 | 8;
  readonly quality: number;
  readonly cause: number;
  readonly type: number;
  readonly end: number;
}

function columnsOf(count: number, flags: number): Columns {
  let at = HEADER_BYTES;
  const take = (width: number): number => {
    const start = at;
    at += width * count;
    return start;
  };
  const value = take(8);
  const timeWidth = (flags & WIDE_TIMES) !== 0 ? 8 : 4;
  const source = (flags & HAS_SOURCE) !== 0 ? take(8) : null;
  const version = (flags & HAS_VERSIONS) !== 0 ? take(8) : null;
  return {
    value,
    source,
    version,
    point: take(4),
    timeWidth,
    time: take(timeWidth),
    quality: take(1),
    cause: take(1),
    type: take(1),
    end: at,
  };
}

function flagsOf(readings: readonly StoredReading[], firstVersion: number, base: number): number {
  let flags = 0;
  for (let index = 0; index < readings.length; index += 1) {
    if (readings[index]?.sourceTimestamp !== null) flags |= HAS_SOURCE;
    if (readings[index]?.stateVersion !== firstVersion + index) flags |= HAS_VERSIONS;
    if (Math.abs((readings[index]?.gatewayTimestamp ?? base) - base) > I32_MAX) flags |= WIDE_TIMES;
  }
  return flags;
}

function writeReading(
  frame: Buffer,
  columns: Columns,
  row: {
    readonly index: number;
    readonly reading: StoredReading;
    readonly base: number;
    readonly texts: string[];
  },
): void {
  const { index, reading, base, texts } = row;
  const type = typeOf(reading.value);
  frame[columns.type + index] = type;
  frame.writeDoubleLE(
    type === TEXT ? texts.push(String(reading.value)) - 1 : Number(reading.value ?? 0),
    columns.value + index * 8,
  );
  if (columns.source !== null)
    frame.writeDoubleLE(reading.sourceTimestamp ?? Number.NaN, columns.source + index * 8);
  if (columns.version !== null) frame.writeDoubleLE(reading.stateVersion, columns.version + index * 8);
  frame.writeUInt32LE(reading.point, columns.point + index * 4);
  const delta = Math.round(reading.gatewayTimestamp - base);
  if (columns.timeWidth === 8) frame.writeDoubleLE(delta, columns.time + index * 8);
  else frame.writeInt32LE(delta, columns.time + index * 4);
  frame[columns.quality + index] = QUALITY_CODES.get(reading.quality) ?? 0;
  frame[columns.cause + index] = CAUSE_CODES.get(reading.cause) ?? 0;
}

function readReading(
  frame: Buffer,
  columns: Columns,
  row: {
    readonly index: number;
    readonly base: number;
    readonly firstVersion: number;
    readonly texts: readonly string[];
  },
): StoredReading {
  const { index } = row;
  const quality = QUALITIES[frame[columns.quality + index] ?? 255];
  const cause = QUALITY_CAUSES[frame[columns.cause + index] ?? 255];
  if (quality === undefined || cause === undefined)
    throw new WireError("bad-schema", `reading ${index} has an unknown quality or cause`);
  const value = decodeValue(
    frame[columns.type + index] ?? 255,
    frame.readDoubleLE(columns.value + index * 8),
    row.texts,
  );
  if ((value === null) !== isBad(quality))
    throw new WireError("bad-schema", `reading ${index} has ${quality} with value ${value}`);
  const delta =
    columns.timeWidth === 8
      ? frame.readDoubleLE(columns.time + index * 8)
      : frame.readInt32LE(columns.time + index * 4);
  const source = columns.source === null ? Number.NaN : frame.readDoubleLE(columns.source + index * 8);
  const number = frame.readUInt32LE(columns.point + index * 4);
  if (number === 0) throw new WireError("bad-schema", `reading ${index} has point number 0`);
  return {
    point: PointNumber(number),
    value,
    quality,
    cause,
    gatewayTimestamp: (row.base + delta) as Instant,
    sourceTimestamp: Number.isNaN(source) ? null : (source as Instant),
    stateVersion:
      columns.version === null ? row.firstVersion + index : frame.readDoubleLE(columns.version + index * 8),
  };
}

function typeOf(value: PointValue | null): number {
  if (value === null) return NO_VALUE;
  if (typeof value === "number") return NUMBER;
  return typeof value === "boolean" ? BOOLEAN : TEXT;
}

function decodeValue(type: number, value: number, texts: readonly string[]): PointValue | null {
  switch (type) {
    case NO_VALUE:
      return null;
    case NUMBER:
      return value;
    case BOOLEAN:
      return value !== 0;
    case TEXT: {
      const text = texts[value];
      if (text === undefined) throw new WireError("bad-length", `text ${value} of ${texts.length}`);
      return text;
    }
    default:
      throw new WireError("bad-schema", `value type code ${type}`);
  }
}

function parseTexts(bytes: Buffer): readonly string[] {
  if (bytes.length === 0) return [];
  try {
    const parsed: unknown = JSON.parse(bytes.toString("utf8"));
    if (Array.isArray(parsed) && parsed.every((each) => typeof each === "string")) return parsed;
  } catch (cause) {
    throw new WireError("bad-schema", "texts of a points block", { cause });
  }
  throw new WireError("bad-schema", "texts of a points block");
}
