-- Devices of a model have the same points: what a point is stands once, and each point says of which device and kind.

-- Rows are never changed or deleted: who stores a catalogue finds the kind or adds it.
create table point_kinds (
  kind_no integer generated always as identity primary key,
  name text not null,
  -- All others null: retired before the center ever knew it.
  type text,
  unit text,
  access text,
  range_min double precision,
  range_max double precision,
  command_class text,
  poll_class text,
  max_age_ms double precision,
  read_back text,
  -- Names of the points that the interlock asks.
  interlock_points jsonb not null default '[]',
  unique nulls not distinct (name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back,
    interlock_points)
);
insert into point_kinds (name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back, interlock_points)
  select distinct name, type, unit, access, range_min, range_max, command_class, poll_class, max_age_ms, read_back, interlock_points
  from points;

-- Current state moves with every reading, so its rows carry no more than their key. `point_no` and `gateway_no` come
-- from the points under the gateway's lock and points are never deleted: a foreign key would look them up once a reading.
alter table point_states
  drop constraint point_states_point_no_fkey,
  drop constraint point_states_gateway_no_fkey,
  -- Room for the next version of each row in its own page: no index learns of it.
  set (fillfactor = 50);
drop index point_states_gateway_no_idx;
alter table devices drop constraint devices_gateway_no_fkey;

-- A retired point may be of a device that the center never knew.
insert into devices (gateway_no, device_id, name, class, service, profile_id, profile_hash, members, retired)
  select distinct gateway_no, device_id, device_id, '', '', '', '', '[]'::jsonb, true from points
  on conflict do nothing;

alter table points rename to device_points;
alter table device_points
  drop constraint points_gateway_no_fkey,
  drop constraint points_gateway_no_point_id_key,
  add column device_no integer,
  add column kind_no integer;
update device_points p set device_no = d.device_no, kind_no = k.kind_no
  from devices d, point_kinds k
  where d.gateway_no = p.gateway_no and d.device_id = p.device_id and k.name = p.name
    and (k.type, k.unit, k.access, k.range_min, k.range_max, k.command_class, k.poll_class, k.max_age_ms, k.read_back, k.interlock_points)
      is not distinct from
      (p.type, p.unit, p.access, p.range_min, p.range_max, p.command_class, p.poll_class, p.max_age_ms, p.read_back, p.interlock_points);
alter table device_points
  alter column device_no set not null,
  alter column kind_no set not null,
  drop column point_id, drop column device_id, drop column type, drop column unit, drop column access, drop column range_min,
  drop column range_max, drop column command_class, drop column poll_class, drop column max_age_ms, drop column read_back,
  drop column interlock_points,
  add unique (gateway_no, device_no, name);

create view points as
  select p.point_no, p.gateway_no, d.device_id || '/' || p.name as point_id, p.device_no, d.device_id, p.name, p.number, k.type, k.unit,
    k.access, k.range_min, k.range_max, k.command_class, k.poll_class, k.max_age_ms, p.sweep, k.read_back, k.interlock_points, p.retired
  from device_points p join devices d using (device_no) join point_kinds k using (kind_no);
