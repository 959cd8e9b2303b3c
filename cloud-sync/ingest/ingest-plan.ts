import { addRange, missingFrom, type RangeSet, type SequenceRange } from "../../domain/lane.ts";
import type { StoredReading } from "../../domain/reading.ts";
import type { RangeOutcome } from "../../domain/wire/batch.ts";
import type { PointsBlock } from "../../domain/wire/points-block.ts";
import type { KnownPoint } from "../store/points/gateway-points.ts";
import type { EntryDigest } from "../store/tables/entry-digests.ts";
import type { PlacedEvent } from "../store/tables/events.ts";
import type { PlacedEvidence } from "../store/tables/evidence.ts";
import type { QuarantinedRecords } from "../store/tables/quarantine.ts";
import type { PlacedReading } from "../store/tables/readings.ts";
import type { TimeSample } from "../store/tables/time-samples.ts";
import type { BatchEntry } from "./decode-entries.ts";
import type { QuarantineCause } from "./quarantine-cause.ts";
import { isStorableReading } from "./storable.ts";
import { correctBlock, correctUptime } from "./time-map.ts";

/** What the center knows when a batch comes, all read in the transaction that will apply the plan. */
export interface IngestView {
  /** `history`: fills series, never current state (PROTOCOL §3). */
  readonly history: "history" | "live";
  /** The cursor of this incarnation and lane: the dedupe authority. */
  readonly held: RangeSet;
  readonly findPoint: (number: number) => KnownPoint | undefined;
  /** Stored entries that share a sequence with the batch. */
  readonly stored: readonly EntryDigest[];
  readonly timeSamples: readonly TimeSample[];
}

/** What one batch does to the center. Applied whole, in one transaction, or not at all. */
export interface IngestPlan {
  readonly readings: readonly PlacedReading[];
  /** The newest reading of each point, in no order; empty for history. */
  readonly states: readonly { readonly point: KnownPoint; readonly placed: PlacedReading }[];
  readonly events: readonly PlacedEvent[];
  readonly evidence: readonly PlacedEvidence[];
  readonly quarantined: readonly QuarantinedRecords[];
  /** Sequences that came with two contents: an alarm (I3). */
  readonly conflicts: RangeSet;
  readonly digests: readonly EntryDigest[];
  /** What the cursor gains: everything of the batch it did not hold. */
  readonly gained: RangeSet;
  readonly outcomes: readonly RangeOutcome[];
}

/** PROTOCOL §4 (c) to (f), without effects: the same view and entries give the same plan. */
export function planIngest(entries: readonly BatchEntry[], view: IngestView): IngestPlan {
  const draft = new PlanDraft(view);
  for (const entry of entries) {
    for (const range of entry.ranges) draft.take(entry, range);
  }
  return draft.plan();
}

type Fate =
  | { readonly outcome: "stored" | "duplicate" }
  | { readonly outcome: "quarantined"; readonly cause: QuarantineCause };

class PlanDraft {
  readonly #view: IngestView;
  #held: RangeSet;
  #gained: RangeSet = [];
  #conflicts: RangeSet = [];
  readonly #readings: PlacedReading[] = [];
  readonly #states = new Map<number, { readonly point: KnownPoint; readonly placed: PlacedReading }>();
  readonly #events: PlacedEvent[] = [];
  readonly #evidence: PlacedEvidence[] = [];
  readonly #quarantined: QuarantinedRecords[] = [];
  readonly #digests: EntryDigest[] = [];
  readonly #outcomes: RangeOutcome[] = [];

  constructor(view: IngestView) {
    this.#view = view;
    this.#held = view.held;
  }

