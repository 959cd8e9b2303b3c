import type { GatewayId, PointId } from "../../../domain/ids.ts";
import type { Queryable } from "../database.ts";
import type { PointRow } from "../tables/catalogues.ts";

export interface DeviceRow {
  readonly device_id: string;
  readonly name: string;
  readonly class: string;
  readonly service: string;
  readonly profile_id: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly parent: string | null;
  readonly members: readonly string[];
}

export interface DeviceView extends DeviceRow {
  readonly points: readonly DevicePointRow[];
}
export type DevicePointRow = Omit<PointRow, "gateway_id" | "point_no">;

/** Devices that the site still has, after `after` in order of their ids, at most `limit`. */
export async function listDevices(
  db: Queryable,
  asked: { readonly gatewayId: GatewayId; readonly after: string; readonly limit: number },
): Promise<readonly DeviceView[]> {
  const devices = await db.query<DeviceRow>(
    {
      name: "device-view",
      text: `select d.device_id, d.name, d.class, d.service, d.profile_id, d.latitude, d.longitude, d.parent, d.members
             from devices d join gateways g using (gateway_no)
             where g.gateway_id = $1 and not d.retired and d.device_id > $2 order by d.device_id limit $3`,
    },
    [asked.gatewayId, asked.after, asked.limit],
  );
  const points = await db.query<DevicePointRow>(
    {
      name: "device-view-points",
      text: `select p.point_id, p.device_id, p.name, p.type, p.unit, p.access, p.range_min, p.range_max, p.command_class,
               p.max_age_ms, p.sweep, p.read_back, p.takes
             from points p join gateways g using (gateway_no)
             where g.gateway_id = $1 and not p.retired and p.device_id = any($2) order by p.point_no`,
    },
    [asked.gatewayId, devices.map((device) => device.device_id)],
  );
  const byDevice = Map.groupBy(points, (point) => point.device_id);
  return devices.map((device) => ({ ...device, points: byDevice.get(device.device_id) ?? [] }));
}

/** The points of one device that the site still has. */
export async function listDevicePointIds(
  db: Queryable,
  gatewayId: GatewayId,
  deviceId: string,
): Promise<readonly PointId[]> {
  const rows = await db.query<{ point_id: PointId }>(
    {
      name: "device-view-point-ids",
      text: `select p.point_id from points p join gateways g using (gateway_no)
             where g.gateway_id = $1 and p.device_id = $2 and not p.retired`,
    },
    [gatewayId, deviceId],
  );
  return rows.map((row) => row.point_id);
}

/** Those of them that can be read, in their order. */
export async function listReadablePointIds(
  db: Queryable,
  gatewayId: GatewayId,
  deviceId: string,
): Promise<readonly PointId[]> {
  const rows = await db.query<{ point_id: PointId }>(
    {
      name: "device-view-readable-ids",
      text: `select p.point_id from points p join gateways g using (gateway_no)
             where g.gateway_id = $1 and p.device_id = $2 and not p.retired and p.access <> 'write' and p.type <> 'action'
             order by p.point_no`,
    },
    [gatewayId, deviceId],
  );
  return rows.map((row) => row.point_id);
}
