import type { GatewayId } from "../../../domain/ids.ts";
import { NO_ALARM } from "../alarm-points.ts";
import type { Queryable } from "../database.ts";

/** One point of one device that stands for all devices of its profile. */
export interface ProfilePointRow {
  readonly profile: string;
  /** Of its devices. */
  readonly class: string;
  readonly name: string;
  readonly type: string | null;
  readonly unit: string | null;
  readonly access: string | null;
  readonly command_class: string | null;
  readonly read_back: string | null;
  readonly sweep: number | null;
}

/** Points of each profile that any gateway told of, by an example. `profile` is its id and its hash. */
export function listProfilePoints(db: Queryable): Promise<readonly ProfilePointRow[]> {
  const text = `select e.profile, e.class, p.name, p.type, p.unit, p.access, p.command_class, p.read_back, p.sweep
    from (select distinct on (profile_id, profile_hash) profile_id || ' ' || profile_hash as profile, class, device_no
          from devices where not retired order by profile_id, profile_hash, device_no) e
      join points p on p.device_no = e.device_no and not p.retired
    order by e.profile, p.point_no`;
  return db.query<ProfilePointRow>({ name: "console-profile-points", text }, []);
}

export interface PlaceRow {
  readonly gateway_id: GatewayId;
  readonly device_id: string;
  readonly name: string;
  readonly class: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly parent: string | null;
  readonly member_count: number;
  readonly level_no: number | null;
  readonly level_name: string | null;
  readonly level_unit: string | null;
  readonly max_age_ms: number | null;
  readonly sweep: number | null;
  readonly command_name: string | null;
  readonly command_class: string | null;
}

/** Columns of the choice made for each profile, in one order. */
export interface ChosenPoints {
  readonly profiles: readonly string[];
  readonly levels: readonly (string | null)[];
  readonly commands: readonly (string | null)[];
}

/** Every device that a site still has, in order of gateway and device: some 36,000 rows for the city. */
export function listPlaces(db: Queryable, chosen: ChosenPoints): Promise<readonly PlaceRow[]> {
  const text = `select g.gateway_id, d.device_id, d.name, d.class, d.latitude, d.longitude, d.parent,
      jsonb_array_length(d.members) as member_count, l.point_no as level_no, l.name as level_name, lk.unit as level_unit, lk.max_age_ms, l.sweep,
      c.name as command_name, ck.command_class
    from devices d join gateways g using (gateway_no)
      left join unnest($1::text[], $2::text[], $3::text[]) as m(profile, level, command)
        on m.profile = d.profile_id || ' ' || d.profile_hash
      left join device_points l on l.gateway_no = d.gateway_no and l.device_no = d.device_no and l.name = m.level and not l.retired
      left join point_kinds lk on lk.kind_no = l.kind_no
      left join device_points c on c.gateway_no = d.gateway_no and c.device_no = d.device_no and c.name = m.command and not c.retired
      left join point_kinds ck on ck.kind_no = c.kind_no
    where not d.retired order by g.gateway_id, d.device_id`;
  return db.query<PlaceRow>({ name: "console-places", text }, [
    [...chosen.profiles],
    [...chosen.levels],
    [...chosen.commands],
  ]);
}

export interface AlarmPointRow {
  readonly gateway_id: GatewayId;
  readonly device_id: string;
  readonly point_no: number;
}

/** Points of these names, of all devices. */
export function listAlarmPoints(db: Queryable, names: readonly string[]): Promise<readonly AlarmPointRow[]> {
  const text = `select g.gateway_id, p.device_id, p.point_no from points p join gateways g using (gateway_no)
    join devices d using (device_no)
    where not p.retired and p.type = 'boolean' and p.name = any($1) and (d.class, p.name) <> ($2, $3)`;
  return db.query<AlarmPointRow>({ name: "console-alarm-points", text }, [
    [...names],
    NO_ALARM.class,
    NO_ALARM.name,
  ]);
}