  take(entry: BatchEntry, range: SequenceRange): void {
    const missing = missingFrom(this.#held, range);
    for (const known of missing.reduce<RangeSet>(
      (left, each) => left.flatMap((part) => missingFrom([each], part)),
      [range],
    )) {
      this.#takeKnown(entry, known);
    }
    if (missing.length === 0) return;
    for (const part of missing) this.#takeNew(entry, part, range.first);
    this.#held = addRange(this.#held, range);
    for (const part of missing) this.#gained = addRange(this.#gained, part);
    this.#digests.push({ range, digest: entry.digest });
  }

  plan(): IngestPlan {
    return {
      readings: this.#readings,
      states: [...this.#states.values()],
      events: this.#events,
      evidence: this.#evidence,
      quarantined: this.#quarantined,
      conflicts: this.#conflicts,
      digests: this.#digests,
      gained: this.#gained,
      outcomes: this.#outcomes,
    };
  }

  /** A repeat, unless its entry is not the one that was stored. A broken frame proves nothing: what came first stays. */
  #takeKnown(entry: BatchEntry, known: SequenceRange): void {
    const before = [...this.#view.stored, ...this.#digests].filter(({ range }) => overlaps(range, known));
    const differs = entry.content.kind !== "fault" && before.some((each) => each.digest !== entry.digest);
    if (!differs) {
      this.#tell(known, { outcome: "duplicate" });
      return;
    }
    this.#conflicts = addRange(this.#conflicts, known);
    this.#quarantine(entry, [known], "content-differs", "stored before with another content");
  }

  #takeNew(entry: BatchEntry, part: SequenceRange, first: number): void {
    const { content } = entry;
    switch (content.kind) {
      case "fault":
        this.#quarantine(entry, [part], content.cause, content.detail);
        return;
      case "points":
        this.#takeReadings(entry, content.block, { part, first });
        return;
      case "evidence":
        this.#evidence.push({
          sequence: part.first,
          record: content.record,
          hash: content.hash,
          corrected: correctUptime(this.#view.timeSamples, content.record.tMono),
        });
        this.#tell(part, { outcome: "stored" });
        return;
      case "event":
        this.#events.push({
          sequence: part.first,
          record: content.record,
          corrected: correctUptime(this.#view.timeSamples, content.record.tMono),
        });
        this.#tell(part, { outcome: "stored" });
    }
  }

  #takeReadings(
    entry: BatchEntry,
    block: PointsBlock,
    at: { readonly part: SequenceRange; readonly first: number },
  ): void {
    const walls = block.readings.map((reading) => reading.gatewayTimestamp);
    const correct = correctBlock({ ...block, walls }, this.#view.timeSamples);
    const bad = new Map<QuarantineCause, RangeSet>();
    for (let sequence = at.part.first; sequence < at.part.first + at.part.count; sequence += 1) {
      const reading = block.readings[sequence - at.first];
      if (reading === undefined) throw new RangeError(`no reading for sequence ${sequence}`);
      const point = this.#view.findPoint(reading.point);
      const cause = faultOfReading(reading, point);
      if (cause === null && point !== undefined) {
        this.#place(point, {
          pointNo: point.pointNo,
          sequence,
          reading,
          corrected: correct(reading.gatewayTimestamp),
        });
        this.#tell({ first: sequence, count: 1 }, { outcome: "stored" });
      } else {
        const why = cause ?? "unknown-point";
        bad.set(why, addRange(bad.get(why) ?? [], { first: sequence, count: 1 }));
        this.#tell({ first: sequence, count: 1 }, { outcome: "quarantined", cause: why });
      }
    }
    for (const [cause, ranges] of bad) {
      this.#quarantined.push({ ranges, cause, detail: "readings of a points block", bytes: entry.bytes });
    }
  }

  #place(point: KnownPoint, placed: PlacedReading): void {
    this.#readings.push(placed);
    if (this.#view.history === "history") return;
    const before = this.#states.get(point.pointNo);
    if (before !== undefined && before.placed.reading.stateVersion >= placed.reading.stateVersion) return;
    this.#states.set(point.pointNo, { point, placed });
  }

  #quarantine(entry: BatchEntry, ranges: RangeSet, cause: QuarantineCause, detail: string): void {
    this.#quarantined.push({ ranges, cause, detail, bytes: entry.bytes });
    for (const range of ranges) this.#tell(range, { outcome: "quarantined", cause });
  }

  /** Neighbours of one fate are told as one range. */
  #tell(range: SequenceRange, fate: Fate): void {
    const last = this.#outcomes.at(-1);
    const cause = fate.outcome === "quarantined" ? fate.cause : undefined;
    const lastCause = last?.outcome === "quarantined" ? last.cause : undefined;
    const joins =
      last !== undefined &&
      last.outcome === fate.outcome &&
      lastCause === cause &&
      last.first + last.count === range.first;
    if (joins) this.#outcomes.pop();
    const joined = joins ? { first: last.first, count: last.count + range.count } : range;
    this.#outcomes.push({ ...joined, ...fate });
  }
}

function overlaps(left: SequenceRange, right: SequenceRange): boolean {
  return left.first < right.first + right.count && right.first < left.first + left.count;
}

/** Why the reading can not be taken, or null. */
export function faultOfReading(
  reading: StoredReading,
  point: KnownPoint | undefined,
): QuarantineCause | null {
  if (point === undefined) return "unknown-point";
  if (!isStorableReading(reading)) return "not-storable";
  const { value } = reading;
  if (value === null || point.type === null || point.type === "action") return null;
  return (point.type === "text" ? "string" : point.type) === typeof value ? null : "wrong-type";
}
