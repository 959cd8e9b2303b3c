import type { IncarnationId } from "../../domain/ids.ts";
import type { SequenceRange, TelemetryLane } from "../../domain/lane.ts";
import { QUALITIES, QUALITY_CAUSES, type Quality, type QualityCause } from "../../domain/quality.ts";
import type { PointChange, StoredReading } from "../../domain/reading.ts";
import { Millis } from "../../domain/time.ts";
import { ENTRY_RECORDS_MAX } from "../../domain/wire/entry.ts";
import { encodePointsBlock, type PointsBlock } from "../../domain/wire/points-block.ts";
import { type EventBody, encodeEventRecord } from "../../domain/wire/record-kinds.ts";
import type { Stamp } from "./evidence-log.ts";
import type { TakenTelemetry, WaitingEvent } from "./waiting-telemetry.ts";
import type { GroupEntry } from "./writing/telemetry-writer.ts";

const MINUTE_MS = 60_000;
/** Longest text of a record (`record-kinds.ts`); the rest is cut off. */
const TEXT_MAX = 4_096;
/** JSON of the texts of one block, well below the 256 KiB of an entry's body. */
const BLOCK_TEXT_BYTES_MAX = 128 * 1024;

/** What a field host sent has a text of its own in each reading; what is kept has the one of the list. */
const QUALITY_WORDS: ReadonlyMap<Quality, Quality> = new Map(QUALITIES.map((word) => [word, word]));
const CAUSE_WORDS: ReadonlyMap<QualityCause, QualityCause> = new Map(
  QUALITY_CAUSES.map((word) => [word, word]),
);

export interface BuiltGroup {
  readonly entries: readonly GroupEntry[];
  /** In the order of their state versions. */
  readonly readings: readonly StoredReading[];
  /** Sequences that were given to nothing but a declared gap. */
  readonly gaps: readonly { readonly lane: TelemetryLane; readonly range: SequenceRange }[];
  /** Sequences of what was told again. */
  readonly retold: readonly { readonly lane: TelemetryLane; readonly range: SequenceRange }[];
}

/** Readings whose old records give way in the same group; they keep their state versions and move no state. */
export interface Retold {
  readonly lane: "B" | "C";
  readonly blocks: readonly PointsBlock[];
}

/** Gives lane, sequence and state version to what waits. The only place where a telemetry sequence is made. */
export class GroupBuilder {
  readonly #incarnation: IncarnationId;
  readonly #highest: Record<TelemetryLane, number> = { B: 0, C: 0, D: 0 };
  /** Quality of each point's last reading as its place in QUALITIES, by point number. */
  readonly #qualities: (number | undefined)[] = [];
  /** Group in which a point last had a reading in lane C, by point number. */
  readonly #lastInC: number[] = [];
  #group = 0;
  #stateVersion: number;

  constructor(incarnation: IncarnationId, latest: Iterable<StoredReading>, stateVersion: number) {
    this.#incarnation = incarnation;
    this.#stateVersion = stateVersion;
    for (const reading of latest) this.#qualities[reading.point] = QUALITIES.indexOf(reading.quality);
  }

  get stateVersion(): number {
    return this.#stateVersion;
  }

