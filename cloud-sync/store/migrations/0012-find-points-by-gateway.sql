-- A device is found by its gateway and id: with the gateway in the join, whoever asks for a point by both is led by that index.

create or replace view points as
  select p.point_no, p.gateway_no, d.device_id || '/' || p.name as point_id, p.device_no, d.device_id, p.name, p.number, k.type, k.unit,
    k.access, k.range_min, k.range_max, k.command_class, k.poll_class, k.max_age_ms, p.sweep, k.read_back, k.interlock_points, p.retired,
    k.takes
  from device_points p join devices d using (gateway_no, device_no) join point_kinds k using (kind_no);
