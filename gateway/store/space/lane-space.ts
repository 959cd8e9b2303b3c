import type { RangeSet, SequenceRange, TelemetryLane } from "../../../domain/lane.ts";
import type { Instant } from "../../../domain/time.ts";
import { heldByCenter, intersection } from "../acknowledgements.ts";
import { readFrom, type StoreDatabase } from "../database.ts";
import { minuteOf, type Retold } from "../group-builder.ts";
import { entriesTable, LANE_CODES } from "../incarnations.ts";
import type { LaneBook, LanePage } from "../lane-book.ts";
import type { SyncLedger } from "../store.ts";
import type { TelemetryLog } from "../telemetry-log.ts";
import type { Twins } from "../twins.ts";

/** Removed by one transaction at most: about 50 ms of the worker's time, and no more than the pressure asks for. */
const STEP_ENTRIES = 1_000;
const STEP_SHARE = 0.005;

export interface LaneSpaceParts {
  readonly reader: StoreDatabase;
  readonly lanes: LaneBook;
  readonly log: TelemetryLog;
  readonly twins: Twins;
  readonly sync: SyncLedger;
}

/** What may be removed, from which lane. */
export interface Candidate {
  readonly page: LanePage;
  readonly ranges: RangeSet;
}

/** Which records of telemetry.db may go, and how they go: with a declared gap unless the center holds them (I14). */
export class LaneSpace {
  readonly #parts: LaneSpaceParts;

  constructor(parts: LaneSpaceParts) {
    this.#parts = parts;
  }

  usedShare(): number {
    const { usedBytes, quotaBytes } = this.#parts.sync.disk();
    return usedBytes / quotaBytes;
  }

  held(lane: TelemetryLane): readonly Candidate[] {
    return this.candidates(lane, ({ acknowledgement }) => heldByCenter(acknowledgement));
  }

  /** Pages of the lane, oldest first, each without what the twins still need at the next opening. */
  candidates(lane: TelemetryLane, rangesOf: (page: LanePage) => RangeSet): readonly Candidate[] {
    return this.#parts.lanes
      .pages()
      .filter((page) => page.lane === lane && page.highest > 0)
      .map((page) => ({ page, ranges: this.#withoutReplay(page, rangesOf(page)) }))
      .filter(({ ranges }) => ranges.length > 0);
  }

  /** Sequences of the lane before its first reading of `limit` or later. */
  olderThan(page: LanePage, limit: Instant): RangeSet {
    const { reader } = this.#parts;
    const row = readFrom(reader, () =>
      reader
        .prepare("select min(first_seq) from marks where incarnation = ? and lane = ? and minute >= ?")
        .pluck()
        .get(page.incarnation.number, LANE_CODES[page.lane], minuteOf(limit)),
    );
    const end = row === null || row === undefined ? page.highest + 1 : Number(row);
    return end > 1 ? [{ first: 1, count: end - 1 }] : [];
  }

  /** Removes what is there of the candidates, oldest first, until the store uses less than `until`. Returns the records. */
  async removeAll(
    candidates: readonly Candidate[],
    how: { readonly until: number; readonly declare: "held-by-center" | "gap" },
  ): Promise<number> {
    let removed = 0;
    for (const { page, range } of this.#steps(candidates)) {
      if (how.until > 0 && this.usedShare() < how.until) break;
      removed += range.count;
      if (how.declare === "gap")
        await this.giveUp(page, range, { reason: "given up for space before the center held it" });
      else await this.#order(page, range, { events: [] });
    }
    return removed;
  }

  /** The range goes into a declared gap; `kept` of its readings are told again, in the same transaction. */
  async giveUp(
    page: LanePage,
    range: SequenceRange,
    how: { readonly reason: string; readonly kept?: Retold },
  ): Promise<void> {
    const { lane, incarnation } = page;
    const { reason, kept } = how;
    const gap = { kind: "gap" as const, lane, incarnation: incarnation.id, ...range, reason };
    this.#parts.lanes.drop(page, range);
    await this.#order(page, range, { events: [gap], ...(kept !== undefined && { retold: [kept] }) });
  }

  async #order(
    page: LanePage,
    { first, count }: SequenceRange,
    orders: Parameters<TelemetryLog["order"]>[0],
  ): Promise<void> {
    const { lane, incarnation } = page;
    if (lane === "A") throw new RangeError("lane A is never removed for space (I13)");
    const removals = [{ incarnation: incarnation.number, lane, first, last: first + count - 1 }];
    this.#parts.log.order({ removals, ...orders });
    await this.#parts.log.flush();
    page.lowest = undefined;
  }

  #withoutReplay(page: LanePage, ranges: RangeSet): RangeSet {
    const { lane, incarnation } = page;
    const position = this.#parts.twins.replayPosition;
    if (lane === "A" || lane === "D" || incarnation.number < position.incarnation) return ranges;
    if (incarnation.number > position.incarnation || position[lane] < 1) return [];
    return intersection(ranges, [{ first: 1, count: position[lane] }]);
  }

  /** Each is gone when the next is asked for. */
  *#steps(
    candidates: readonly Candidate[],
  ): Generator<{ readonly page: LanePage; readonly range: SequenceRange }> {
    for (const { page, range } of eachRange(candidates)) {
      for (let step = this.#nextStep(page, range); step !== undefined; step = this.#nextStep(page, range))
        yield { page, range: step };
    }
  }

  /** The oldest entries that lie wholly in the range; `undefined` when there are none. */
  #nextStep(page: LanePage, range: SequenceRange): SequenceRange | undefined {
    const last = range.first + range.count - 1;
    const { reader } = this.#parts;
    const rows = readFrom(reader, () =>
      reader
        .prepare<unknown[], SequenceRange & { readonly bytes: number }>(
          `select first_seq as first, count, length(frame) as bytes from ${entriesTable(page.lane)} where incarnation = ? and first_seq between ? and ?
             and first_seq + count - 1 <= ? order by first_seq limit ?`,
        )
        .all(page.incarnation.number, range.first, last, last, STEP_ENTRIES),
    );
    const first = rows[0];
    if (first === undefined) return undefined;
    let end = first.first;
    let bytes = 0;
    const bytesMax = this.#parts.sync.disk().quotaBytes * STEP_SHARE;
    for (const row of rows) {
      if (row.first !== end || bytes > bytesMax) break;
      end += row.count;
      bytes += row.bytes;
    }
    return { first: first.first, count: end - first.first };
  }
}

/** Of all candidates, in their order. */
export function* eachRange(
  candidates: readonly Candidate[],
): Generator<{ readonly page: LanePage; readonly range: SequenceRange }> {
  for (const { page, ranges } of candidates) for (const range of ranges) yield { page, range };
}
