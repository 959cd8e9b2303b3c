import type { Instant } from "../../../domain/time.ts";
import type { Queryable } from "../database.ts";

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

export interface CenterAlarmRow {
  readonly alarm_no: number;
  readonly gateway_id: string | null;
  readonly name: CenterAlarmName;
  readonly severity: "low" | "medium" | "high";
  readonly subject: string;
  readonly detail: string;
  readonly raised_at: Instant;
  readonly last_at: Instant;
  readonly occurrences: number;
}

/** Uncleared alarms, newest first, at most 1,000. */
export function listAlarms(db: Queryable): Promise<readonly CenterAlarmRow[]> {
  const text = `select a.alarm_no, g.gateway_id, a.name, a.severity, a.subject, a.detail, a.raised_at, a.last_at, a.occurrences
                from center_alarms a left join gateways g using (gateway_no)
                where a.cleared_at is null order by a.last_at desc, a.alarm_no desc limit 1000`;
  return db.query<CenterAlarmRow>({ name: "alarm-list", text }, []);
}
