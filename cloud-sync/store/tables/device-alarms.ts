import type { GatewayId, PointId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import { NO_ALARM } from "../alarm-points.ts";
import { numberArray, type Queryable, type Transaction } from "../database.ts";
import { NAMED_POINTS, namedColumns } from "../points/named-points.ts";

/** The names that boolean points of any site have or had: some hundred for the city. */
export async function listBooleanNames(db: Queryable): Promise<readonly string[]> {
  const rows = await db.query<{ name: string }>(
    {
      name: "alarm-point-names",
      text: "select distinct name from point_kinds where type = 'boolean'",
    },
    [],
  );
  return rows.map(({ name }) => name);
}

/** Where to look; `gatewayId` null: everywhere. */
export interface AlarmScope {
  readonly gatewayId: GatewayId | null;
  /** Names of the points that tell of trouble. */
  readonly names: readonly string[];
}

export interface AlarmChange {
  readonly gateway_id: GatewayId;
  readonly point_no: number;
  readonly point_id: PointId;
  readonly name: string;
  /** When the point was told so, by this center's clock as well as it can be known. */
  readonly at: Instant;
}

const AT = "coalesce(s.corrected_at, s.gateway_at + (l.last_heard_at - l.gateway_now), s.received_at) as at";
const COLUMNS = `g.gateway_id, p.point_no, p.point_id, p.name, ${AT}`;
const LINK = "left join gateway_links l on l.gateway_no = p.gateway_no";
const IS_ALARM = `not (p.name = '${NO_ALARM.name}'
  and exists (select from devices d where d.device_no = p.device_no and d.class = '${NO_ALARM.class}'))`;
const OF_GATEWAY = "(select gateway_no from gateways where gateway_id = $1)";
/** As many as one look takes: the rest is found by the next. */
const LIMIT = "order by p.point_no limit 10000";
const UNRAISED = `and ${IS_ALARM} and not p.retired and s.value_kind = 2 and s.value_number = 1
  and not exists (select from center_alarms a where a.point_no = p.point_no and a.cleared_at is null) ${LIMIT}`;

/**
 * Points that are true and have no alarm yet. What is true is found first and each point then looked up by itself: as a join,
 * the planner takes all points of all gateways for each while it has no statistics of them.
 */
export function listUnraised(
  db: Queryable,
  { gatewayId, names }: AlarmScope,
): Promise<readonly AlarmChange[]> {
  const text = `select ${COLUMNS} from point_states s
    cross join lateral (select each.* from points each where each.point_no = s.point_no offset 0) as p
    join gateways g on g.gateway_no = p.gateway_no ${LINK}
    where ($1::text is null or s.gateway_no = ${OF_GATEWAY}) and p.name = any($2) ${UNRAISED}`;
  return db.query({ name: "alarm-unraised", text }, [gatewayId, [...names]]);
}

/** The same among these points of a gateway. */
export function listUnraisedOf(
  db: Queryable,
  gatewayId: GatewayId,
  pointIds: readonly PointId[],
): Promise<readonly AlarmChange[]> {
  const text = `select ${COLUMNS} from ${NAMED_POINTS} join gateways g on g.gateway_no = p.gateway_no
    join point_states s using (point_no) ${LINK} where true ${UNRAISED}`;
  return db.query({ name: "alarm-unraised-named", text }, [gatewayId, ...namedColumns(pointIds)]);
}

/** Alarms whose point is false again, or is not of the site any more. What is unknown stays as it was. */
export function listUncleared(db: Queryable, gatewayId: GatewayId | null): Promise<readonly AlarmChange[]> {
  const text = `select ${COLUMNS} from center_alarms a
    cross join lateral (select each.* from points each where each.point_no = a.point_no offset 0) as p
    join point_states s on s.point_no = a.point_no join gateways g on g.gateway_no = p.gateway_no ${LINK}
    where a.point_no is not null and a.cleared_at is null and ($1::text is null or a.gateway_no = ${OF_GATEWAY})
      and (p.retired or (s.value_kind = 2 and s.value_number = 0)) ${LIMIT}`;
  return db.query({ name: "alarm-uncleared", text }, [gatewayId]);
}

/** Raised once a point: a repeat changes nothing. A shelved point's next alarm is shelved as well. */
export async function raiseDeviceAlarms(
  tx: Transaction,
  alarms: readonly (AlarmChange & { readonly severity: "low" | "medium" | "high" })[],
): Promise<void> {
  const told = alarms.map(({ point_no, point_id, name, severity, at }) => ({
    no: point_no,
    id: point_id,
    name,
    severity,
    at,
  }));
  await tx.query(
    {
      name: "alarm-raise-device",
      text: `insert into center_alarms (gateway_no, point_no, name, severity, subject, detail, raised_at, last_at, shelved_until,
               shelved_by, shelving_reason)
             select p.gateway_no, p.point_no, r.name, r.severity, r.id, '', to_timestamp(r.at / 1000), to_timestamp(r.at / 1000),
               h.shelved_until, h.shelved_by, h.shelving_reason
             from jsonb_to_recordset($1::jsonb) as r(no int, id text, name text, severity text, at float8)
               join points p on p.point_no = r.no
               left join lateral (select a.shelved_until, a.shelved_by, a.shelving_reason from center_alarms a
                 where a.point_no = p.point_no and a.shelved_until > now() order by a.alarm_no desc limit 1) h on true
             on conflict do nothing`,
    },
    [JSON.stringify(told)],
  );
}

export async function clearDeviceAlarms(tx: Transaction, cleared: readonly AlarmChange[]): Promise<void> {
  await tx.query(
    {
      name: "alarm-clear-device",
      text: `update center_alarms a set cleared_at = greatest(a.raised_at, to_timestamp(r.at / 1000))
             from unnest($1::int[], $2::float8[]) as r(no, at) where a.point_no = r.no and a.cleared_at is null`,
    },
    [numberArray(cleared.map(({ point_no }) => point_no)), cleared.map(({ at }) => at)],
  );
}
