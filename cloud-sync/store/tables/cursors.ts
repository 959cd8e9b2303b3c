import { LANES, type Lane, type RangeSet, type SequenceRange } from "../../../domain/lane.ts";
import type { Queryable, Transaction } from "../database.ts";

/** What of one lane of one incarnation is durable here. */
export interface Cursor {
  readonly incarnation: string;
  readonly lane: Lane;
  readonly ranges: RangeSet;
}

/** The gateway's cursors. A gateway has as many incarnations as its store had openings. */
export async function listCursors(db: Queryable, gatewayNo: number): Promise<readonly Cursor[]> {
  const rows = await db.query<{ incarnation: string; lane: string; ranges: string }>(
    {
      name: "cursor-list",
      text: `select i.incarnation, c.lane, c.ranges::text as ranges
             from cursors c join incarnations i using (incarnation_no) where c.gateway_no = $1`,
    },
    [gatewayNo],
  );
  return rows.flatMap(({ incarnation, lane, ranges }) => {
    const known = LANES.find((each) => each === lane);
    return known === undefined ? [] : [{ incarnation, lane: known, ranges: parseMultirange(ranges) }];
  });
}

export async function readCursor(tx: Transaction, incarnationNo: number, lane: Lane): Promise<RangeSet> {
  const [row] = await tx.query<{ ranges: string }>(
    {
      name: "cursor-read",
      text: "select ranges::text as ranges from cursors where incarnation_no = $1 and lane = $2",
    },
    [incarnationNo, lane],
  );
  return row === undefined ? [] : parseMultirange(row.ranges);
}

export async function growCursor(
  tx: Transaction,
  grown: {
    readonly gatewayNo: number;
    readonly incarnationNo: number;
    readonly lane: Lane;
    readonly added: RangeSet;
  },
): Promise<void> {
  await tx.query(
    {
      name: "cursor-grow",
      text: `insert into cursors (gateway_no, incarnation_no, lane, ranges) values ($1, $2, $3, $4)
             on conflict (incarnation_no, lane) do update set ranges = cursors.ranges + excluded.ranges`,
    },
    [grown.gatewayNo, grown.incarnationNo, grown.lane, formatMultirange(grown.added)],
  );
}

/** `{[1,5),[7,9)}` of PostgreSQL. */
export function formatMultirange(set: RangeSet): string {
  return `{${set.map(({ first, count }) => `[${first},${first + count})`).join(",")}}`;
}

export function parseMultirange(text: string): RangeSet {
  const ranges: SequenceRange[] = [];
  for (const [, from, to] of text.matchAll(/\[(\d+),(\d+)\)/g)) {
    ranges.push({ first: Number(from), count: Number(to) - Number(from) });
  }
  return ranges;
}
