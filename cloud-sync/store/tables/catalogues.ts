import type { GatewayId, PointId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Catalogue } from "../../../domain/wire/catalogue.ts";
import type { Queryable, Transaction } from "../database.ts";

/** A point as ingest must know it. */
export interface KnownPoint {
  readonly pointNo: number;
  readonly pointId: PointId;
  /** Null: retired before the center ever knew it. */
  readonly type: "number" | "boolean" | "text" | "action" | null;
}

/** The gateway's point numbers of its present store, retired ones included. */
export async function loadPoints(db: Queryable, gatewayNo: number): Promise<ReadonlyMap<number, KnownPoint>> {
  const rows = await db.query<{
    point_no: number;
    number: number;
    point_id: PointId;
    type: KnownPoint["type"];
  }>(
    {
      name: "point-load",
      text: "select point_no, number, point_id, type from points where gateway_no = $1 and number > 0",
    },
    [gatewayNo],
  );
  return new Map(
    rows.map((row) => [row.number, { pointNo: row.point_no, pointId: row.point_id, type: row.type }]),
  );
}

/** Replaces what the gateway told before. What is left out stays as retired: its history refers to it. */
export async function writeCatalogue(
  tx: Transaction,
  told: {
    readonly gatewayNo: number;
    readonly hash: string;
    readonly catalogue: Catalogue;
    readonly at: Instant;
  },
): Promise<void> {
  const { gatewayNo, catalogue } = told;
  await writeDevices(tx, gatewayNo, catalogue);
  // Numbers of an older store must not answer for the new one's: 0 is no number.
  await tx.query(
    { name: "point-retire", text: "update points set retired = true, number = 0 where gateway_no = $1" },
    [gatewayNo],
  );
  const points = catalogue.devices.flatMap((device) =>
    device.points.map((point) => ({
      ...point,
      point_id: `${device.id}/${point.name}`,
      device_id: device.id,
      range_min: point.range?.min ?? null,
      range_max: point.range?.max ?? null,
    })),
  );
  await tx.query(
    {
      name: "point-write",
      text: `insert into points (gateway_no, point_id, device_id, name, number, type, unit, access, range_min, range_max,
               command_class, poll_class, max_age_ms, sweep, read_back, interlock_points)
             select $1, p.point_id, p.device_id, p.name, p.number, p.type, p.unit, p.access, p.range_min, p.range_max,
               p."commandClass", p."pollClass", p."maxAgeMs", p.sweep, p."readBack", coalesce(p.interlock, '[]')
             from jsonb_to_recordset($2::jsonb) as p(point_id text, device_id text, name text, number bigint, type text, unit text,
               access text, range_min float8, range_max float8, "commandClass" text, "pollClass" text, "maxAgeMs" float8, sweep bigint,
               "readBack" text, interlock jsonb)
             on conflict (gateway_no, point_id) do update set device_id = excluded.device_id, name = excluded.name,
               number = excluded.number, type = excluded.type, unit = excluded.unit, access = excluded.access,
               range_min = excluded.range_min, range_max = excluded.range_max, command_class = excluded.command_class,
               poll_class = excluded.poll_class, max_age_ms = excluded.max_age_ms, sweep = excluded.sweep,
               read_back = excluded.read_back, interlock_points = excluded.interlock_points, retired = false`,
    },
    [gatewayNo, JSON.stringify(points)],
  );
  await writeRetired(tx, gatewayNo, catalogue);
  await tx.query(
    {
      name: "gateway-catalogue",
      text: "update gateways set catalogue_hash = $2, catalogue_at = $3, site_id = $4, site_name = $5 where gateway_no = $1",
    },
    [gatewayNo, told.hash, new Date(told.at), catalogue.siteId, catalogue.name],
  );
}

async function writeDevices(tx: Transaction, gatewayNo: number, catalogue: Catalogue): Promise<void> {
  await tx.query({ name: "device-retire", text: "update devices set retired = true where gateway_no = $1" }, [
    gatewayNo,
  ]);
  const devices = catalogue.devices.map(({ points: _, position, ...device }) => ({
    ...device,
    latitude: position?.latitude ?? null,
    longitude: position?.longitude ?? null,
  }));
  await tx.query(
    {
      name: "device-write",
      text: `insert into devices (gateway_no, device_id, name, class, service, profile_id, profile_hash, latitude, longitude, parent, members)
             select $1, d.id, d.name, d.class, d.service, d."profileId", d."profileHash", d.latitude, d.longitude, d.parent, d.members
             from jsonb_to_recordset($2::jsonb) as d(id text, name text, class text, service text, "profileId" text, "profileHash" text,
               latitude float8, longitude float8, parent text, members jsonb)
             on conflict (gateway_no, device_id) do update set name = excluded.name, class = excluded.class,
               service = excluded.service, profile_id = excluded.profile_id, profile_hash = excluded.profile_hash,
               latitude = excluded.latitude, longitude = excluded.longitude, parent = excluded.parent,
               members = excluded.members, retired = false`,
    },
    [gatewayNo, JSON.stringify(devices)],
  );
}

async function writeRetired(tx: Transaction, gatewayNo: number, catalogue: Catalogue): Promise<void> {
  const retired = catalogue.retired.map(({ pointId, number }) => {
    const [deviceId = pointId, name = pointId] = pointId.split("/");
    return { point_id: pointId, device_id: deviceId, name, number };
  });
  await tx.query(
    {
      name: "point-write-retired",
      text: `insert into points (gateway_no, point_id, device_id, name, number, retired)
             select $1, p.point_id, p.device_id, p.name, p.number, true
             from jsonb_to_recordset($2::jsonb) as p(point_id text, device_id text, name text, number bigint)
             on conflict (gateway_no, point_id) do update set number = excluded.number, retired = true`,
    },
    [gatewayNo, JSON.stringify(retired)],
  );
}

export interface PointRow {
  readonly gateway_id: GatewayId;
  readonly point_no: number;
  readonly point_id: PointId;
  readonly device_id: string;
  readonly name: string;
  readonly type: KnownPoint["type"];
  readonly unit: string | null;
  readonly access: "read" | "write" | "read-write" | null;
  readonly range_min: number | null;
  readonly range_max: number | null;
  readonly command_class: "K1" | "K2" | "K3" | null;
  readonly max_age_ms: number | null;
  readonly sweep: number | null;
  readonly read_back: string | null;
  /** Names of points of the same device. */
  readonly interlock_points: readonly string[];
  /** Of the device, for a group whose members prove its writes. */
  readonly members: readonly string[];
}

/** One point that the site still has. */
export async function findPoint(
  db: Queryable,
  gatewayId: GatewayId,
  pointId: PointId,
): Promise<PointRow | undefined> {
  const [row] = await db.query<PointRow>(
    {
      name: "point-find",
      text: `select g.gateway_id, p.point_no, p.point_id, p.device_id, p.name, p.type, p.unit, p.access, p.range_min, p.range_max,
               p.command_class, p.max_age_ms, p.sweep, p.read_back, p.interlock_points, coalesce(d.members, '[]') as members
             from points p join gateways g using (gateway_no)
               left join devices d on d.gateway_no = p.gateway_no and d.device_id = p.device_id
             where g.gateway_id = $1 and p.point_id = $2 and not p.retired`,
    },
    [gatewayId, pointId],
  );
  return row;
}
