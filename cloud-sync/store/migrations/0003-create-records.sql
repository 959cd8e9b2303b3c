-- What the gateways told of the world, and what was told already (PROTOCOL §4).

-- The dedupe authority: sequences of each lane that are durable here, stored or quarantined.
create table cursors (
  gateway_no integer not null references gateways,
  incarnation_no integer not null references incarnations,
  lane "char" not null,
  ranges int8multirange not null,
  primary key (incarnation_no, lane)
);
create index on cursors (gateway_no);

-- First 16 bytes of SHA-256 of each stored entry: finds a record id with two contents (I3).
create table entry_digests (
  incarnation_no integer not null references incarnations,
  lane "char" not null,
  first_seq bigint not null,
  record_count integer not null,
  digest bytea not null,
  stored_at timestamptz not null,
  primary key (incarnation_no, lane, first_seq)
);
create index on entry_digests using brin (stored_at);

-- One partition a day of the gateway's immutable timestamp, made when the first record of that day comes.
-- Times no clock in order can tell (1970, next year) stand in the default partition.
create table readings (
  point_no integer not null,
  incarnation_no integer not null,
  lane "char" not null,
  seq bigint not null,
  gateway_at timestamptz not null,
  source_at timestamptz,
  corrected_at timestamptz,
  time_error_ms real,
  state_version bigint not null,
  -- 0 none, 1 number, 2 boolean (0 or 1), 3 text.
  value_kind smallint not null,
  value_number double precision,
  value_text text,
  -- Codes: places in QUALITIES and QUALITY_CAUSES of domain/quality.ts.
  quality smallint not null,
  cause smallint not null
) partition by range (gateway_at);
create index readings_by_point on readings (point_no, gateway_at);
create table readings_default partition of readings default;

create table point_states (
  point_no integer primary key references points,
  gateway_no integer not null references gateways,
  lineage_order bigint not null,
  state_version bigint not null,
  gateway_at timestamptz not null,
  source_at timestamptz,
  corrected_at timestamptz,
  time_error_ms real,
  value_kind smallint not null,
  value_number double precision,
  value_text text,
  quality smallint not null,
  cause smallint not null,
  received_at timestamptz not null
);
create index on point_states (gateway_no);

-- Single records of lanes B and D.
create table events (
  gateway_no integer not null references gateways,
  incarnation_no integer not null references incarnations,
  lane "char" not null,
  seq bigint not null,
  kind text not null,
  body jsonb not null,
  gateway_at timestamptz not null,
  corrected_at timestamptz,
  time_error_ms real,
  uptime_ms double precision not null,
  time_quality text not null,
  history boolean not null,
  received_at timestamptz not null,
  primary key (incarnation_no, lane, seq)
);
create index on events (gateway_no, gateway_at);
create index on events (received_at);

-- Lane A. `chain`: whether the hash of the record before is the one this record names.
create table evidence (
  gateway_no integer not null references gateways,
  incarnation_no integer not null references incarnations,
  seq bigint not null,
  kind text not null,
  command_id text,
  body jsonb not null,
  gateway_at timestamptz not null,
  corrected_at timestamptz,
  time_error_ms real,
  uptime_ms double precision not null,
  time_quality text not null,
  previous_hash text not null,
  hash text not null,
  chain text not null default 'unverified' check (chain in ('unverified', 'good', 'broken')),
  received_at timestamptz not null,
  primary key (incarnation_no, seq)
);
create index on evidence (gateway_no, received_at);
create index on evidence (command_id) where command_id is not null;

-- Records that will never come, by the gateway's word or because a store was lost (I2, I14).
create table declared_gaps (
  gap_no bigint generated always as identity primary key,
  gateway_no integer not null references gateways,
  incarnation text not null,
  lane "char" not null,
  first_seq bigint not null,
  -- Null: open-ended.
  record_count bigint,
  reason text not null,
  declared_by text not null check (declared_by in ('gateway', 'center')),
  declared_at timestamptz not null,
  unique (gateway_no, incarnation, lane, first_seq, declared_by)
);

-- What could not be taken. Its record ids are consumed all the same (I12).
create table quarantine (
  quarantine_no bigint generated always as identity primary key,
  gateway_no integer not null references gateways,
  incarnation text not null,
  lane "char" not null,
  ranges int8multirange not null,
  cause text not null,
  detail text not null,
  -- Null past the first 2,000 rows of a gateway.
  bytes bytea,
  received_at timestamptz not null
);
create index on quarantine (gateway_no, quarantine_no);

-- Counts of all records ever quarantined: goes on when `quarantine` is full (20,000 rows a gateway).
create table quarantine_counts (
  gateway_no integer not null references gateways,
  cause text not null,
  records bigint not null,
  last_at timestamptz not null,
  primary key (gateway_no, cause)
);
