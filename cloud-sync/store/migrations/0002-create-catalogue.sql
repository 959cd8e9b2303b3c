-- What the gateways told of their devices and points (PROTOCOL §2, CATALOGUE).

create table devices (
  device_no integer generated always as identity primary key,
  gateway_no integer not null references gateways,
  device_id text not null,
  name text not null,
  class text not null,
  service text not null,
  profile_id text not null,
  profile_hash text not null,
  latitude double precision,
  longitude double precision,
  parent text,
  members jsonb not null,
  -- The site no longer has it; its history stays.
  retired boolean not null default false,
  unique (gateway_no, device_id)
);

create table points (
  point_no integer generated always as identity primary key,
  gateway_no integer not null references gateways,
  -- `<device>/<point>`.
  point_id text not null,
  device_id text not null,
  name text not null,
  -- In the gateway's present store: a new store may number otherwise, so history refers to point_no.
  number bigint not null,
  -- Null for a retired point that the center never knew otherwise.
  type text,
  unit text,
  access text,
  range_min double precision,
  range_max double precision,
  command_class text,
  poll_class text,
  max_age_ms double precision,
  sweep bigint,
  read_back text,
  retired boolean not null default false,
  unique (gateway_no, point_id)
);
