import { createHash } from "node:crypto";
import { addRange, coversRange, missingFrom, type RangeSet, type SequenceRange } from "../../domain/lane.ts";
import type { BatchHeader } from "../../domain/wire/batch.ts";
import { decodeEntry, type Entry, peekEntry } from "../../domain/wire/entry.ts";
import { decodePointsBlock, type PointsBlock } from "../../domain/wire/points-block.ts";
import {
  decodeEventRecord,
  decodeEvidenceRecord,
  type EventRecord,
  type EvidenceRecord,
} from "../../domain/wire/record-kinds.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import type { QuarantineCause } from "./quarantine-cause.ts";
import { isStorableRecord } from "./storable.ts";

/** One entry of a batch, judged by itself: what it says, or why it can not be taken. */
export interface BatchEntry {
  /** One range, but for a broken frame that can not say where it stands: then all that nothing else answers for. */
  readonly ranges: RangeSet;
  readonly bytes: Uint8Array;
  /** First 16 bytes of SHA-256 of the frame, hexadecimal. */
  readonly digest: string;
  readonly content: EntryContent;
}
export type EntryContent =
  | { readonly kind: "points"; readonly block: PointsBlock }
  | { readonly kind: "evidence"; readonly record: EvidenceRecord; readonly hash: string }
  | { readonly kind: "event"; readonly record: EventRecord }
  | { readonly kind: "fault"; readonly cause: QuarantineCause; readonly detail: string };

/**
 * Judges every frame by itself, so that a poisoned one costs only its own records (I12). The header says which
 * sequences the batch is about: a frame whose checksum is wrong is not believed where it stands unless that
 * agrees, or a flipped bit could consume the id of a record that never came (I2).
 * @throws {WireError} `bad-length` when header and frames contradict each other: then nothing is stored.
 */
export function decodeEntries(header: BatchHeader, frames: readonly Uint8Array[]): readonly BatchEntry[] {
  let open: RangeSet = header.ranges.reduce<RangeSet>(addRange, []);
  const take = (range: SequenceRange): void => {
    open = open.flatMap((each) => missingFrom([range], each));
  };
  const sound = frames.map((frame) => soundEntry(header, frame));
  for (const each of sound) {
    if (each === undefined) continue;
    if (!header.ranges.some((range) => coversRange([range], each.range)) && !coversRange(open, each.range)) {
      throw new WireError("bad-length", `entry ${each.range.first} is not in the ranges of its batch`);
    }
    take(each.range);
  }
  const places = frames.map((frame, index): RangeSet => {
    const entry = sound[index];
    if (entry !== undefined) return [entry.range];
    const told = peekRange(frame);
    if (told === undefined || !coversRange(open, told)) return [];
    take(told);
    return [told];
  });
  // A broken frame may also tell a shorter place than it had: then one of the broken answers for what is left.
  const homeless = places.findIndex((place) => place.length === 0);
  const heir = homeless >= 0 ? homeless : sound.lastIndexOf(undefined);
  if (heir < 0 && open.length > 0) {
    throw new WireError("bad-length", `no entry for sequence ${open[0]?.first} of the batch's ranges`);
  }
  return frames.map((bytes, index) => {
    const entry = sound[index];
    const own = places[index] ?? [];
    const ranges = index === heir ? open.reduce<RangeSet>(addRange, own) : own;
    const content = entry === undefined ? faultOf(() => brokenFrame(header, bytes)) : contentOf(entry);
    return { ranges, bytes, digest: digestOf(bytes), content };
  });
}

/** The entry, if its checksum holds and it belongs to the batch's lane and incarnation. */
function soundEntry(header: BatchHeader, frame: Uint8Array): Entry | undefined {
  try {
    const entry = decodeEntry(frame);
    return isOfBatch(header, entry) ? entry : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function isOfBatch(header: BatchHeader, entry: Pick<Entry, "incarnation" | "lane">): boolean {
  return entry.lane === header.lane && entry.incarnation === header.incarnation;
}

function peekRange(frame: Uint8Array): SequenceRange | undefined {
  try {
    return peekEntry(frame).range;
  } catch {
    return undefined;
  }
}

/** Says what is wrong with a frame that is not sound. */
function brokenFrame(header: BatchHeader, frame: Uint8Array): never {
  const entry = decodeEntry(frame);
  throw new WireError(
    "bad-schema",
    `entry of lane ${entry.lane} and incarnation ${entry.incarnation} in a batch of lane ${header.lane}`,
  );
}

function contentOf(entry: Entry): EntryContent {
  return faultOf(() => (entry.kind === "points" ? pointsOf(entry) : recordOf(entry)));
}

function pointsOf(entry: Entry): EntryContent {
  if (entry.lane !== "B" && entry.lane !== "C") {
    throw new WireError("bad-schema", `points block in lane ${entry.lane}`);
  }
  const block = decodePointsBlock(entry.body);
  if (block.readings.length !== entry.range.count) {
    throw new WireError("bad-length", `${block.readings.length} readings for ${entry.range.count} sequences`);
  }
  return { kind: "points", block };
}

function recordOf(entry: Entry): EntryContent {
  if (entry.range.count !== 1) throw new WireError("bad-length", `record of ${entry.range.count} sequences`);
  if (entry.lane === "C") throw new WireError("bad-schema", "single record in lane C");
  const content: EntryContent =
    entry.lane === "A"
      ? { kind: "evidence", record: decodeEvidenceRecord(entry.body), hash: sha256(entry.body) }
      : { kind: "event", record: decodeEventRecord(entry.body) };
  const storable = isStorableRecord(content.record);
  return storable
    ? content
    : { kind: "fault", cause: "not-storable", detail: "a text or a time that the database can not hold" };
}

function faultOf(work: () => EntryContent): EntryContent {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { kind: "fault", cause: error.code, detail: error.message };
  }
}

function digestOf(bytes: Uint8Array): string {
  return sha256(bytes).slice(0, 32);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
