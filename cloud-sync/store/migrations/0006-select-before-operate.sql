-- Select before operate (PROTOCOL §8): what a person saw and confirmed, and whether OPERATE ever left.

alter table commands
  -- The preview; null: the command is not hazardous, or nobody confirmed it.
  add column confirmed jsonb,
  -- When OPERATE left. Null: it never did, so nothing can have moved.
  add column operated_at timestamptz;

-- Names of the points that the interlock of a point asks; part of its preview.
alter table points add column interlock_points jsonb not null default '[]';
