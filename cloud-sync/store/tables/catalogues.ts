import type { GatewayId, PointId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import { type Catalogue, type CatalogueKind, sweepOf } from "../../../domain/wire/catalogue.ts";
import { numberArray, type Queryable, type Transaction } from "../database.ts";
import type { KnownPoint } from "../points/gateway-points.ts";
import type { PointTakes } from "../points/point-takes.ts";
import { splitPointId } from "../points/split-point-id.ts";

/**
 * Replaces what the gateway told before. What is left out stays as retired: its history refers to it. `kindNos`: of
 * the catalogue's kinds, in their order, as `keepKinds` gave them.
 */
export async function writeCatalogue(
  tx: Transaction,
  told: {
    readonly gatewayNo: number;
    readonly hash: string;
    readonly catalogue: Catalogue;
    readonly kindNos: readonly (readonly number[])[];
    readonly at: Instant;
  },
): Promise<void> {
  const { gatewayNo, catalogue, kindNos } = told;
  const deviceNos = await writeDevices(tx, gatewayNo, catalogue);
  await writePoints(tx, gatewayNo, pointColumns(catalogue, { deviceNos, kindNos }));
  if (catalogue.retired.length > 0) await writeRetired(tx, gatewayNo, catalogue);
  await tx.query(
    {
      name: "gateway-catalogue",
      text: "update gateways set catalogue_hash = $2, catalogue_at = $3, site_id = $4, site_name = $5 where gateway_no = $1",
    },
    [gatewayNo, told.hash, new Date(told.at), catalogue.siteId, catalogue.name],
  );
}

interface PointColumns {
  readonly deviceNo: readonly number[];
  readonly kindNo: readonly number[];
  readonly number: readonly number[];
  readonly sweep: readonly (number | null)[];
}

function pointColumns(
  { devices, kinds }: Catalogue,
  nos: {
    readonly deviceNos: ReadonlyMap<string, number>;
    readonly kindNos: readonly (readonly number[])[];
  },
): PointColumns {
  const deviceNo: number[] = [];
  const kindNo: number[] = [];
  const number: number[] = [];
  const sweep: (number | null)[] = [];
  for (const device of devices) {
    const of = nos.deviceNos.get(device.id) ?? 0;
    for (const [place, point] of kinds[device.kind]?.points.entries() ?? []) {
      deviceNo.push(of);
      kindNo.push(nos.kindNos[device.kind]?.[place] ?? 0);
      number.push(device.numbers[place] ?? 0);
      sweep.push(sweepOf(device, point));
    }
  }
  return { deviceNo, kindNo, number, sweep };
}

/** A point as four numbers: the 153,000 of a city's largest gateway are a second's work. */
async function writePoints(tx: Transaction, gatewayNo: number, told: PointColumns): Promise<void> {
  // The planner takes the arrays for a handful of rows: with nested loops it would compare each point with each.
  await tx.query({ name: "point-write-by-hash", text: "set local enable_nestloop = off" }, []);
  await tx.query(
    {
      name: "point-write",
      // Numbers of an older store must not answer for the new one's: 0 is no number.
      text: `with told as materialized (
               select t.device_no, t.kind_no, k.name, t.number, t.sweep, t.nr
               from unnest($2::int[], $3::int[], $4::int8[], $5::int8[]) with ordinality as t(device_no, kind_no, number, sweep, nr)
                 join point_kinds k using (kind_no)
             ), gone as (
               update device_points p set retired = true, number = 0 where gateway_no = $1 and (not retired or number <> 0)
                 and not exists (select from told t where t.device_no = p.device_no and t.name = p.name)
             ), changed as (
               update device_points p set kind_no = t.kind_no, number = t.number, sweep = t.sweep, retired = false
               from told t where p.gateway_no = $1 and p.device_no = t.device_no and p.name = t.name
                 and (p.kind_no, p.number, p.sweep, p.retired) is distinct from (t.kind_no, t.number, t.sweep, false)
             )
             insert into device_points (gateway_no, device_no, name, kind_no, number, sweep)
             select $1, t.device_no, t.name, t.kind_no, t.number, t.sweep from told t
             where not exists (
               select from device_points p where p.gateway_no = $1 and p.device_no = t.device_no and p.name = t.name
             ) order by t.nr`,
    },
    [
      gatewayNo,
      numberArray(told.deviceNo),
      numberArray(told.kindNo),
      numberArray(told.number),
      numberArray(told.sweep),
    ],
  );
  await tx.query({ name: "point-write-done", text: "set local enable_nestloop = on" }, []);
}

/** Gives the center's numbers of the devices by their ids. */
async function writeDevices(
  tx: Transaction,
  gatewayNo: number,
  catalogue: Catalogue,
): Promise<ReadonlyMap<string, number>> {
  await tx.query({ name: "device-retire", text: "update devices set retired = true where gateway_no = $1" }, [
    gatewayNo,
  ]);
  const devices = catalogue.devices.map(({ id, name, kind, position, parent, members }) => ({
    ...{ id, name, parent, members },
    ...classOf(catalogue.kinds[kind]),
    latitude: position?.latitude ?? null,
    longitude: position?.longitude ?? null,
  }));
  const rows = await tx.query<{ device_id: string; device_no: number }>(
    {
      name: "device-write",
      text: `insert into devices (gateway_no, device_id, name, class, service, profile_id, profile_hash, latitude, longitude, parent, members)
             select $1, d.id, d.name, d.class, d.service, d."profileId", d."profileHash", d.latitude, d.longitude, d.parent, d.members
             from jsonb_to_recordset($2::jsonb) as d(id text, name text, class text, service text, "profileId" text, "profileHash" text,
               latitude float8, longitude float8, parent text, members jsonb)
             on conflict (gateway_no, device_id) do update set name = excluded.name, class = excluded.class,
               service = excluded.service, profile_id = excluded.profile_id, profile_hash = excluded.profile_hash,
               latitude = excluded.latitude, longitude = excluded.longitude, parent = excluded.parent,
               members = excluded.members, retired = false
             returning device_id, device_no`,
    },
    [gatewayNo, JSON.stringify(devices)],
  );
  return new Map(rows.map((row) => [row.device_id, row.device_no]));
}

function classOf(kind: CatalogueKind | undefined): object {
  const { class: deviceClass, service, profileId, profileHash } = kind ?? {};
  return { class: deviceClass, service, profileId, profileHash };
}

/** Points, and even devices, that the center may never have known. */
async function writeRetired(tx: Transaction, gatewayNo: number, catalogue: Catalogue): Promise<void> {
  const retired = catalogue.retired.map(({ pointId, number }) => {
    const [device_id, name] = splitPointId(pointId);
    return { device_id, name, number };
  });
  const told = "jsonb_to_recordset($2::jsonb) as p(device_id text, name text, number bigint)";
  const values = [gatewayNo, JSON.stringify(retired)];
  await tx.query(
    {
      name: "device-write-retired",
      text: `insert into devices (gateway_no, device_id, name, class, service, profile_id, profile_hash, members, retired)
             select distinct $1::int, p.device_id, p.device_id, '', '', '', '', '[]'::jsonb, true from ${told} on conflict do nothing`,
    },
    values,
  );
  await tx.query(
    {
      name: "point-write-retired",
      text: `insert into device_points (gateway_no, device_no, name, kind_no, number, retired)
             select $1, d.device_no, p.name, k.kind_no, p.number, true
             from ${told} join devices d on d.gateway_no = $1 and d.device_id = p.device_id
               join point_kinds k on k.name = p.name and k.type is null
             on conflict (gateway_no, device_no, name) do update set number = excluded.number, retired = true`,
    },
    values,
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
  readonly takes: PointTakes;
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
               p.command_class, p.max_age_ms, p.sweep, p.read_back, p.interlock_points, p.takes, coalesce(d.members, '[]') as members
             from points p join gateways g using (gateway_no)
               left join devices d using (device_no)
             where g.gateway_id = $1 and p.device_id = $2 and p.name = $3 and not p.retired`,
    },
    [gatewayId, ...splitPointId(pointId)],
  );
  return row;
}
