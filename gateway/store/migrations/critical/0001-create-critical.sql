-- Openings of this store, oldest first; `number` stands for `id` in every other table of both files.
create table incarnations (
  number integer primary key,
  id text not null unique,
  parent text,
  last_a integer not null,
  last_b integer not null,
  last_c integer not null,
  last_d integer not null,
  opened_at_ms real not null
) strict;

-- Lane A. One counter row per opening, in the transaction that adds the entry (PROTOCOL §1).
create table counters (
  incarnation integer not null,
  lane integer not null,
  highest integer not null,
  primary key (incarnation, lane)
) strict, without rowid;

create table entries_a (
  incarnation integer not null,
  first_seq integer not null,
  count integer not null,
  frame blob not null,
  primary key (incarnation, first_seq)
) strict;

create table quarantine (
  position integer primary key,
  incarnation integer not null,
  lane integer not null,
  first_seq integer not null,
  count integer not null,
  frame blob not null,
  cause text not null
) strict;

-- Ends of the audit chain: `first` is what the oldest retained record follows, `last` the hash of the newest.
create table chain (
  edge text primary key,
  hash text not null
) strict, without rowid;

create table commands (
  position integer primary key,
  command_id text not null unique,
  incarnation integer not null,
  intent text not null,
  state text not null,
  settled_at_ms real
) strict;
create index commands_unsettled on commands (position) where settled_at_ms is null;

create table fences (
  point_id text not null,
  origin text not null,
  generation integer not null,
  counter integer not null,
  primary key (point_id, origin)
) strict, without rowid;

create table desired (
  point_id text primary key,
  desired text not null
) strict, without rowid;

-- High-water mark of each telemetry lane: what is lost if telemetry.db has to be set aside.
create table high_water (
  incarnation integer not null,
  lane integer not null,
  highest integer not null,
  settled_through integer not null,
  primary key (incarnation, lane)
) strict, without rowid;

create table settings (
  name text primary key,
  value text not null
) strict, without rowid;
