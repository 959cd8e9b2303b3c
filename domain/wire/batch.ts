import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import { LANES } from "../lane.ts";
import { ENTRY_RECORDS_MAX, entryFrameLength } from "./entry.ts";
import { parseMessage } from "./parse-json.ts";
import { WireError } from "./wire-error.ts";

/**
 * A batch (gateway → center, `POST /sync/v1/batch`) carries entries of one lane; a snapshot part
 * (`POST /sync/v1/snapshot`) carries one points block with the state of many points. Both are: header length u32 LE,
 * header JSON, body. The uncompressed size is told, and checked before inflating.
 */
export const BATCH_BODY_MAX_BYTES = 1024 * 1024;
const HEADER_MAX_BYTES = 64 * 1024;
export const BATCH_CONTENT_TYPE = "application/vnd.nerve.batch";
export const CODECS = ["zstd", "gzip", "none"] as const;
export type Codec = (typeof CODECS)[number];

const sequence = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const batchHeader = z.object({
  session: z.string().max(31),
  lane: z.enum(LANES),
  incarnation: z.string().regex(/^[0-9a-f]{32}$/),
  ranges: z
    .array(z.object({ first: sequence, count: z.number().int().min(1).max(ENTRY_RECORDS_MAX) }))
    .min(1)
    .max(ENTRY_RECORDS_MAX),
  /** `hist=1` of PROTOCOL §3: fills series, never the current value. */
  history: z.boolean(),
  codec: z.enum(CODECS),
  sizeBytes: z.number().int().min(1).max(BATCH_BODY_MAX_BYTES),
});
export type BatchHeader = z.infer<typeof batchHeader>;

const snapshotHeader = z.object({
  session: z.string().max(31),
  incarnation: z.string().regex(/^[0-9a-f]{32}$/),
  /** From 1; the snapshot is whole when all `parts` have come. */
  part: z.number().int().min(1).max(10_000),
  parts: z.number().int().min(1).max(10_000),
  codec: z.enum(CODECS),
  sizeBytes: z.number().int().min(1).max(BATCH_BODY_MAX_BYTES),
});
export type SnapshotHeader = z.infer<typeof snapshotHeader>;

/** What became of each range of a batch. */
export type RangeOutcome =
  | { readonly first: number; readonly count: number; readonly outcome: "stored" | "duplicate" }
  | {
      readonly first: number;
      readonly count: number;
      readonly outcome: "quarantined";
      readonly cause: string;
    };

/** A batch is refused whole only for these; nothing of it was stored (PROTOCOL §4). */
export const REFUSALS = [
  "authentication",
  "fence",
  "rehello",
  "codec",
  "size",
  "unknown-catalogue",
  "overloaded",
] as const;
export type Refusal = (typeof REFUSALS)[number];

const batchAnswer = z.union([
  z.looseObject({
    outcomes: z.array(
      z.looseObject({
        first: sequence,
        count: z.number().int().min(1),
        outcome: z.enum(["stored", "duplicate", "quarantined"]),
        cause: z.string().max(200).optional(),
      }),
    ),
  }),
  z.looseObject({ refusal: z.enum(REFUSALS), detail: z.string().max(1_000) }),
]);
export type BatchAnswer =
  | { readonly outcomes: readonly RangeOutcome[] }
  | { readonly refusal: Refusal; readonly detail: string };

/** @throws {WireError} */
export function parseBatchAnswer(data: unknown): BatchAnswer {
  return parseMessage("batch answer", batchAnswer, data) as BatchAnswer;
}

/** Header without `codec` and `sizeBytes`, which come from the body. */
export function encodeBatch(
  header: Omit<BatchHeader, "codec" | "sizeBytes">,
  frames: readonly Uint8Array[],
  codec: Codec,
): Uint8Array {
  return pack(header, Buffer.concat(frames), codec);
}

/**
 * Frames are told apart by their lengths only. Where a damaged one hides where it ends, all that is left stands as
 * one last frame: what came before it is not lost with it (I12).
 * @throws {WireError} `too-large`, `bad-codec`, `bad-length`, `bad-schema`: the whole batch is refused.
 */
export function decodeBatch(bytes: Uint8Array): {
  readonly header: BatchHeader;
  readonly frames: readonly Uint8Array[];
} {
  const { header, body } = unpack("batch", batchHeader, bytes);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    const rest = body.subarray(at);
    const length = Math.min(findFrameLength(rest) ?? rest.length, rest.length);
    if (frames.push(rest.subarray(0, length)) > ENTRY_RECORDS_MAX)
      throw new WireError("too-large", "entries of a batch");
    at += length;
  }
  return { header, frames };
}

function findFrameLength(bytes: Uint8Array): number | undefined {
  try {
    return entryFrameLength(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

export function encodeSnapshotPart(
  header: Omit<SnapshotHeader, "codec" | "sizeBytes">,
  block: Uint8Array,
  codec: Codec,
): Uint8Array {
  return pack(header, Buffer.from(block.buffer, block.byteOffset, block.byteLength), codec);
}

/** @throws {WireError} */
export function decodeSnapshotPart(bytes: Uint8Array): {
  readonly header: SnapshotHeader;
  readonly block: Uint8Array;
} {
  const { header, body } = unpack("snapshot", snapshotHeader, bytes);
  return { header, block: body };
}

function pack(header: object, body: Buffer, codec: Codec): Uint8Array {
  const head = Buffer.from(JSON.stringify({ ...header, codec, sizeBytes: body.length }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, compress(body, codec)]);
}

function unpack<Schema extends z.ZodType<{ codec: Codec; sizeBytes: number }>>(
  what: string,
  schema: Schema,
  bytes: Uint8Array,
): { readonly header: z.infer<Schema>; readonly body: Buffer } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 4) throw new WireError("truncated", what);
  const headerLength = view.readUInt32LE(0);
  if (headerLength > HEADER_MAX_BYTES || 4 + headerLength > view.length)
    throw new WireError("bad-length", `${what} header`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(view.toString("utf8", 4, 4 + headerLength));
  } catch (cause) {
    throw new WireError("bad-schema", `${what} header is not JSON`, { cause });
  }
  const header = parseMessage(`${what} header`, schema, parsed);
  const body = inflate(view.subarray(4 + headerLength), header.codec, header.sizeBytes);
  if (body.length !== header.sizeBytes)
    throw new WireError("bad-length", `${what} body of ${body.length}, told ${header.sizeBytes}`);
  return { header, body };
}

function compress(body: Buffer, codec: Codec): Buffer {
  if (codec === "zstd") return zstdCompressSync(body);
  return codec === "gzip" ? gzipSync(body, { level: 1 }) : body;
}

function inflate(body: Buffer, codec: Codec, sizeBytes: number): Buffer {
  try {
    if (codec === "zstd") return zstdDecompressSync(body, { maxOutputLength: sizeBytes });
    return codec === "gzip" ? gunzipSync(body, { maxOutputLength: sizeBytes }) : body;
  } catch (cause) {
    throw new WireError("bad-codec", `${codec} body`, { cause });
  }
}
