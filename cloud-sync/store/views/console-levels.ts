import type { Instant } from "../../../domain/time.ts";
import { numberArray, type Queryable } from "../database.ts";
import type { PointTakes } from "../points/point-takes.ts";

export interface LevelRow {
  readonly point_no: number;
  /** Codes of `value-columns.ts`. */
  readonly value_kind: number;
  readonly value_number: number | null;
  readonly value_text: string | null;
  readonly quality: number;
  /** When it was told, by this center's clock as well as it can be known. */
  readonly at: Instant;
}

/** The gateway's own clock is mapped by its last heartbeat where no better correction exists (I19). */
const AT = "coalesce(s.corrected_at, s.gateway_at + (l.last_heard_at - l.gateway_now), s.received_at) as at";

/** Current state of these points; those never told have no row. One parameter of at most some 150,000 numbers. */
export function listLevels(db: Queryable, pointNos: readonly number[]): Promise<readonly LevelRow[]> {
  const text = `select s.point_no, s.value_kind, s.value_number, s.value_text, s.quality, ${AT}
    from unnest($1::int[]) as asked(point_no) join point_states s using (point_no)
      left join gateway_links l on l.gateway_no = s.gateway_no`;
  return db.query<LevelRow>({ name: "console-levels", text }, [numberArray(pointNos)]);
}

/** Which of these booleans are true now, and vouched for. */
export async function listRaised(db: Queryable, pointNos: readonly number[]): Promise<ReadonlySet<number>> {
  const text = `select s.point_no from unnest($1::int[]) as asked(point_no) join point_states s using (point_no)
    where s.value_kind = 2 and s.value_number = 1`;
  const rows = await db.query<{ point_no: number }>({ name: "console-raised", text }, [
    numberArray(pointNos),
  ]);
  return new Set(rows.map((row) => row.point_no));
}

export interface DevicePointStateRow {
  readonly point_no: number;
  readonly name: string;
  readonly type: string | null;
  readonly unit: string | null;
  readonly access: string | null;
  readonly range_min: number | null;
  readonly range_max: number | null;
  readonly command_class: string | null;
  readonly poll_class: string | null;
  readonly max_age_ms: number | null;
  readonly sweep: number | null;
  readonly read_back: string | null;
  readonly takes: PointTakes;
  /** Null, as all that follows: never told. */
  readonly value_kind: number | null;
  readonly value_number: number | null;
  readonly value_text: string | null;
  readonly quality: number | null;
  readonly cause: number | null;
  readonly at: Instant | null;
}

/** Every point of one device with its current state. */
export function listDevicePoints(
  db: Queryable,
  device: { readonly gatewayId: string; readonly deviceId: string },
): Promise<readonly DevicePointStateRow[]> {
  const text = `select p.point_no, p.name, p.type, p.unit, p.access, p.range_min, p.range_max, p.command_class, p.poll_class,
      p.max_age_ms, p.sweep, p.read_back, p.takes, s.value_kind, s.value_number, s.value_text, s.quality, s.cause, ${AT}
    from points p join gateways g using (gateway_no) left join point_states s using (point_no)
      left join gateway_links l on l.gateway_no = g.gateway_no
    where g.gateway_id = $1 and p.device_id = $2 and not p.retired order by p.point_no`;
  return db.query<DevicePointStateRow>({ name: "console-device-points", text }, [
    device.gatewayId,
    device.deviceId,
  ]);
}

export interface DeviceDetailRow {
  readonly name: string;
  readonly class: string;
  readonly service: string;
  readonly profile_id: string;
  readonly parent: string | null;
  readonly members: readonly string[];
}

export async function findDevice(
  db: Queryable,
  device: { readonly gatewayId: string; readonly deviceId: string },
): Promise<DeviceDetailRow | undefined> {
  const text = `select d.name, d.class, d.service, d.profile_id, d.parent, d.members
    from devices d join gateways g using (gateway_no)
    where g.gateway_id = $1 and d.device_id = $2 and not d.retired`;
  const [row] = await db.query<DeviceDetailRow>({ name: "console-device", text }, [
    device.gatewayId,
    device.deviceId,
  ]);
  return row;
}
