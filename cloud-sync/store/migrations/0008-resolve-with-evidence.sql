-- What stood at the point when a person resolved an unknown outcome (PROTOCOL §8: RESOLVED by, evidence).

alter table commands
  -- How point and read-back were read, or last told; null: not resolved, or resolved before there was any.
  add column resolution_evidence jsonb;
