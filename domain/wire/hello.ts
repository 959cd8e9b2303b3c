import { z } from "zod";
import { LANES } from "../lane.ts";
import { parseMessage } from "./parse-json.ts";
import { TIME_QUALITIES } from "./points-block.ts";

/**
 * HELLO (gateway → center, `POST /sync/v1/hello`) opens a sync session; WELCOME answers it. The session becomes
 * current only when the gateway first uses it, so a delayed HELLO can not displace a live one (PROTOCOL §2).
 */
const hex128 = z.string().regex(/^[0-9a-f]{32}$/);
const sessionText = z.string().regex(/^\d{1,15}\.\d{1,15}$/);
const sequence = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const lane = z.enum(LANES);
const range = z.object({
  first: sequence.min(1),
  count: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
});

const lineageEntry = z.looseObject({
  incarnation: hex128,
  /** null: the first of its store. */
  parent: hex128.nullable(),
  /** Highest sequence of each lane when this incarnation opened, as the parent left it. */
  parentLast: z.object({ A: sequence, B: sequence, C: sequence, D: sequence }),
  /** Gateway's wall clock at the opening, ms; may be wrong. */
  openedAt: z.number(),
});
/** One opening of the store; the list is oldest first. */
export type LineageEntry = Readonly<z.infer<typeof lineageEntry>>;

const hello = z.looseObject({
  schema: z.string().regex(/^\d+\.\d+$/),
  software: z.string().max(100),
  incarnation: hex128,
  lineage: z.array(lineageEntry).min(1).max(10_000),
  lanes: z
    .array(z.looseObject({ incarnation: hex128, lane, lowestRetained: sequence, highestWritten: sequence }))
    .max(40_000),
  /** SHA-256 of the acknowledged ranges as the gateway knows them, hexadecimal. */
  acknowledgedDigest: z.string().regex(/^[0-9a-f]{64}$/),
  highestSession: sessionText.nullable(),
  lastSafeTimeMs: z.number(),
  nowMs: z.number(),
  /** Ms since the store opened. */
  uptimeMs: z.number(),
  timeQuality: z.enum(TIME_QUALITIES),
  capabilities: z.looseObject({
    commands: z.array(z.string().max(64)).max(100),
    codecs: z.array(z.enum(["zstd", "gzip", "none"])).min(1),
  }),
  backlog: z.object({ A: sequence, B: sequence, C: sequence, D: sequence }),
  disk: z.looseObject({ usedBytes: z.number(), quotaBytes: z.number(), state: z.string().max(32) }),
  /** 128-bit, answered under the center's signature: proof that WELCOME's time is fresh. */
  nonce: hex128,
  catalogueHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Hello = z.infer<typeof hello>;

const welcome = z.looseObject({
  session: sessionText,
  cursors: z
    .array(z.looseObject({ incarnation: hex128, lane, ranges: z.array(range).max(100_000) }))
    .max(40_000),
  /** Unacknowledged batches allowed at once. */
  credits: z.number().int().min(1).max(64),
  centerTimeMs: z.number(),
  /** Ed25519 by the center over `welcomeSignedBytes`, base64. */
  timeSignature: z.string().max(200),
  /** What the center holds; null: none. */
  catalogueHash: z.string().nullable(),
  codecs: z.array(z.enum(["zstd", "gzip", "none"])).min(1),
});
export type Welcome = z.infer<typeof welcome>;

/** @throws {WireError} with the pointer of the first thing wrong. */
export function parseHello(data: unknown): Hello {
  return parseMessage("HELLO", hello, data);
}

/** @throws {WireError} with the pointer of the first thing wrong. */
export function parseWelcome(data: unknown): Welcome {
  return parseMessage("WELCOME", welcome, data);
}

/** What the center signs so that a gateway without a clock may take its time. */
export function welcomeSignedBytes(nonce: string, centerTimeMs: number): Uint8Array {
  return Buffer.from(`nerve-time:v1:${nonce}:${centerTimeMs}`);
}
