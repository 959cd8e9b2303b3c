import type { SequenceRange } from "../../../domain/lane.ts";
import { type Instant, Minutes } from "../../../domain/time.ts";
import { decodeEntry, type Entry } from "../../../domain/wire/entry.ts";
import { decodePointsBlock } from "../../../domain/wire/points-block.ts";
import { decodeEventRecord } from "../../../domain/wire/record-kinds.ts";
import { intersection, thick } from "../acknowledgements.ts";
import type { Stamp } from "../evidence-log.ts";
import type { Incarnation } from "../incarnations.ts";
import type { LanePage } from "../lane-book.ts";
import { eachRange, type LaneSpace, type LaneSpaceParts } from "./lane-space.ts";
import { blocksOf, type KeptReading, keptOf, WindowThinning, windowOf } from "./thinning.ts";

/** Records looked at without a pause: some 10 ms on the core's loop. */
const TURN_RECORDS = 10_000;
/** Records given up by one gap: a window of 16,000 points at the design load, 15 MB of memory. */
const RUN_RECORDS_MAX = 250_000;
/** Bytes below which a run of lane B stays: the gap that tells of it takes 400. */
const RUN_BYTES_MIN = 1_000;
/** Lane B is read through again no sooner: what stayed the last time mostly stays. */
const STATES_EVERY = Minutes(15);

export interface ThinnerParts extends LaneSpaceParts {
  readonly space: LaneSpace;
  readonly incarnation: Incarnation;
  readonly stamp: () => Stamp;
}

export interface Thinned {
  /** Records that lie in a gap now. */
  readonly given: number;
  /** Readings of them that were told again. */
  readonly retold: number;
}

/** What becomes of neighbouring entries: given up together, less the readings that are told again. */
interface Run {
  readonly range: SequenceRange;
  readonly bytes: number;
  readonly kept: readonly KeptReading[];
}

/** Gives up the detail of what was told to nobody, and keeps its shape. */
export class Thinner {
  readonly #parts: ThinnerParts;
  #statesReadAt: number | undefined;

  constructor(parts: ThinnerParts) {
    this.#parts = parts;
  }

  /** Lane C before `limit`, oldest first, until the store uses less than `until`. */
  async thinReadings(limit: Instant, until: number): Promise<Thinned> {
    const { space, lanes } = this.#parts;
    const total = { given: 0, retold: 0 };
    const candidates = space.candidates("C", (page) =>
      intersection(thick(page.acknowledgement, page.highest), space.olderThan(page, limit)),
    );
    for (const { page, range } of eachRange(candidates)) {
      for await (const run of this.#windows(page, range)) {
        if (space.usedShare() < until) return total;
        if (run.kept.length * 2 > run.range.count) lanes.noteThinned(page, run.range);
        else add(total, await this.#giveUp(page, run, "thinned to least, greatest and last of 15 min"));
      }
    }
    return total;
  }

  /** Lane B: what is neither an alarm, nor a gap, nor the latest state of a point goes. */
  async thinStates(now: Instant, until: number): Promise<Thinned> {
    const { space } = this.#parts;
    const total = { given: 0, retold: 0 };
    if (this.#statesReadAt !== undefined && Math.abs(now - this.#statesReadAt) < STATES_EVERY) return total;
    const candidates = space.candidates("B", ({ acknowledgement, highest }) =>
      thick(acknowledgement, highest),
    );
    for (const { page, range } of eachRange(candidates)) {
      for await (const run of this.#superseded(page, range)) {
        if (space.usedShare() < until) return total;
        add(total, await this.#giveUp(page, run, "superseded; alarms and latest states are kept"));
      }
    }
    this.#statesReadAt = now;
    return total;
  }

  async #giveUp(page: LanePage, run: Run, why: string): Promise<Thinned> {
    const lane = page.lane === "B" ? "B" : "C";
    const reason = `${why}: ${run.kept.length} of ${run.range.count} told again`;
    await this.#parts.space.giveUp(page, run.range, { reason, kept: { lane, blocks: blocksOf(run.kept) } });
    return { given: run.range.count, retold: run.kept.length };
  }

  async *#windows(page: LanePage, range: SequenceRange): AsyncGenerator<Run> {
    const end = range.first + range.count;
    for (let first = range.first; first < end; ) {
      const run = await this.#window(page, { first, count: end - first });
      if (run === undefined) return;
      yield run;
      first = run.range.first + run.range.count;
    }
  }

  /** The entries at the beginning of the range that follow each other and begin in one window. */
  async #window(page: LanePage, range: SequenceRange): Promise<Run | undefined> {
    const thinning = new WindowThinning();
    let window: number | undefined;
    let taken: SequenceRange | undefined;
    let bytes = 0;
    for await (const entry of this.#entries(page, range)) {
      const kept = this.#keptOf(page, entry);
      const begins = windowOf(decodePointsBlock(entry.body).readings[0]?.gatewayTimestamp ?? 0);
      window ??= begins;
      if (begins !== window || !continues(taken, entry.range)) break;
      taken = joined(taken, entry.range);
      bytes += entry.body.length;
      for (const each of kept) thinning.add(each);
    }
    return taken === undefined ? undefined : { range: taken, bytes, kept: thinning.kept() };
  }

