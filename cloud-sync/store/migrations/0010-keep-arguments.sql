-- What an action is run with (PROTOCOL §8: action, arguments): an order to the same point may differ in them alone.

alter table commands
  -- JSON array of plain values in the order of the action's definition; empty for every order that only sets a value.
  add column args jsonb not null default '[]';
