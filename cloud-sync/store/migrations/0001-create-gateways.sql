-- Gateways, who may speak for them, and their sync sessions (PROTOCOL §1, §2).

create table gateways (
  gateway_no integer generated always as identity primary key,
  gateway_id text not null unique,
  name text not null,
  site_id text,
  site_name text,
  registered_at timestamptz not null,
  enrolled_at timestamptz,
  -- Nobody speaks for a revoked gateway, whatever certificate he holds.
  revoked_at timestamptz,
  revoked_reason text,
  catalogue_hash text,
  catalogue_at timestamptz,
  software text,
  capabilities jsonb
);

create table gateway_certificates (
  serial text primary key,
  gateway_no integer not null references gateways,
  fingerprint text not null,
  key_fingerprint text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index on gateway_certificates (gateway_no);

create table claims (
  -- SHA-256 of the code: the code itself is shown once and kept nowhere.
  code_hash text primary key,
  gateway_no integer not null references gateways,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  -- The same key may ask again while the claim lasts: an answer can get lost.
  used_by_key text
);
create index on claims (gateway_no);

create table incarnations (
  incarnation_no integer generated always as identity primary key,
  gateway_no integer not null references gateways,
  incarnation text not null,
  parent text,
  parent_last jsonb not null,
  -- Orders the incarnations of a gateway: with the state version it orders states (I8).
  lineage_order bigint not null,
  -- The gateway's own clock; may be wrong.
  opened_at timestamptz,
  first_seen_at timestamptz not null,
  unique (gateway_no, incarnation)
);

create table sync_sessions (
  gateway_no integer not null references gateways,
  generation bigint not null,
  counter bigint not null,
  incarnation_no integer not null references incarnations,
  catalogue_hash text not null,
  software text not null,
  offered_at timestamptz not null,
  activated_at timestamptz,
  primary key (gateway_no, generation, counter)
);

create table gateway_links (
  gateway_no integer primary key references gateways,
  issued_generation bigint not null default 0,
  issued_counter bigint not null default 0,
  current_generation bigint,
  current_counter bigint,
  state text not null default 'down' check (state in ('up', 'degraded', 'down')),
  changed_at timestamptz,
  last_heard_at timestamptz,
  -- Of the last HELLO or heartbeat.
  gateway_now timestamptz,
  gateway_uptime_ms double precision,
  time_quality text,
  heads jsonb,
  backlog jsonb,
  sweeps jsonb,
  disk jsonb
);

-- Center time minus the gateway's uptime, sampled: maps tMono to UTC (PROTOCOL §6, I19).
create table time_samples (
  incarnation_no integer not null references incarnations,
  uptime_ms double precision not null,
  offset_ms double precision not null,
  primary key (incarnation_no, uptime_ms)
);

create table center_alarms (
  alarm_no bigint generated always as identity primary key,
  gateway_no integer references gateways,
  name text not null,
  severity text not null check (severity in ('low', 'medium', 'high')),
  subject text not null,
  detail text not null,
  raised_at timestamptz not null,
  last_at timestamptz not null,
  occurrences bigint not null default 1,
  cleared_at timestamptz
);
create unique index center_alarms_active on center_alarms (coalesce(gateway_no, 0), name, subject)
  where cleared_at is null;

-- Who did what at the center: each row holds the hash of the one before.
create table center_audit (
  audit_no bigint primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null,
  previous_hash text not null,
  hash text not null
);
