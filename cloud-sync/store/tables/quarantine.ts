import type { Lane, RangeSet } from "../../../domain/lane.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Transaction } from "../database.ts";
import { formatMultirange } from "./cursors.ts";

/** What could not be taken, and why. */
export interface QuarantinedRecords {
  readonly ranges: RangeSet;
  readonly cause: string;
  readonly detail: string;
  /** The frame it came in. */
  readonly bytes: Uint8Array;
}

export interface QuarantineRows {
  readonly gatewayNo: number;
  readonly incarnation: string;
  readonly lane: Lane;
  readonly quarantined: readonly QuarantinedRecords[];
  readonly at: Instant;
}

/** Of one gateway: rows that keep their bytes, and rows at all. Past that only `quarantine_counts` grows, but for lane A. */
export const QUARANTINE_BYTES_ROWS_MAX = 2_000;
export const QUARANTINE_ROWS_MAX = 20_000;

export async function insertQuarantine(tx: Transaction, rows: QuarantineRows): Promise<void> {
  if (rows.quarantined.length === 0) return;
  const at = new Date(rows.at);
  const [held] = await tx.query<{ held: number }>(
    { name: "quarantine-held", text: "select count(*) as held from quarantine where gateway_no = $1" },
    [rows.gatewayNo],
  );
  let room = QUARANTINE_ROWS_MAX - (held?.held ?? 0);
  for (const each of rows.quarantined) {
    const records = each.ranges.reduce((sum, range) => sum + range.count, 0);
    await tx.query(
      {
        name: "quarantine-count",
        text: `insert into quarantine_counts (gateway_no, cause, records, last_at) values ($1, $2, $3, $4)
               on conflict (gateway_no, cause) do update set records = quarantine_counts.records + excluded.records, last_at = excluded.last_at`,
      },
      [rows.gatewayNo, each.cause, records, at],
    );
    // Evidence is never dropped (I13).
    const isEvidence = rows.lane === "A";
    if (room <= 0 && !isEvidence) continue;
    const keepsBytes = isEvidence || room > QUARANTINE_ROWS_MAX - QUARANTINE_BYTES_ROWS_MAX;
    room -= 1;
    await tx.query(
      {
        name: "quarantine-insert",
        text: `insert into quarantine (gateway_no, incarnation, lane, ranges, cause, detail, bytes, received_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      },
      [
        rows.gatewayNo,
        rows.incarnation,
        rows.lane,
        formatMultirange(each.ranges),
        each.cause,
        each.detail,
        keepsBytes ? Buffer.from(each.bytes) : null,
        at,
      ],
    );
  }
}
