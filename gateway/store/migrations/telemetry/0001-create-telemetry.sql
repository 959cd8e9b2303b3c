-- A copy of critical.db's table: this file stays readable when that one is lost.
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

create table counters (
  incarnation integer not null,
  lane integer not null,
  highest integer not null,
  primary key (incarnation, lane)
) strict, without rowid;

-- A table a lane: what leaves one lane then frees whole pages, and each grows at its right edge.
create table entries_b (
  incarnation integer not null,
  first_seq integer not null,
  count integer not null,
  frame blob not null,
  primary key (incarnation, first_seq)
) strict;

create table entries_c (
  incarnation integer not null,
  first_seq integer not null,
  count integer not null,
  frame blob not null,
  primary key (incarnation, first_seq)
) strict;

create table entries_d (
  incarnation integer not null,
  first_seq integer not null,
  count integer not null,
  frame blob not null,
  primary key (incarnation, first_seq)
) strict;

-- First entry of each minute of a lane (codes: A 0, B 1, C 2, D 3): finds history and old entries without an index on every row.
create table marks (
  incarnation integer not null,
  lane integer not null,
  first_seq integer not null,
  minute integer not null,
  primary key (incarnation, lane, first_seq)
) strict, without rowid;
create index marks_by_minute on marks (minute);

create table quarantine (
  position integer primary key,
  incarnation integer not null,
  lane integer not null,
  first_seq integer not null,
  count integer not null,
  frame blob not null,
  cause text not null
) strict;

create table points (
  number integer primary key,
  point_id text not null unique
) strict;

-- Reported twins of 512 points each as a points block; entries after `replay_…` complete them at opening.
create table twins (
  chunk integer primary key,
  block blob not null,
  crc32 integer not null
) strict;

-- What the center holds of each lane, and what will never be told.
create table acknowledgements (
  incarnation integer not null,
  lane integer not null,
  state text not null,
  primary key (incarnation, lane)
) strict, without rowid;

-- `state_version`, `group_number`, `replay_incarnation`, `replay_b`, `replay_c`.
create table figures (
  name text primary key,
  value integer not null
) strict, without rowid;
