import { missingFrom, type RangeSet, type SequenceRange, type TelemetryLane } from "../../domain/lane.ts";
import { Days, Hours, Instant, type Millis } from "../../domain/time.ts";
import { heldByCenter, intersection, settled } from "./acknowledgements.ts";
import type { CriticalFile } from "./critical-file.ts";
import type { StoreDatabase } from "./database.ts";
import { minuteOf } from "./group-builder.ts";
import { entriesTable, LANE_CODES } from "./incarnations.ts";
import type { LaneBook, LanePage } from "./lane-book.ts";
import type { RetentionReport, SyncLedger } from "./store.ts";
import type { TelemetryLog } from "./telemetry-log.ts";
import type { Twins } from "./twins.ts";

/** Records that the center holds stay at least this long, PROTOCOL §5. */
const KEEP_MIN = Hours(24);
const KEEP_COMMANDS = Days(35);
export const KEEP_HISTORY_DEFAULT = Days(35);
export const QUOTA_BYTES_DEFAULT = 4 * 1024 ** 3;
/** Removed by one transaction at most: about 50 ms of the worker's time, and no more than the pressure asks for. */
const STEP_ENTRIES = 1_000;
const STEP_SHARE = 0.005;
/** Shares of the quota at which data gives way, and to which it is brought back. */
const PRESSURE = { dropFrom: 0.8, dropTo: 0.75, gapFrom: 0.95, gapTo: 0.9 } as const;

export interface RetentionParts {
  readonly critical: CriticalFile;
  readonly reader: StoreDatabase;
  readonly lanes: LaneBook;
  readonly log: TelemetryLog;
  readonly twins: Twins;
  readonly sync: SyncLedger;
  readonly keepHistory: Millis;
}

/** What may be removed, from which lane. */
interface Candidate {
  readonly page: LanePage;
  readonly ranges: RangeSet;
}

/** Decides what leaves telemetry.db; the worker removes it. Lane A is no business of it (I13). */
export class Retention {
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** @throws {StoreError} `not-durable` while the disk does not take the removals: nothing was counted as removed. */
  async run(now: Instant): Promise<RetentionReport> {
    const aged = await this.#removeAll(this.#agedCandidates(now), { until: 0, declare: "held-by-center" });
    let pressed = 0;
    let gaps = 0;
    if (this.#usedShare() >= PRESSURE.dropFrom) {
      const until = PRESSURE.dropTo;
      const heldD = this.#candidates("D", ({ acknowledgement }) => heldByCenter(acknowledgement));
      pressed += await this.#removeAll(heldD, { until, declare: "held-by-center" });
      gaps += await this.#removeAll(this.#untold("D"), { until, declare: "gap" });
      const heldC = this.#candidates("C", ({ acknowledgement }) => heldByCenter(acknowledgement));
      pressed += await this.#removeAll(heldC, { until, declare: "held-by-center" });
    }
    if (this.#usedShare() >= PRESSURE.gapFrom) {
      gaps += await this.#removeAll(this.#untold("C"), { until: PRESSURE.gapTo, declare: "gap" });
    }
    this.#forgetCommands(now);
    this.rememberHighWater();
    return { aged, pressed, gaps, usedShare: this.#usedShare() };
  }

  /** The center repeats no command that old (K1 wait 24 h at most); its fence stays for ever. */
  #forgetCommands(now: Instant): void {
    const { critical } = this.#parts;
    const forget = critical.statement(
      `delete from commands where position in
         (select position from commands where settled_at_ms < ? order by position limit ?)`,
    );
    critical.transaction(() => forget.run(now - KEEP_COMMANDS, STEP_ENTRIES));
  }

  /** Notes in critical.db how far each telemetry lane came: all that is known of it if telemetry.db is lost. */
  rememberHighWater(): void {
    const { critical, lanes } = this.#parts;
    const put = critical.statement(
      `insert into high_water values (?, ?, ?, ?)
       on conflict do update set highest = excluded.highest, settled_through = excluded.settled_through`,
    );
    critical.transaction(() => {
      for (const { incarnation, lane, highest, acknowledgement } of lanes.pages()) {
        const [start] = settled(acknowledgement);
        const through = start?.first === 1 ? start.count : 0;
        if (lane !== "A") put.run(incarnation.number, LANE_CODES[lane], highest, through);
      }
    });
  }

