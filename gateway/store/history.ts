import type { PointNumber } from "../../domain/ids.ts";
import type { PointChange, StoredReading } from "../../domain/reading.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodePointsBlock } from "../../domain/wire/points-block.ts";
import { readFrom, type StoreDatabase, type StoreStatement } from "./database.ts";
import { minuteOf } from "./group-builder.ts";
import { entriesTable, LANE_CODES } from "./incarnations.ts";
import type { HistorySpan } from "./store.ts";

const LIMIT_MAX = 10_000;
/** Entries looked through by one call: it runs on the core's loop, and this is some 100 ms of work. */
const ENTRIES_MAX = 50_000;

interface Mark {
  readonly incarnation: number;
  readonly lane: number;
  readonly first_seq: number;
  readonly minute: number;
}

/** Reads a point's readings out of the blocks, minute by minute from the newest. */
export class History {
  readonly #database: StoreDatabase;
  readonly #marks: StoreStatement;
  readonly #frames: Readonly<Record<"B" | "C", StoreStatement>>;

  constructor(database: StoreDatabase) {
    this.#database = database;
    this.#marks = database.prepare(
      `select incarnation, lane, first_seq, minute from marks where minute between ? and ? and lane in (?, ?)
       order by incarnation desc, minute desc, first_seq desc`,
    );
    const framesOf = (lane: "B" | "C"): StoreStatement =>
      database.prepare(
        `select frame from ${entriesTable(lane)} where incarnation = :incarnation and first_seq >= :first and first_seq <
           coalesce((select min(first_seq) from marks where incarnation = :incarnation and lane = :lane and first_seq > :first),
             9007199254740992) order by first_seq`,
      );
    this.#frames = { B: framesOf("B"), C: framesOf("C") };
  }

  read(point: PointNumber, span: HistorySpan): readonly PointChange[] {
    return readFrom(this.#database, () => this.#read(point, span));
  }

  #read(point: PointNumber, span: HistorySpan): readonly PointChange[] {
    const limit = Math.max(1, Math.min(LIMIT_MAX, Math.floor(span.limit)));
    // A group's first reading may be a minute older than its others.
    const marks = this.#marks.iterate(
      minuteOf(span.from) - 1,
      minuteOf(span.to) + 1,
      LANE_CODES.B,
      LANE_CODES.C,
    );
    const found: Found[] = [];
    const budget = { entries: ENTRIES_MAX };
    let minute = Number.NaN;
    for (const mark of marks as IterableIterator<Mark>) {
      if (mark.minute !== minute && (found.length >= limit || budget.entries <= 0)) break;
      minute = mark.minute;
      for (const reading of this.#readMinute(mark, point, budget)) {
        const at = reading.gatewayTimestamp;
        if (at >= span.from && at <= span.to) found.push({ incarnation: mark.incarnation, reading });
      }
    }
    return found
      .sort((left, right) => order(left, right))
      .slice(-limit)
      .map(({ reading: { stateVersion: _, ...change } }) => change);
  }

  *#readMinute(mark: Mark, point: PointNumber, budget: { entries: number }): Generator<StoredReading> {
    const place = { incarnation: mark.incarnation, lane: mark.lane, first: mark.first_seq };
    const frames = this.#frames[mark.lane === LANE_CODES.B ? "B" : "C"];
    // Most blocks lack the point: looking for its number's bytes is far cheaper than decoding them all.
    const number = Buffer.alloc(4);
    number.writeUInt32LE(point);
    for (const { frame } of frames.iterate(place) as IterableIterator<{ frame: Buffer }>) {
      budget.entries -= 1;
      if (!frame.includes(number)) continue;
      for (const reading of readingsOf(frame)) if (reading.point === point) yield reading;
    }
  }
}

type Found = { readonly incarnation: number; readonly reading: StoredReading };

function order(left: Found, right: Found): number {
  const byTime = left.reading.gatewayTimestamp - right.reading.gatewayTimestamp;
  return (
    byTime || left.incarnation - right.incarnation || left.reading.stateVersion - right.reading.stateVersion
  );
}

/** None for a record, and none for what can not be trusted: `readEntries` sets that aside. */
export function readingsOf(frame: Uint8Array): readonly StoredReading[] {
  try {
    const entry = decodeEntry(frame);
    return entry.kind === "points" ? decodePointsBlock(entry.body).readings : [];
  } catch {
    return [];
  }
}
