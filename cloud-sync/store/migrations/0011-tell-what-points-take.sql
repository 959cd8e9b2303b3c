-- What an order to a point takes, as its gateway told it: `{ args, oneOf, expects }`; `{}` until it tells its catalogue anew.

alter table point_kinds
  add column takes jsonb not null default '{}',
  drop constraint point_kinds_name_type_unit_access_range_min_range_max_comma_key;
-- By its hash: a list of choices may be longer than a row of an index.
create unique index point_kinds_whole on point_kinds (name, type, unit, access, range_min, range_max, command_class, poll_class,
  max_age_ms, read_back, interlock_points, md5(takes::text)) nulls not distinct;

create or replace view points as
  select p.point_no, p.gateway_no, d.device_id || '/' || p.name as point_id, p.device_no, d.device_id, p.name, p.number, k.type, k.unit,
    k.access, k.range_min, k.range_max, k.command_class, k.poll_class, k.max_age_ms, p.sweep, k.read_back, k.interlock_points, p.retired,
    k.takes
  from device_points p join devices d using (device_no) join point_kinds k using (kind_no);
