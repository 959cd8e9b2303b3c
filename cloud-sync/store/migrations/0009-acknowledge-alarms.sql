-- Alarms of devices beside those of the center, and what people did about them: active × acknowledged, shelved (ISA-18.2).

alter table center_alarms
  -- The point whose being true is the alarm; null: the center's own.
  add column point_no integer references device_points,
  add column acknowledged_at timestamptz,
  add column acknowledged_by text,
  add column acknowledgement text,
  -- Not annunciated until then.
  add column shelved_until timestamptz,
  add column shelved_by text,
  add column shelving_reason text;
-- One alarm a point at a time.
create unique index center_alarms_point on center_alarms (point_no) where point_no is not null and cleared_at is null;
-- What somebody has still to see.
create index center_alarms_listed on center_alarms (last_at) where cleared_at is null or acknowledged_at is null;
