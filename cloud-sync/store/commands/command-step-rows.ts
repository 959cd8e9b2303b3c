import type { CommandState } from "../../../domain/command.ts";
import type { CommandId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable, Transaction } from "../database.ts";

export interface CommandStepRow {
  readonly command_id: CommandId;
  readonly step: number;
  readonly detail: CommandState;
  readonly at: Instant;
  readonly record_id: string | null;
}

/** The command's row must be held: its steps are counted. */
export async function addCommandStep(tx: Transaction, step: Omit<CommandStepRow, "step">): Promise<void> {
  await tx.query(
    {
      name: "command-step-add",
      text: `insert into command_states (command_id, step, state, detail, at, record_id)
             select $1, coalesce(max(step), 0) + 1, $2, $3, $4, $5 from command_states where command_id = $1`,
    },
    [step.command_id, step.detail.name, JSON.stringify(step.detail), new Date(step.at), step.record_id],
  );
}

/** Every state the commands were in, in order. */
export function listCommandSteps(
  db: Queryable,
  ids: readonly CommandId[],
): Promise<readonly CommandStepRow[]> {
  const text = `select command_id, step, detail, at, record_id from command_states
                where command_id = any($1) order by command_id, step`;
  return db.query<CommandStepRow>({ name: "command-step-list", text }, [[...ids]]);
}
