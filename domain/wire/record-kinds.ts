import { z } from "zod";
import type { CommandState } from "../command.ts";
import { ARGUMENTS_MAX } from "../point.ts";
import { TIME_QUALITIES } from "./points-block.ts";
import { WireError } from "./wire-error.ts";

/**
 * Bodies of single records: JSON, UTF-8. An unknown optional field is kept; an unknown kind is quarantined by the
 * center, never refused (PROTOCOL §7).
 */
const pointValue = z.union([z.number(), z.boolean(), z.string().max(4_096)]);
const stamp = {
  /** Gateway's wall clock, ms since 1970. */
  tWall: z.number(),
  /** Ms since the store opened. */
  tMono: z.number(),
  tq: z.enum(TIME_QUALITIES),
};
const commandState = z.looseObject({ name: z.string().max(32) });

/** What lane A holds: written by `control`, `site` and the supervisor; told first, never dropped. */
const evidenceBody = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("command"),
    commandId: z.string(),
    pointId: z.string(),
    value: pointValue,
    /** What the action is run with, in the order of its definition; absent: none. */
    args: z.array(pointValue).max(ARGUMENTS_MAX).exactOptional(),
    commandClass: z.enum(["K0", "K1", "K2", "K3"]),
    origin: z.enum(["center", "local"]),
    issuedBy: z.string().max(200),
    /** Sync session in which it was judged; null for a local command. */
    session: z.string().nullable(),
    state: commandState,
  }),
  z.looseObject({
    kind: z.literal("audit"),
    /** `gateway-started`, `gateway-stopped`, `configuration-loaded`, `link-up`, `store-set-aside`, … */
    action: z.string().max(64),
    actor: z.string().max(200),
    detail: z.string().max(4_096),
  }),
]);
export type EvidenceBody =
  | {
      readonly kind: "command";
      readonly commandId: string;
      readonly pointId: string;
      readonly value: number | boolean | string;
      readonly args?: readonly (number | boolean | string)[];
      readonly commandClass: "K0" | "K1" | "K2" | "K3";
      readonly origin: "center" | "local";
      readonly issuedBy: string;
      readonly session: string | null;
      readonly state: CommandState;
    }
  | { readonly kind: "audit"; readonly action: string; readonly actor: string; readonly detail: string };

const evidenceRecord = z.looseObject({
  ...stamp,
  /** SHA-256 of the previous lane A record's JSON, hexadecimal; 64 zeros for the first of a store. */
  previousHash: z.string().regex(/^[0-9a-f]{64}$/),
  body: evidenceBody,
});
export interface EvidenceRecord {
  readonly tWall: number;
  readonly tMono: number;
  readonly tq: (typeof TIME_QUALITIES)[number];
  readonly previousHash: string;
  readonly body: EvidenceBody;
}

/** What lanes B and D hold beside readings. */
const eventBody = z.discriminatedUnion("kind", [
  /** Records that will never be told, and why (I2, I14). `until` null: open-ended, the store was lost. */
  z.looseObject({
    kind: z.literal("gap"),
    lane: z.enum(["A", "B", "C", "D"]),
    incarnation: z.string(),
    first: z.number().int().min(1),
    count: z.number().int().min(1).nullable(),
    reason: z.string().max(200),
  }),
  z.looseObject({
    kind: z.literal("link"),
    state: z.enum(["up", "degraded", "down"]),
    detail: z.string().max(1_000),
  }),
  z.looseObject({
    kind: z.literal("alarm"),
    name: z.string().max(64),
    active: z.boolean(),
    severity: z.enum(["low", "medium", "high"]),
    subject: z.string().max(200),
    detail: z.string().max(1_000),
  }),
  z.looseObject({ kind: z.literal("diagnostic"), name: z.string().max(64), detail: z.string().max(4_096) }),
]);
export type EventBody =
  | {
      readonly kind: "gap";
      readonly lane: "A" | "B" | "C" | "D";
      readonly incarnation: string;
      readonly first: number;
      readonly count: number | null;
      readonly reason: string;
    }
  | { readonly kind: "link"; readonly state: "up" | "degraded" | "down"; readonly detail: string }
  | {
      readonly kind: "alarm";
      readonly name: string;
      readonly active: boolean;
      readonly severity: "low" | "medium" | "high";
      readonly subject: string;
      readonly detail: string;
    }
  | { readonly kind: "diagnostic"; readonly name: string; readonly detail: string };

const eventRecord = z.looseObject({ ...stamp, body: eventBody });
export interface EventRecord {
  readonly tWall: number;
  readonly tMono: number;
  readonly tq: (typeof TIME_QUALITIES)[number];
  readonly body: EventBody;
}

export function encodeEvidenceRecord(record: EvidenceRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** @throws {WireError} `bad-schema`, or `unknown-kind` for a body kind of a newer schema. */
export function decodeEvidenceRecord(bytes: Uint8Array): EvidenceRecord {
  return parseRecord(bytes, evidenceRecord, ["command", "audit"]) as EvidenceRecord;
}

export function encodeEventRecord(record: EventRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** @throws {WireError} `bad-schema`, or `unknown-kind` for a body kind of a newer schema. */
export function decodeEventRecord(bytes: Uint8Array): EventRecord {
  return parseRecord(bytes, eventRecord, ["gap", "link", "alarm", "diagnostic"]) as EventRecord;
}

function parseRecord(bytes: Uint8Array, schema: z.ZodType, kinds: readonly string[]): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new WireError("bad-schema", "record body is not JSON", { cause });
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  const kind = (parsed as { body?: { kind?: unknown } } | null)?.body?.kind;
  if (typeof kind === "string" && !kinds.includes(kind))
    throw new WireError("unknown-kind", `record kind ${JSON.stringify(kind)}`);
  const issue = result.error.issues[0];
  throw new WireError(
    "bad-schema",
    `record at /${issue?.path.join("/") ?? ""}: ${issue?.message ?? "unreadable"}`,
  );
}
