import type { IncarnationId } from "../../domain/ids.ts";
import type { Lane, RangeSet, SequenceRange } from "../../domain/lane.ts";
import {
  acknowledge,
  countMissing,
  type LaneAcknowledgement,
  NOTHING_ACKNOWLEDGED,
  settled,
  union,
  without,
} from "./acknowledgements.ts";
import type { StoreDatabase } from "./database.ts";
import { type CounterRow, entriesTable, type Incarnation, laneOfCode } from "./incarnations.ts";

/** One lane of one incarnation. */
export interface LanePage {
  readonly incarnation: Incarnation;
  readonly lane: Lane;
  /** Highest committed sequence. */
  highest: number;
  acknowledgement: LaneAcknowledgement;
  /** Records not told yet; `undefined`: to be counted anew. */
  backlog: number | undefined;
  /** Lowest retained sequence, 0 for none; `undefined`: to be looked up anew. */
  lowest: number | undefined;
}

/** All lanes of all incarnations in memory: heads and backlog are asked for with every heartbeat. */
export class LaneBook {
  readonly #pages = new Map<string, LanePage>();
  readonly #unwritten = new Set<LanePage>();

  constructor(
    incarnations: readonly Incarnation[],
    counters: readonly CounterRow[],
    stored: readonly AcknowledgementRow[],
  ) {
    const byNumber = new Map(incarnations.map((each) => [each.number, each]));
    const page = (incarnation: number, lane: number): LanePage | undefined => {
      const known = byNumber.get(incarnation);
      return known === undefined ? undefined : this.page(known, laneOfCode(lane));
    };
    for (const row of counters) {
      const found = page(row.incarnation, row.lane);
      if (found !== undefined) found.highest = row.highest;
    }
    for (const row of stored) {
      const found = page(row.incarnation, row.lane);
      if (found !== undefined)
        found.acknowledgement = { ...NOTHING_ACKNOWLEDGED, ...(JSON.parse(row.state) as object) };
    }
  }

  /** In order of the incarnations, lanes A to D. */
  pages(): readonly LanePage[] {
    return [...this.#pages.values()].sort(
      (left, right) =>
        left.incarnation.number - right.incarnation.number || left.lane.localeCompare(right.lane),
    );
  }

  page(incarnation: Incarnation, lane: Lane): LanePage {
    const key = `${incarnation.id}/${lane}`;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page: LanePage = {
      incarnation,
      lane,
      highest: 0,
      acknowledgement: NOTHING_ACKNOWLEDGED,
      backlog: undefined,
      lowest: undefined,
    };
    this.#pages.set(key, page);
    return page;
  }

  find(incarnation: IncarnationId, lane: Lane): LanePage | undefined {
    return this.#pages.get(`${incarnation}/${lane}`);
  }

  /** Committed up to `highest`. */
  advance(page: LanePage, highest: number): void {
    if (highest <= page.highest) return;
    if (page.backlog !== undefined) page.backlog += highest - page.highest;
    page.highest = highest;
    if (page.lowest === 0) page.lowest = undefined;
  }

  acknowledge(page: LanePage, ranges: RangeSet, session: string): void {
    this.#change(page, acknowledge(page.acknowledgement, ranges, session));
  }

  /** The range lies in a declared gap from now on. */
  drop(page: LanePage, range: SequenceRange): void {
    this.#change(page, { ...page.acknowledgement, dropped: union(page.acknowledgement.dropped, [range]) });
  }

  /** The range is as thin as it gets; remembered only while it is still to be told, which bounds the memory of it. */
  noteThinned(page: LanePage, range: SequenceRange): void {
    const { acknowledgement } = page;
    const thinned = without(union(acknowledgement.thinned, [range]), settled(acknowledgement));
    this.#change(page, { ...acknowledgement, thinned });
  }

  backlogOf(page: LanePage): number {
    page.backlog ??= countMissing(settled(page.acknowledgement), page.highest);
    return page.backlog;
  }

  /** What changed since the last call, as rows to be written. */
  takeUnwritten(): readonly { readonly incarnation: number; readonly lane: Lane; readonly state: string }[] {
    const rows = [...this.#unwritten].map(({ incarnation, lane, acknowledgement }) => ({
      incarnation: incarnation.number,
      lane,
      state: JSON.stringify(acknowledgement),
    }));
    this.#unwritten.clear();
    return rows;
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.size > 0;
  }

  #change(page: LanePage, acknowledgement: LaneAcknowledgement): void {
    page.acknowledgement = acknowledgement;
    page.backlog = undefined;
    this.#unwritten.add(page);
  }
}

export interface AcknowledgementRow {
  readonly incarnation: number;
  readonly lane: number;
  readonly state: string;
}

export function readAcknowledgements(database: StoreDatabase): readonly AcknowledgementRow[] {
  return database
    .prepare<[], AcknowledgementRow>("select incarnation, lane, state from acknowledgements")
    .all();
}

/** Lowest retained sequence of a lane; 0 when nothing is. */
export function findLowest(database: StoreDatabase, page: LanePage): number {
  const row = database
    .prepare(`select min(first_seq) from ${entriesTable(page.lane)} where incarnation = ?`)
    .pluck()
    .get(page.incarnation.number);
  return Number(row ?? 0);
}
