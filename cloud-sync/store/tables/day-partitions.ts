import { Days, type Instant } from "../../../domain/time.ts";
import type { Database, Transaction } from "../database.ts";
import { PARTITION_FUTURE, PARTITION_PAST } from "./readings.ts";

const DAY = Days(1);
const PARTITION_LOCK = 4_170_326_003;

/** Makes the partitions of `readings` when the first record of a day comes. */
export class DayPartitions {
  readonly #database: Database;
  /** Days since 1970 that are known to have theirs: at most 402. */
  readonly #made = new Set<number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** To be called before the transaction that inserts: partitions made inside it would block all others. */
  async ensure(times: Iterable<Instant>, now: Instant): Promise<void> {
    for (const day of daysOf(times, now)) {
      if (this.#made.has(day)) continue;
      await this.#database.transaction((tx) => makePartition(tx, day));
      if (this.#made.size > 1_000) this.#made.clear();
      this.#made.add(day);
    }
  }
}

function daysOf(times: Iterable<Instant>, now: Instant): ReadonlySet<number> {
  const days = new Set<number>();
  for (const time of times) {
    if (time >= now - PARTITION_PAST && time < now + PARTITION_FUTURE) days.add(Math.floor(time / DAY));
  }
  return days;
}

async function makePartition(tx: Transaction, day: number): Promise<void> {
  const from = new Date(day * DAY).toISOString().slice(0, 10);
  const to = new Date((day + 1) * DAY).toISOString().slice(0, 10);
  const name = `readings_${from.replaceAll("-", "_")}`;
  const run = (what: string, text: string): Promise<readonly object[]> =>
    tx.query({ name: `partition-${what}-${day}`, text }, []);
  await tx.query({ name: "partition-lock", text: "select pg_advisory_xact_lock($1)" }, [PARTITION_LOCK]);
  const [found] = await tx.query<{ found: boolean }>(
    { name: "partition-find", text: "select to_regclass($1) is not null as found" },
    [name],
  );
  if (found?.found === true) return;
  await run("make", `create table ${name} (like readings including defaults)`);
  // A day that lay too far in the future stood in the default partition until now.
  await run("hold", "lock table readings_default in access exclusive mode");
  await run(
    "move",
    `with moved as (delete from readings_default where gateway_at >= '${from}Z' and gateway_at < '${to}Z' returning *)
     insert into ${name} select * from moved`,
  );
  await run(
    "attach",
    `alter table readings attach partition ${name} for values from ('${from}Z') to ('${to}Z')`,
  );
}

/** Drops the days that ended before `before`, with all their readings; returns how many. The default partition stays. */
export async function dropDaysBefore(database: Database, before: Instant): Promise<number> {
  const limit = `readings_${new Date(before).toISOString().slice(0, 10).replaceAll("-", "_")}`;
  const old = await database.query<{ name: string }>(
    {
      name: "partition-list-old",
      // Names sort as their days do.
      text: `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
             where i.inhparent = 'readings'::regclass and c.relname ~ '^readings_[0-9]{4}_[0-9]{2}_[0-9]{2}$' and c.relname < $1
             order by c.relname`,
    },
    [limit],
  );
  for (const { name } of old) {
    await database.transaction(async (tx) => {
      await tx.query({ name: "partition-lock", text: "select pg_advisory_xact_lock($1)" }, [PARTITION_LOCK]);
      await tx.query({ name: `partition-drop-${name}`, text: `drop table if exists ${name}` }, []);
    });
  }
  return old.length;
}
