import type { Queryable } from "../database.ts";

/** Counts for the metrics page. */
export interface Totals {
  readonly gateways: Readonly<Record<string, number>>;
  readonly records: Readonly<Record<string, number>>;
  readonly commands: Readonly<Record<string, number>>;
  readonly quarantined: number;
}

/** Records are counted by the cursors, which are small; commands by their states. */
export async function readTotals(db: Queryable): Promise<Totals> {
  const gateways = await counts(
    db,
    "totals-gateways",
    "select state as label, count(*) as count from gateway_links group by state",
  );
  const records = await counts(
    db,
    "totals-records",
    `select lane::text as label, sum(upper(r) - lower(r))::int8 as count from cursors, unnest(ranges) as r group by lane`,
  );
  const commands = await counts(
    db,
    "totals-commands",
    "select state as label, count(*) as count from commands group by state",
  );
  const quarantined = await counts(
    db,
    "totals-quarantined",
    "select 'all' as label, coalesce(sum(records), 0)::int8 as count from quarantine_counts",
  );
  return { gateways, records, commands, quarantined: quarantined["all"] ?? 0 };
}

async function counts(db: Queryable, name: string, text: string): Promise<Readonly<Record<string, number>>> {
  const rows = await db.query<{ label: string; count: number }>({ name, text }, []);
  return Object.fromEntries(rows.map(({ label, count }) => [label, count]));
}
