import { numberArray, type Queryable, type Transaction } from "../database.ts";

/** Center time minus the gateway's uptime, at one uptime. */
export interface TimeSample {
  readonly uptimeMs: number;
  readonly offsetMs: number;
}

export async function addTimeSample(db: Queryable, incarnationNo: number, sample: TimeSample): Promise<void> {
  await db.query(
    {
      name: "time-sample-add",
      text: "insert into time_samples (incarnation_no, uptime_ms, offset_ms) values ($1, $2, $3) on conflict do nothing",
    },
    [incarnationNo, sample.uptimeMs, sample.offsetMs],
  );
}

/** For each uptime the samples before and after it, in order; few for many uptimes of one batch. */
export async function findTimeSamples(
  tx: Transaction,
  incarnationNo: number,
  uptimes: readonly number[],
): Promise<readonly TimeSample[]> {
  if (uptimes.length === 0) return [];
  const rows = await tx.query<{ uptime_ms: number; offset_ms: number }>(
    {
      name: "time-sample-find",
      text: `select distinct n.uptime_ms, n.offset_ms from unnest($2::float8[]) as u(uptime) cross join lateral (
               (select uptime_ms, offset_ms from time_samples where incarnation_no = $1 and uptime_ms <= u.uptime
                order by uptime_ms desc limit 1)
               union all
               (select uptime_ms, offset_ms from time_samples where incarnation_no = $1 and uptime_ms > u.uptime
                order by uptime_ms limit 1)) n order by n.uptime_ms`,
    },
    [incarnationNo, numberArray(uptimes)],
  );
  return rows.map((row) => ({ uptimeMs: row.uptime_ms, offsetMs: row.offset_ms }));
}
