import type { Instant } from "../../../domain/time.ts";
import type { Queryable, Transaction } from "../database.ts";

/** What the center itself found and a person must see. */
export const CENTER_ALARMS = {
  "lineage-fork": "high",
  "two-gateways-one-identity": "high",
  "record-content-differs": "high",
  "evidence-chain-broken": "high",
  "store-lost": "medium",
  "generation-behind": "high",
  "records-quarantined": "medium",
} as const satisfies Record<string, "low" | "medium" | "high">;
export type CenterAlarmName = keyof typeof CENTER_ALARMS;

export interface CenterAlarm {
  readonly gatewayNo: number;
  readonly name: CenterAlarmName;
  readonly subject: string;
  readonly detail: string;
  readonly at: Instant;
}

/** Raises it, or counts it once more while it stands uncleared. */
export async function raiseAlarm(db: Queryable, alarm: CenterAlarm): Promise<void> {
  await db.query(
    {
      name: "alarm-raise",
      text: `insert into center_alarms (gateway_no, name, severity, subject, detail, raised_at, last_at)
             values ($1, $2, $3, $4, $5, $6, $6)
             on conflict (coalesce(gateway_no, 0), name, subject) where cleared_at is null
             do update set last_at = excluded.last_at, detail = excluded.detail, occurrences = center_alarms.occurrences + 1`,
    },
    [alarm.gatewayNo, alarm.name, CENTER_ALARMS[alarm.name], alarm.subject, alarm.detail, new Date(alarm.at)],
  );
}

export interface AlarmRow {
  readonly alarm_no: number;
  readonly gateway_id: string | null;
  /** A point's name, or one of {@link CENTER_ALARMS}. */
  readonly name: string;
  readonly severity: "low" | "medium" | "high";
  /** The point's id, or what of the center or gateway it is about. */
  readonly subject: string;
  readonly detail: string;
  /** Null: the center's own. */
  readonly point_no: number | null;
  readonly raised_at: Instant;
  readonly last_at: Instant;
  readonly occurrences: number;
  readonly cleared_at: Instant | null;
  readonly acknowledged_at: Instant | null;
  readonly acknowledged_by: string | null;
  readonly acknowledgement: string | null;
  readonly shelved_until: Instant | null;
  readonly shelved_by: string | null;
  readonly shelving_reason: string | null;
}

const SELECT = `select a.alarm_no, g.gateway_id, a.name, a.severity, a.subject, a.detail, a.point_no, a.raised_at, a.last_at,
  a.occurrences, a.cleared_at, a.acknowledged_at, a.acknowledged_by, a.acknowledgement, a.shelved_until, a.shelved_by,
  a.shelving_reason
  from center_alarms a left join gateways g using (gateway_no)`;

/** Alarms that are active or that nobody has acknowledged, newest first, at most 1,000. */
export function listAlarms(db: Queryable): Promise<readonly AlarmRow[]> {
  const text = `${SELECT} where a.cleared_at is null or a.acknowledged_at is null
                order by a.last_at desc, a.alarm_no desc limit 1000`;
  return db.query<AlarmRow>({ name: "alarm-list", text }, []);
}

/** How many there are, without the bound of the list. */
export async function countAlarms(db: Queryable): Promise<number> {
  const text =
    "select count(*) as count from center_alarms where cleared_at is null or acknowledged_at is null";
  const [row] = await db.query<{ count: number }>({ name: "alarm-count", text }, []);
  return row?.count ?? 0;
}

/** Held until the transaction ends. */
export async function lockAlarm(tx: Transaction, alarmNo: number): Promise<AlarmRow | undefined> {
  const text = `${SELECT} where a.alarm_no = $1 for update of a`;
  const [row] = await tx.query<AlarmRow>({ name: "alarm-lock", text }, [alarmNo]);
  return row;
}

/** The center's own have no end that could be seen: a person's acknowledgement is their end. */
export async function acknowledgeAlarm(
  tx: Transaction,
  alarmNo: number,
  by: { readonly actor: string; readonly note: string | null; readonly at: Instant },
): Promise<void> {
  await tx.query(
    {
      name: "alarm-acknowledge",
      text: `update center_alarms set acknowledged_at = $2, acknowledged_by = $3, acknowledgement = $4,
               cleared_at = case when point_no is null then coalesce(cleared_at, $2) else cleared_at end
             where alarm_no = $1`,
    },
    [alarmNo, new Date(by.at), by.actor, by.note],
  );
}

/** Null `until`: it is taken off the shelf. */
export async function shelveAlarm(
  tx: Transaction,
  alarmNo: number,
  by: { readonly actor: string; readonly reason: string; readonly until: Instant | null },
): Promise<void> {
  const shelved = by.until === null ? [null, null, null] : [new Date(by.until), by.actor, by.reason];
  await tx.query(
    {
      name: "alarm-shelve",
      text: "update center_alarms set shelved_until = $2, shelved_by = $3, shelving_reason = $4 where alarm_no = $1",
    },
    [alarmNo, ...shelved],
  );
}