  async *#superseded(page: LanePage, range: SequenceRange): AsyncGenerator<Run> {
    let run: Run | undefined;
    for await (const entry of this.#entries(page, range)) {
      const kept = this.#latestOf(page, entry);
      const next = kept === undefined ? undefined : { range: entry.range, bytes: entry.body.length, kept };
      const longer = next === undefined ? undefined : longerRun(run, next);
      if (longer === undefined && isWorthAGap(run)) yield run;
      run = longer ?? next;
    }
    if (isWorthAGap(run)) yield run;
  }

  /** What of an entry of lane B must be told again if it goes; `undefined`: it stays. */
  #latestOf(page: LanePage, entry: Entry): readonly KeptReading[] | undefined {
    if (entry.kind === "record") {
      const { kind } = decodeEventRecord(entry.body).body;
      return kind === "alarm" || kind === "gap" ? undefined : [];
    }
    const { twins } = this.#parts;
    const latest = this.#keptOf(page, entry).filter(
      ({ reading: { point, stateVersion } }) => twins.latest(point)?.stateVersion === stateVersion,
    );
    return latest.length * 2 > entry.range.count ? undefined : latest;
  }

  /**
   * A block of an earlier opening counted from another start: its times are taken from the wall clock, and one that never
   * was set says nothing that could be told again.
   */
  #keptOf(page: LanePage, entry: Entry): readonly KeptReading[] {
    const block = decodePointsBlock(entry.body);
    if (page.incarnation.number === this.#parts.incarnation.number) return keptOf(block);
    if (block.timeQuality === "unset") return [];
    const { tWall, tMono } = this.#parts.stamp();
    const start = tWall - tMono;
    return keptOf(block).map((kept) => ({ ...kept, tMono: kept.reading.gatewayTimestamp - start }));
  }

  /** Whole entries from the beginning of the range on; broken ones are set aside on the way (I15). */
  async *#entries(page: LanePage, range: SequenceRange): AsyncGenerator<Entry> {
    const { sync } = this.#parts;
    const { lane, incarnation } = page;
    const end = range.first + range.count;
    for (let from = range.first; from < end; ) {
      const read = sync.readEntries({ incarnation: incarnation.id, lane, from, maxRecords: TURN_RECORDS });
      for (const stored of read) {
        from = stored.range.first + stored.range.count;
        if (from > end) return;
        yield decodeEntry(stored.frame);
      }
      if (read.length === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Both as one, if they follow each other and are not too much for one. */
function longerRun(run: Run | undefined, next: Run): Run | undefined {
  if (run === undefined) return next;
  if (!continues(run.range, next.range)) return undefined;
  return {
    range: joined(run.range, next.range),
    bytes: run.bytes + next.bytes,
    kept: [...run.kept, ...next.kept],
  };
}

function isWorthAGap(run: Run | undefined): run is Run {
  return run !== undefined && run.bytes >= RUN_BYTES_MIN;
}

/** Whether `next` follows, and one gap may hold both. */
function continues(taken: SequenceRange | undefined, next: SequenceRange): boolean {
  if (taken === undefined) return true;
  return taken.first + taken.count === next.first && taken.count + next.count <= RUN_RECORDS_MAX;
}

function joined(taken: SequenceRange | undefined, next: SequenceRange): SequenceRange {
  return taken === undefined ? next : { first: taken.first, count: taken.count + next.count };
}

function add(total: { given: number; retold: number }, more: Thinned): void {
  total.given += more.given;
  total.retold += more.retold;
}
