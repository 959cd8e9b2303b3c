-- Commands as the center knows them (PROTOCOL §8). Rows name gateway and point as the operator did, because an
-- order to an unknown one is accounted for too.

create table commands (
  command_id text primary key,
  gateway_id text not null,
  point_id text not null,
  value jsonb not null,
  -- Null: the point is unknown here.
  command_class text check (command_class in ('K0', 'K1', 'K2', 'K3')),
  -- local: given at the gateway; the center knows of it by its evidence only.
  origin text not null check (origin in ('center', 'local')),
  issued_by text not null,
  created_at timestamptz not null,
  -- From the authorisation on. Null: not the center's to expire.
  ttl_ms double precision,
  -- Of the center that took it: a later one never sends it (I37).
  generation bigint not null,
  -- Order of orders to this point, with the generation (I23). Null until authorized.
  sequence bigint,
  authorized_at timestamptz,
  sent_at timestamptz,
  sent_session text,
  budget_ms double precision,
  state text not null,
  -- The whole state, as in domain/command.ts.
  state_detail jsonb not null,
  changed_at timestamptz not null,
  resolved_at timestamptz,
  resolved_by text,
  resolution text
);
create index commands_by_time on commands (created_at desc, command_id desc);
create index commands_by_gateway on commands (gateway_id, created_at desc);
-- What the dispatcher still has to look after.
create index commands_open on commands (created_at)
  where origin = 'center'
    and state not in ('succeeded', 'failed', 'rejected', 'expired', 'cancelled', 'superseded', 'outcome-unknown');
create index commands_waiting on commands (gateway_id, point_id) where state in ('authorized', 'queued');

-- Every state a command was in; never changed.
create table command_states (
  command_id text not null references commands,
  step integer not null,
  state text not null,
  detail jsonb not null,
  at timestamptz not null,
  -- Of the evidence that moved it; null: the center moved it.
  record_id text,
  primary key (command_id, step)
);

-- The counter of cseq, one a point (PROTOCOL §1).
create table command_sequences (
  gateway_id text not null,
  point_id text not null,
  counter bigint not null,
  primary key (gateway_id, point_id)
);
