import { IncarnationId } from "../../domain/ids.ts";
import { LANES, type Lane } from "../../domain/lane.ts";
import type { LineageEntry } from "../../domain/wire/hello.ts";
import type { StoreDatabase } from "./database.ts";

/** How a lane is written in a row. */
export const LANE_CODES = { A: 0, B: 1, C: 2, D: 3 } as const satisfies Record<Lane, number>;

/** @throws {RangeError} for a code no lane has. */
export function laneOfCode(code: number): Lane {
  const lane = LANES[code];
  if (lane === undefined) throw new RangeError(`lane code ${code}`);
  return lane;
}

/** Where a lane's entries lie: A in critical.db, the others in telemetry.db. */
export function entriesTable(lane: Lane): string {
  return `entries_${lane.toLowerCase()}`;
}

/** An opening of the store; rows of both files name it by its number. */
export interface Incarnation {
  /** 1 …, in order of opening. */
  readonly number: number;
  readonly id: IncarnationId;
  readonly parent: IncarnationId | null;
  readonly parentLast: LineageEntry["parentLast"];
  readonly openedAt: number;
}

interface IncarnationRow {
  readonly number: number;
  readonly id: string;
  readonly parent: string | null;
  readonly last_a: number;
  readonly last_b: number;
  readonly last_c: number;
  readonly last_d: number;
  readonly opened_at_ms: number;
}

/** Oldest first. */
export function readIncarnations(database: StoreDatabase): readonly Incarnation[] {
  const rows = database.prepare<[], IncarnationRow>("select * from incarnations order by number").all();
  return rows.map((row) => ({
    number: row.number,
    id: IncarnationId(row.id),
    parent: row.parent === null ? null : IncarnationId(row.parent),
    parentLast: { A: row.last_a, B: row.last_b, C: row.last_c, D: row.last_d },
    openedAt: row.opened_at_ms,
  }));
}

/** Adds those that are not there yet. */
export function insertIncarnations(database: StoreDatabase, incarnations: readonly Incarnation[]): void {
  const insert = database.prepare("insert or ignore into incarnations values (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const each of incarnations) {
    const { A, B, C, D } = each.parentLast;
    insert.run(each.number, each.id, each.parent, A, B, C, D, each.openedAt);
  }
}

/** As HELLO tells it. */
export function lineageOf(incarnations: readonly Incarnation[]): readonly LineageEntry[] {
  return incarnations.map(({ id, parent, parentLast, openedAt }) => ({
    incarnation: id,
    parent,
    parentLast,
    openedAt,
  }));
}

export interface CounterRow {
  readonly incarnation: number;
  readonly lane: number;
  readonly highest: number;
}

export function readCounters(database: StoreDatabase): readonly CounterRow[] {
  return database.prepare<[], CounterRow>("select incarnation, lane, highest from counters").all();
}
