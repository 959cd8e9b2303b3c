import type { Queryable } from "../database.ts";
import { GatewayPoints, type PointKind, type PointOwner } from "./gateway-points.ts";

/**
 * The gateway's points of its present store, retired ones included, with their current state. Columns come packed: as
 * rows, the 153,000 of the largest gateway would hold this process up for half a second.
 */
export async function loadPoints(db: Queryable, gatewayNo: number): Promise<GatewayPoints> {
  const owners = await loadOwners(db, gatewayNo);
  const kinds = await db.query<PointKind & { readonly kindNo: number }>(
    {
      name: "points-kinds",
      text: `select kind_no as "kindNo", name, type, poll_class as "pollClass", max_age_ms as "maxAgeMs",
               case when command_class is null then '[]'
                 else jsonb_build_array(name) || coalesce(to_jsonb(read_back), '[]') || interlock_points end as control
             from point_kinds`,
    },
    [],
  );
  const [packed] = await db.query<PackedColumns>(
    {
      name: "points-columns",
      text: `select string_agg(float8send(number::float8), '') as numbers, string_agg(int4send(point_no), '') as "pointNos",
               string_agg(int4send(device_no), '') as owners, string_agg(int4send(kind_no), '') as kinds,
               string_agg(float8send(case when retired then 0 else coalesce(sweep, 0) end::float8), '') as sweeps,
               string_agg(int2send(coalesce(quality, -1::int2)), '') as qualities,
               string_agg(float8send(coalesce(extract(epoch from corrected_at)::float8 * 1000, 'NaN')), '') as "correctedAt"
             from (select p.*, s.quality, s.corrected_at from device_points p left join point_states s using (point_no)
                   where p.gateway_no = $1 and p.number > 0 order by p.number) r`,
    },
    [gatewayNo],
  );
  return new GatewayPoints(kinds, owners.owners, {
    numbers: float64(packed?.numbers),
    pointNos: int32(packed?.pointNos),
    owners: placesOf(int32(packed?.owners), owners.nos),
    kinds: placesOf(
      int32(packed?.kinds),
      kinds.map(({ kindNo }) => kindNo),
    ),
    sweeps: float64(packed?.sweeps),
    qualities: int16(packed?.qualities),
    correctedAt: float64(packed?.correctedAt),
  });
}

async function loadOwners(
  db: Queryable,
  gatewayNo: number,
): Promise<{ readonly owners: readonly PointOwner[]; readonly nos: readonly number[] }> {
  const rows = await db.query<PointOwner & { readonly deviceNo: number }>(
    {
      name: "points-owners",
      text: `select device_no as "deviceNo", device_id as "deviceId", class, profile_id as "profileId" from devices where gateway_no = $1`,
    },
    [gatewayNo],
  );
  // Each row brings its own copy of the same few texts.
  const texts = new Map<string, string>();
  const once = (text: string): string => {
    const known = texts.get(text) ?? text;
    texts.set(text, known);
    return known;
  };
  const owners = rows.map((row) => {
    return { deviceId: row.deviceId, class: once(row.class), profileId: once(row.profileId) };
  });
  return { owners, nos: rows.map(({ deviceNo }) => deviceNo) };
}

function placesOf(nos: Int32Array, of: readonly number[]): Int32Array {
  const placeOf = new Map(of.map((no, place) => [no, place]));
  return nos.map((no) => placeOf.get(no) ?? -1);
}

/** In network byte order, as PostgreSQL's `…send` functions write; null: there are no points. */
interface PackedColumns {
  readonly numbers: Buffer | null;
  readonly pointNos: Buffer | null;
  readonly owners: Buffer | null;
  readonly kinds: Buffer | null;
  readonly sweeps: Buffer | null;
  readonly qualities: Buffer | null;
  readonly correctedAt: Buffer | null;
}

function float64(packed: Buffer | null | undefined): Float64Array {
  const column = new Float64Array((packed?.length ?? 0) / 8);
  for (let at = 0; at < column.length; at += 1) column[at] = packed?.readDoubleBE(at * 8) ?? 0;
  return column;
}

function int32(packed: Buffer | null | undefined): Int32Array {
  const column = new Int32Array((packed?.length ?? 0) / 4);
  for (let at = 0; at < column.length; at += 1) column[at] = packed?.readInt32BE(at * 4) ?? 0;
  return column;
}

function int16(packed: Buffer | null | undefined): Int16Array {
  const column = new Int16Array((packed?.length ?? 0) / 2);
  for (let at = 0; at < column.length; at += 1) column[at] = packed?.readInt16BE(at * 2) ?? 0;
  return column;
}
