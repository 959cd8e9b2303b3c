import type { Lane } from "../../../domain/lane.ts";
import type { StoredReading } from "../../../domain/reading.ts";
import { Days, type Instant, type Millis } from "../../../domain/time.ts";
import { numberArray, type Queryable, type Transaction } from "../database.ts";
import { fromColumns, type QualifiedValue, toColumns, type ValueColumns } from "./value-columns.ts";

/** UTC of a gateway's time, as far as offset samples of its incarnation can tell (I19). */
export interface CorrectedTime {
  readonly at: Instant;
  readonly error: Millis;
}

/** A reading that has its place here: `pointNo` is the center's number of the point. */
export interface PlacedReading {
  readonly pointNo: number;
  readonly sequence: number;
  readonly reading: StoredReading;
  readonly corrected: CorrectedTime | null;
}

export interface ReadingRows {
  readonly incarnationNo: number;
  readonly lane: Lane;
  readonly readings: readonly PlacedReading[];
}

/** The partition of each reading must be there, see `DayPartitions`. */
export async function insertReadings(tx: Transaction, rows: ReadingRows): Promise<void> {
  if (rows.readings.length === 0) return;
  await tx.query(
    {
      name: "reading-insert",
      text: `insert into readings (incarnation_no, lane, point_no, seq, gateway_at, source_at, corrected_at, time_error_ms,
               state_version, value_kind, value_number, value_text, quality, cause)
             select $1, $2, r.point_no, r.seq, to_timestamp(r.gateway_ms / 1000), to_timestamp(r.source_ms / 1000),
               to_timestamp(r.corrected_ms / 1000), r.error_ms, r.state_version, r.kind, r.number, r.text, r.quality, r.cause
             from unnest($3::int[], $4::int8[], $5::float8[], $6::float8[], $7::float8[], $8::float4[], $9::int8[], $10::int2[],
               $11::float8[], $12::text[], $13::int2[], $14::int2[])
               as r(point_no, seq, gateway_ms, source_ms, corrected_ms, error_ms, state_version, kind, number, text, quality, cause)`,
    },
    [rows.incarnationNo, rows.lane, ...readingArrays(rows.readings)],
  );
}

/** Columns for `unnest`, in the order of `insertReadings`. */
export function readingArrays(readings: readonly PlacedReading[]): readonly unknown[] {
  const columns = readings.map(({ reading }) => toColumns(reading));
  const texts = columns.map((column) => column.value_text);
  return [
    numberArray(readings.map(({ pointNo }) => pointNo)),
    numberArray(readings.map(({ sequence }) => sequence)),
    numberArray(readings.map(({ reading }) => reading.gatewayTimestamp)),
    numberArray(readings.map(({ reading }) => reading.sourceTimestamp)),
    numberArray(readings.map(({ corrected }) => corrected?.at ?? null)),
    numberArray(readings.map(({ corrected }) => corrected?.error ?? null)),
    numberArray(readings.map(({ reading }) => reading.stateVersion)),
    numberArray(columns.map((column) => column.value_kind)),
    numberArray(columns.map((column) => column.value_number)),
    texts.some((text) => text !== null) ? texts : numberArray(texts.map(() => null)),
    numberArray(columns.map((column) => column.quality)),
    numberArray(columns.map((column) => column.cause)),
  ];
}

export interface HistoryRow extends QualifiedValue {
  readonly gatewayAt: Instant;
  readonly correctedAt: Instant | null;
}

/** Newest last, by the gateway's time; at most `limit` (1 … 10,000), the newest of the span. */
export async function listHistory(
  db: Queryable,
  pointNo: number,
  span: { readonly from: Instant; readonly to: Instant; readonly limit: number },
): Promise<readonly HistoryRow[]> {
  const rows = await db.query<ValueColumns & { gateway_at: Instant; corrected_at: Instant | null }>(
    {
      name: "reading-history",
      text: `select gateway_at, corrected_at, value_kind, value_number, value_text, quality, cause from readings
             where point_no = $1 and gateway_at >= $2 and gateway_at <= $3
             order by gateway_at desc, state_version desc limit $4`,
    },
    [pointNo, new Date(span.from), new Date(span.to), span.limit],
  );
  return rows
    .map((row) => ({ ...fromColumns(row), gatewayAt: row.gateway_at, correctedAt: row.corrected_at }))
    .reverse();
}

/** How far a day may lie from today to get a partition of its own; all else stands in the default partition. */
export const PARTITION_PAST = Days(400);
export const PARTITION_FUTURE = Days(2);
