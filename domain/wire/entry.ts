import { crc32 } from "node:zlib";
import { IncarnationId } from "../ids.ts";
import { LANES, type Lane, type SequenceRange } from "../lane.ts";
import { WIRE_SCHEMA } from "./schema-version.ts";
import { WireError } from "./wire-error.ts";

/**
 * One row of a lane: a single record (JSON body) or a columnar block of contiguous records. The frame is stored
 * and sent as the same bytes, so one CRC guards it from commit to the center's commit (I15).
 *
 * Layout, little-endian: magic u8, schema major u8, schema minor u8, lane u8 (1 A … 4 D), kind u8, reserved u8 × 3,
 * incarnation 16 bytes, first sequence u64, count u32, body length u32, body, CRC-32 of all before it u32.
 */
export interface Entry {
  readonly incarnation: IncarnationId;
  readonly lane: Lane;
  readonly range: SequenceRange;
  readonly kind: EntryKind;
  readonly body: Uint8Array;
}

/** `record`: one JSON record. `points`: a block of readings (`points-block.ts`). */
export type EntryKind = "record" | "points";

const MAGIC = 0x4e;
const HEADER_BYTES = 40;
const CRC_BYTES = 4;
/** Bytes of a frame beside its body. */
export const ENTRY_OVERHEAD_BYTES = HEADER_BYTES + CRC_BYTES;
/** A body is at most this long, uncompressed. */
export const ENTRY_BODY_MAX_BYTES = 256 * 1024;
/** Records of one entry: the limit of a batch. */
export const ENTRY_RECORDS_MAX = 1_000;
const KIND_CODES = { record: 1, points: 2 } as const satisfies Record<EntryKind, number>;

/** @throws {WireError} `too-large` for a body or count above the limits. */
export function encodeEntry(entry: Entry): Uint8Array {
  const { body, range } = entry;
  if (body.length > ENTRY_BODY_MAX_BYTES)
    throw new WireError("too-large", `entry body of ${body.length} bytes`);
  if (range.count < 1 || range.count > ENTRY_RECORDS_MAX)
    throw new WireError("too-large", `entry of ${range.count} records`);
  const frame = Buffer.allocUnsafe(ENTRY_OVERHEAD_BYTES + body.length);
  frame[0] = MAGIC;
  frame[1] = WIRE_SCHEMA.major;
  frame[2] = WIRE_SCHEMA.minor;
  frame[3] = LANES.indexOf(entry.lane) + 1;
  frame[4] = KIND_CODES[entry.kind];
  frame.fill(0, 5, 8);
  frame.write(entry.incarnation, 8, "hex");
  frame.writeBigUInt64LE(BigInt(range.first), 24);
  frame.writeUInt32LE(range.count, 32);
  frame.writeUInt32LE(body.length, 36);
  frame.set(body, HEADER_BYTES);
  frame.writeUInt32LE(crc32(frame.subarray(0, HEADER_BYTES + body.length)), HEADER_BYTES + body.length);
  return frame;
}

/** The bytes of the first frame in `bytes`, judged by its length only. @throws {WireError} */
export function entryFrameLength(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) throw new WireError("truncated", `entry header of ${bytes.length} bytes`);
  const view = asBuffer(bytes);
  if (view[0] !== MAGIC) throw new WireError("bad-length", "entry does not begin with its magic byte");
  const bodyLength = view.readUInt32LE(36);
  if (bodyLength > ENTRY_BODY_MAX_BYTES)
    throw new WireError("too-large", `entry body of ${bodyLength} bytes`);
  return ENTRY_OVERHEAD_BYTES + bodyLength;
}

/** Where the entry stands, without looking at the CRC or the body: what is needed to quarantine it. @throws {WireError} */
export function peekEntry(bytes: Uint8Array): Pick<Entry, "incarnation" | "lane" | "range"> {
  entryFrameLength(bytes);
  const view = asBuffer(bytes);
  const lane = LANES[(view[3] ?? 0) - 1];
  if (lane === undefined) throw new WireError("bad-schema", `entry lane code ${view[3]}`);
  const first = Number(view.readBigUInt64LE(24));
  const count = view.readUInt32LE(32);
  if (!Number.isSafeInteger(first + count) || first < 1)
    throw new WireError("bad-schema", `entry sequence ${first}`);
  if (count < 1 || count > ENTRY_RECORDS_MAX) throw new WireError("too-large", `entry of ${count} records`);
  return { incarnation: IncarnationId(view.toString("hex", 8, 24)), lane, range: { first, count } };
}

/** @throws {WireError} `truncated`, `bad-crc`, `unknown-version`, `unknown-kind`, … */
export function decodeEntry(bytes: Uint8Array): Entry {
  const length = entryFrameLength(bytes);
  if (bytes.length < length)
    throw new WireError("truncated", `entry frame of ${bytes.length} of ${length} bytes`);
  const view = asBuffer(bytes);
  const end = length - CRC_BYTES;
  if (crc32(view.subarray(0, end)) !== view.readUInt32LE(end)) throw new WireError("bad-crc", "entry");
  if (view[1] !== WIRE_SCHEMA.major)
    throw new WireError("unknown-version", `entry of schema ${view[1]}.${view[2]}`);
  const kind =
    view[4] === KIND_CODES.record ? "record" : view[4] === KIND_CODES.points ? "points" : undefined;
  if (kind === undefined) throw new WireError("unknown-kind", `entry kind code ${view[4]}`);
  return { ...peekEntry(view), kind, body: view.subarray(HEADER_BYTES, end) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
