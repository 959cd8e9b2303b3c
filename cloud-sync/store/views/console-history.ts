import type { Instant } from "../../../domain/time.ts";
import type { Queryable } from "../database.ts";

/** What was told of a number or a switch in one part of a span. */
export interface HistoryBucketRow {
  /** 0 … buckets - 1. */
  readonly bucket: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  readonly last: number | null;
  /** Worst quality code told in it. */
  readonly quality: number;
  readonly readings: number;
}

export interface HistorySpan {
  readonly from: Instant;
  readonly to: Instant;
  /** 1 … 2,000. */
  readonly buckets: number;
}

/**
 * Down-sampled in the database, so that a month costs the wire no more than an hour. Buckets without a reading have no
 * row: a value that did not change is not told again.
 */
export function listHistoryBuckets(
  db: Queryable,
  pointNo: number,
  span: HistorySpan,
): Promise<readonly HistoryBucketRow[]> {
  const text = `select bucket, min(v) as min, avg(v) as mean, max(v) as max,
      (array_agg(v order by gateway_at desc, state_version desc))[1] as last, max(quality) as quality, count(*) as readings
    from (select least($4 - 1, floor(extract(epoch from gateway_at - $2::timestamptz) / $5::float8))::int as bucket,
            gateway_at, state_version, quality, case when value_kind in (1, 2) then value_number end as v
          from readings where point_no = $1 and gateway_at >= $2 and gateway_at < $3) r
    group by bucket order by bucket`;
  const width = (span.to - span.from) / span.buckets / 1_000;
  return db.query<HistoryBucketRow>({ name: "console-history", text }, [
    pointNo,
    new Date(span.from),
    new Date(span.to),
    span.buckets,
    width,
  ]);
}

/** What held when the span began, from at most 35 days before it; undefined: nothing was told then. */
export async function findValueBefore(
  db: Queryable,
  pointNo: number,
  at: Instant,
): Promise<{ readonly value: number | null; readonly quality: number } | undefined> {
  const text = `select case when value_kind in (1, 2) then value_number end as value, quality from readings
    where point_no = $1 and gateway_at < $2 and gateway_at >= $2::timestamptz - interval '35 days'
    order by gateway_at desc, state_version desc limit 1`;
  const [row] = await db.query<{ value: number | null; quality: number }>(
    { name: "console-history-before", text },
    [pointNo, new Date(at)],
  );
  return row;
}
