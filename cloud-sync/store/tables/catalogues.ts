import type { GatewayId, PointId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import { type Catalogue, type CatalogueKind, sweepOf } from "../../../domain/wire/catalogue.ts";
import { numberArray, type Queryable, type Transaction } from "../database.ts";

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
  await writePoints(tx, gatewayNo, catalogue);
  await writeRetired(tx, gatewayNo, catalogue);
  await tx.query(
    {
      name: "gateway-catalogue",
      text: "update gateways set catalogue_hash = $2, catalogue_at = $3, site_id = $4, site_name = $5 where gateway_no = $1",
    },
    [gatewayNo, told.hash, new Date(told.at), catalogue.siteId, catalogue.name],
  );
}

/**
 * Devices of a model have the same points, so what a point is goes once a kind, and each point as four numbers: the
 * 150,000 of a city's largest gateway are written in some seconds, where as rows of JSON they took half a minute.
 */
async function writePoints(tx: Transaction, gatewayNo: number, catalogue: Catalogue): Promise<void> {
  const columns = {
    device: [] as number[],
    point: [] as number[],
    number: [] as number[],
    sweep: [] as (number | null)[],
  };
  const points: object[] = [];
  const firstOfKind = catalogue.kinds.map((kind) => {
    const first = points.length;
    for (const { range, polled: _, ...rest } of kind.points)
      points.push({ ...rest, range_min: range?.min ?? null, range_max: range?.max ?? null });
    return first;
  });
  for (const [index, device] of catalogue.devices.entries()) {
    for (const [place, point] of catalogue.kinds[device.kind]?.points.entries() ?? []) {
      columns.device.push(index);
      columns.point.push((firstOfKind[device.kind] ?? 0) + place);
      columns.number.push(device.numbers[place] ?? 0);
      columns.sweep.push(sweepOf(device, point));
    }
  }
  await tx.query(
    {
      name: "point-write",
      // Numbers of an older store must not answer for the new one's: 0 is no number.
      text: `with told as materialized (
               select d.id || '/' || k.name as point_id, d.id as device_id, k.name, p.number, k.type, k.unit, k.access, k.range_min,
                 k.range_max, k.command_class, k.poll_class, k.max_age_ms, p.sweep, k.read_back, coalesce(k.interlock_points, '[]')
               from unnest($2::int[], $3::int[], $4::int8[], $5::int8[]) as p(device, point, number, sweep)
                 join rows from (jsonb_array_elements_text($6::jsonb)) with ordinality as d(id, nr) on d.nr = p.device + 1
                 join rows from (jsonb_to_recordset($7::jsonb) as (name text, type text, unit text, access text, range_min float8,
                   range_max float8, "commandClass" text, "pollClass" text, "maxAgeMs" float8, "readBack" text, interlock jsonb)) with ordinality
                   as k(name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back, interlock_points,
                     nr)
                   on k.nr = p.point + 1
             ), gone as (
               update points set retired = true, number = 0 where gateway_no = $1 and (not retired or number <> 0)
                 and not exists (select from told where told.point_id = points.point_id)
             )
             insert into points as o (gateway_no, point_id, device_id, name, number, type, unit, access, range_min, range_max,
               command_class, poll_class, max_age_ms, sweep, read_back, interlock_points)
             select $1, told.* from told
             on conflict (gateway_no, point_id) do update set device_id = excluded.device_id, name = excluded.name,
               number = excluded.number, type = excluded.type, unit = excluded.unit, access = excluded.access,
               range_min = excluded.range_min, range_max = excluded.range_max, command_class = excluded.command_class,
               poll_class = excluded.poll_class, max_age_ms = excluded.max_age_ms, sweep = excluded.sweep,
               read_back = excluded.read_back, interlock_points = excluded.interlock_points, retired = false
             where (o.device_id, o.name, o.number, o.type, o.unit, o.access, o.range_min, o.range_max, o.command_class, o.poll_class,
               o.max_age_ms, o.sweep, o.read_back, o.interlock_points, o.retired) is distinct from (excluded.device_id, excluded.name, excluded.number,
               excluded.type, excluded.unit, excluded.access, excluded.range_min, excluded.range_max, excluded.command_class,
               excluded.poll_class, excluded.max_age_ms, excluded.sweep, excluded.read_back,
               excluded.interlock_points, false)`,
    },
    [
      gatewayNo,
      numberArray(columns.device),
      numberArray(columns.point),
      numberArray(columns.number),
      numberArray(columns.sweep),
      JSON.stringify(catalogue.devices.map(({ id }) => id)),
      JSON.stringify(points),
    ],
  );
}

async function writeDevices(tx: Transaction, gatewayNo: number, catalogue: Catalogue): Promise<void> {
  await tx.query({ name: "device-retire", text: "update devices set retired = true where gateway_no = $1" }, [
    gatewayNo,
  ]);
  const devices = catalogue.devices.map(({ id, name, kind, position, parent, members }) => ({
    ...{ id, name, parent, members },
    ...classOf(catalogue.kinds[kind]),
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

function classOf(kind: CatalogueKind | undefined): object {
  const { class: deviceClass, service, profileId, profileHash } = kind ?? {};
  return { class: deviceClass, service, profileId, profileHash };
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
