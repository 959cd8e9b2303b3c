import { END_STATES } from "../../domain/command.ts";
import type { StoredReading } from "../../domain/reading.ts";
import type { EventRecord, EvidenceRecord } from "../../domain/wire/record-kinds.ts";

/** 0001-01-01 and 9999-12-31: what PostgreSQL and every reader after it can hold. */
const TIME_MIN_MS = -62_135_596_800_000;
const TIME_MAX_MS = 253_402_300_799_999;

/** PROTOCOL §2. */
const DEPTH_MAX = 32;

/** Whether PostgreSQL can hold it: a record that it refuses would come again for ever. */
export function isStorableReading(reading: StoredReading): boolean {
  const { value, gatewayTimestamp, sourceTimestamp, stateVersion } = reading;
  if (!isStorableTime(gatewayTimestamp)) return false;
  if (sourceTimestamp !== null && !isStorableTime(sourceTimestamp)) return false;
  if (!Number.isSafeInteger(stateVersion) || stateVersion < 0) return false;
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "string" || isStorableText(value);
}

const COMMAND_STATES = new Set<string>([
  "draft",
  "awaiting-approval",
  "authorized",
  "queued",
  "sent",
  "outcome-pending",
  "selected",
  "executing",
  ...END_STATES,
]);

export function isStorableRecord(record: EvidenceRecord | EventRecord): boolean {
  if (!isStorableTime(record.tWall) || !Number.isFinite(record.tMono)) return false;
  if (record.body.kind === "command" && !COMMAND_STATES.has(record.body.state.name)) return false;
  return everyText(record, DEPTH_MAX);
}

export function isStorableTime(epochMs: number): boolean {
  return epochMs >= TIME_MIN_MS && epochMs <= TIME_MAX_MS;
}

/** PostgreSQL holds neither U+0000 nor half a surrogate pair. */
function isStorableText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function everyText(value: unknown, depth: number): boolean {
  if (typeof value === "string") return isStorableText(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(([key, each]) => isStorableText(key) && everyText(each, depth - 1));
}