  /** Highest sequences given so far. */
  get highest(): Readonly<Record<TelemetryLane, number>> {
    return { ...this.#highest };
  }

  build(input: TakenTelemetry, again: readonly Retold[], stamp: Stamp): BuiltGroup {
    this.#group += 1;
    const entries: GroupEntry[] = [];
    const gaps = this.#declareDropped(input.dropped, stamp, entries);
    const retold = again.flatMap((each) => this.#retell(each, entries));
    const split = this.#split(input.changes);
    const time = { storedAt: Millis(stamp.tMono), timeQuality: stamp.tq };
    for (const readings of cutBlocks(split.B)) entries.push(this.#blockEntry("B", { ...time, readings }));
    for (const readings of cutBlocks(split.C)) entries.push(this.#blockEntry("C", { ...time, readings }));
    for (const event of input.events) entries.push(this.#eventEntry(event, stamp));
    return { entries, readings: split.ordered, gaps, retold };
  }

  #retell({ lane, blocks }: Retold, entries: GroupEntry[]): BuiltGroup["retold"] {
    const told = blocks.map((block) => this.#blockEntry(lane, block));
    entries.push(...told);
    return told.map(({ first, count }) => ({ lane, range: { first, count } }));
  }

  #declareDropped(
    dropped: TakenTelemetry["dropped"],
    stamp: Stamp,
    entries: GroupEntry[],
  ): BuiltGroup["gaps"] {
    const gaps: { lane: TelemetryLane; range: SequenceRange }[] = [];
    for (const lane of ["B", "C", "D"] as const) {
      const count = dropped[lane];
      if (count === 0) continue;
      const first = this.#take(lane, count);
      gaps.push({ lane, range: { first, count } });
      const reason = "given up while the disk could not keep up";
      const body: EventBody = { kind: "gap", lane, incarnation: this.#incarnation, first, count, reason };
      entries.push(this.#eventEntry({ lane: "B", body, tWall: stamp.tWall }, stamp));
    }
    return gaps;
  }

  /**
   * Lane of each reading, then its state version. Lane B's come first, so that the versions of both blocks are
   * contiguous and cost no column, unless a point would thereby see its own readings in the wrong order.
   */
  #split(changes: readonly PointChange[]): {
    readonly B: readonly StoredReading[];
    readonly C: readonly StoredReading[];
    readonly ordered: readonly StoredReading[];
  } {
    const inB = new Uint8Array(changes.length);
    let orderMatters = false;
    changes.forEach((change, index) => {
      const { point, value } = change;
      const quality = QUALITIES.indexOf(change.quality);
      if (typeof value === "number" && this.#qualities[point] === quality) {
        this.#lastInC[point] = this.#group;
      } else {
        orderMatters ||= this.#lastInC[point] === this.#group;
        this.#qualities[point] = quality;
        inB[index] = 1;
      }
    });
    if (orderMatters) {
      const ordered = changes.map((change) => this.#store(change));
      return {
        B: ordered.filter((_, at) => inB[at] === 1),
        C: ordered.filter((_, at) => inB[at] === 0),
        ordered,
      };
    }
    const B = changes.filter((_, at) => inB[at] === 1).map((change) => this.#store(change));
    const rest = B.length === 0 ? changes : changes.filter((_, at) => inB[at] === 0);
    const C = rest.map((change) => this.#store(change));
    return { B, C, ordered: B.length === 0 ? C : [...B, ...C] };
  }

  #store(change: PointChange): StoredReading {
    this.#stateVersion += 1;
    const { value } = change;
    return {
      point: change.point,
      value: typeof value === "string" && value.length > TEXT_MAX ? value.slice(0, TEXT_MAX) : value,
      quality: QUALITY_WORDS.get(change.quality) ?? change.quality,
      cause: CAUSE_WORDS.get(change.cause) ?? change.cause,
      gatewayTimestamp: change.gatewayTimestamp,
      sourceTimestamp: change.sourceTimestamp,
      stateVersion: this.#stateVersion,
    };
  }

  #blockEntry(lane: "B" | "C", block: PointsBlock): GroupEntry {
    const { readings } = block;
    const body = encodePointsBlock(block);
    const first = this.#take(lane, readings.length);
    return {
      lane,
      first,
      count: readings.length,
      kind: "points",
      body,
      minute: minuteOf(readings[0]?.gatewayTimestamp ?? 0),
    };
  }

  #eventEntry(event: WaitingEvent, stamp: Stamp): GroupEntry {
    const body = encodeEventRecord({ ...stamp, tWall: event.tWall, body: event.body });
    return {
      lane: event.lane,
      first: this.#take(event.lane, 1),
      count: 1,
      kind: "record",
      body,
      minute: minuteOf(event.tWall),
    };
  }

  #take(lane: TelemetryLane, count: number): number {
    const first = this.#highest[lane] + 1;
    this.#highest[lane] += count;
    return first;
  }
}

export function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

/** Readings as they fit into one block each. */
export function* cutBlocks(readings: readonly StoredReading[]): Generator<readonly StoredReading[]> {
  let start = 0;
  let textBytes = 0;
  for (let index = 0; index < readings.length; index += 1) {
    const value = readings[index]?.value;
    const size = typeof value === "string" ? Buffer.byteLength(JSON.stringify(value)) + 1 : 0;
    if (index - start >= ENTRY_RECORDS_MAX || textBytes + size > BLOCK_TEXT_BYTES_MAX) {
      yield readings.slice(start, index);
      start = index;
      textBytes = 0;
    }
    textBytes += size;
  }
  if (start < readings.length) yield start === 0 ? readings : readings.slice(start);
}