  #usedShare(): number {
    const { usedBytes, quotaBytes } = this.#parts.sync.disk();
    return usedBytes / quotaBytes;
  }

  #agedCandidates(now: Instant): readonly Candidate[] {
    return (["D", "B", "C"] as const).flatMap((lane) => {
      const age = lane === "D" ? KEEP_MIN : Math.max(KEEP_MIN, this.#parts.keepHistory);
      return this.#candidates(lane, (page) => {
        const old = this.#olderThan(page, Instant(now - age));
        return old === undefined ? [] : intersection(page.acknowledgement.confirmed, [old]);
      });
    });
  }

  #untold(lane: TelemetryLane): readonly Candidate[] {
    return this.#candidates(lane, ({ acknowledgement, highest }) =>
      missingFrom(heldByCenter(acknowledgement), { first: 1, count: highest }),
    );
  }

  /** Pages of the lane, oldest first, each without what the twins still need at the next opening. */
  #candidates(lane: TelemetryLane, rangesOf: (page: LanePage) => RangeSet): readonly Candidate[] {
    return this.#parts.lanes
      .pages()
      .filter((page) => page.lane === lane && page.highest > 0)
      .map((page) => ({ page, ranges: this.#withoutReplay(page, rangesOf(page)) }))
      .filter(({ ranges }) => ranges.length > 0);
  }

  #withoutReplay(page: LanePage, ranges: RangeSet): RangeSet {
    const { lane, incarnation } = page;
    const position = this.#parts.twins.replayPosition;
    if (lane === "A" || lane === "D" || incarnation.number < position.incarnation) return ranges;
    if (incarnation.number > position.incarnation || position[lane] < 1) return [];
    return intersection(ranges, [{ first: 1, count: position[lane] }]);
  }

  #olderThan(page: LanePage, limit: Instant): SequenceRange | undefined {
    const row = this.#parts.reader
      .prepare("select min(first_seq) from marks where incarnation = ? and lane = ? and minute >= ?")
      .pluck()
      .get(page.incarnation.number, LANE_CODES[page.lane], minuteOf(limit));
    const end = row === null || row === undefined ? page.highest + 1 : Number(row);
    return end > 1 ? { first: 1, count: end - 1 } : undefined;
  }

  async #removeAll(
    candidates: readonly Candidate[],
    how: { readonly until: number; readonly declare: "held-by-center" | "gap" },
  ): Promise<number> {
    let removed = 0;
    for (const { page, ranges } of candidates) {
      for (const range of ranges) {
        for (let step = this.#nextStep(page, range); step !== undefined; step = this.#nextStep(page, range)) {
          if (how.until > 0 && this.#usedShare() < how.until) return removed;
          removed += step.count;
          await this.#remove(page, step, how.declare);
        }
      }
    }
    return removed;
  }

  /** The oldest entries that lie wholly in the range; `undefined` when there are none. */
  #nextStep(page: LanePage, range: SequenceRange): SequenceRange | undefined {
    const last = range.first + range.count - 1;
    const rows = this.#parts.reader
      .prepare<unknown[], SequenceRange & { readonly bytes: number }>(
        `select first_seq as first, count, length(frame) as bytes from ${entriesTable(page.lane)} where incarnation = ? and first_seq between ? and ?
           and first_seq + count - 1 <= ? order by first_seq limit ?`,
      )
      .all(page.incarnation.number, range.first, last, last, STEP_ENTRIES);
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

  async #remove(page: LanePage, range: SequenceRange, declare: "held-by-center" | "gap"): Promise<void> {
    const { lane, incarnation } = page;
    if (lane === "A") throw new RangeError("lane A is never removed for space (I13)");
    const last = range.first + range.count - 1;
    const reason = "given up for space before the center held it";
    const gap = { kind: "gap" as const, lane, incarnation: incarnation.id, ...range, reason };
    if (declare === "gap") this.#parts.lanes.drop(page, range);
    const removals = [{ incarnation: incarnation.number, lane, first: range.first, last }];
    this.#parts.log.order({ removals, gaps: declare === "gap" ? [gap] : [] });
    await this.#parts.log.flush();
    page.lowest = undefined;
  }
}
