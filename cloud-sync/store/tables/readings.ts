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

/** What `readingArrays` gives, in its order, with the types of PostgreSQL. */
const COLUMNS = {
  point_no: "int",
  seq: "int8",
  gateway_ms: "float8",
  source_ms: "float8",
  corrected_ms: "float8",
  error_ms: "float4",
  state_version: "int8",
  kind: "int2",
  number: "float8",
  text: "text",
  quality: "int2",
  cause: "int2",
};
export const READING_COLUMNS = Object.keys(COLUMNS).join(", ");
/** Of a row of {@link READING_COLUMNS}, in the order of both tables' columns of the same meaning. */
export const READING_VALUES = `to_timestamp(r.gateway_ms / 1000), to_timestamp(r.source_ms / 1000), to_timestamp(r.corrected_ms / 1000),
               r.error_ms, r.state_version, r.kind, r.number, r.text, r.quality, r.cause`;
/** Wants the incarnation as $1, the lane as $2, and a relation `r` of {@link READING_COLUMNS}. */
export const INSERT_READINGS = `insert into readings (incarnation_no, lane, point_no, seq, gateway_at, source_at, corrected_at, time_error_ms,
               state_version, value_kind, value_number, value_text, quality, cause)
             select $1, $2, r.point_no, r.seq, ${READING_VALUES} from r`;

/** What `unnest` takes for {@link READING_COLUMNS}: `readingArrays` as $`first` and the following. */
export function readingParameters(first: number): string {
  const types = Object.values(COLUMNS);
  return types.map((type, index) => `$${first + index}::${type}[]`).join(", ");
}

/** The partition of each reading must be there, see `DayPartitions`. */
export async function insertReadings(tx: Transaction, rows: ReadingRows): Promise<void> {
  if (rows.readings.length === 0) return;
  await tx.query(
    {
      name: "reading-insert",
      text: `with r as (select * from unnest(${readingParameters(3)}) as r(${READING_COLUMNS})) ${INSERT_READINGS}`,
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
