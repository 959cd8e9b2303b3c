import type { CommandState } from "../../../domain/command.ts";
import type { CommandId, GatewayId, PointId } from "../../../domain/ids.ts";
import type { CommandClass } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import type { Preview } from "../../../domain/safety/preview.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable, Transaction } from "../database.ts";

/** A row of `commands`, as `pg` gives it and takes it. */
export interface CommandRow {
  readonly command_id: CommandId;
  readonly gateway_id: GatewayId;
  readonly point_id: PointId;
  readonly value: PointValue;
  readonly args: readonly PointValue[];
  readonly command_class: CommandClass | null;
  readonly origin: "center" | "local";
  readonly issued_by: string;
  readonly created_at: Instant;
  readonly ttl_ms: number | null;
  readonly generation: number;
  readonly sequence: number | null;
  readonly authorized_at: Instant | null;
  readonly sent_at: Instant | null;
  readonly sent_session: string | null;
  readonly budget_ms: number | null;
  readonly confirmed: Preview | null;
  readonly operated_at: Instant | null;
  readonly state: string;
  readonly state_detail: CommandState;
  readonly changed_at: Instant;
  readonly resolved_at: Instant | null;
  readonly resolved_by: string | null;
  readonly resolution: string | null;
  readonly resolution_evidence: ToldEvidence | null;
}

/** As dispatch keeps it. */
interface ToldEvidence {
  readonly outcome: "read" | "not-answered" | "offline" | "unsupported" | "busy";
  readonly points: readonly {
    readonly pointId: string;
    readonly value: PointValue | null;
    readonly quality: string;
    readonly source: "read" | "told";
    readonly ageMs: number | null;
  }[];
}

const COLUMNS = `command_id, gateway_id, point_id, value, command_class, origin, issued_by, created_at, ttl_ms, generation, sequence,
  authorized_at, sent_at, sent_session, budget_ms, state, state_detail, changed_at, resolved_at, resolved_by, resolution, resolution_evidence, operated_at, confirmed, args`;
/** As the partial index `commands_open` has it. */
const OPEN = `origin = 'center'
  and state not in ('succeeded', 'failed', 'rejected', 'expired', 'cancelled', 'superseded', 'outcome-unknown')`;

/** False: the id is taken. */
export async function insertCommand(tx: Transaction, row: CommandRow): Promise<boolean> {
  const rows = await tx.query<{ command_id: string }>(
    {
      name: "command-insert",
      text: `insert into commands (${COLUMNS})
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
             on conflict (command_id) do nothing returning command_id`,
    },
    [
      row.command_id,
      row.gateway_id,
      row.point_id,
      JSON.stringify(row.value),
      row.command_class,
      row.origin,
      row.issued_by,
      new Date(row.created_at),
      row.ttl_ms,
      row.generation,
      ...changingValues(row),
      row.confirmed === null ? null : JSON.stringify(row.confirmed),
      JSON.stringify(row.args),
    ],
  );
  return rows.length > 0;
}

/** All that may change in the life of a command. */
export async function updateCommand(tx: Transaction, row: CommandRow): Promise<void> {
  await tx.query(
    {
      name: "command-update",
      text: `update commands set sequence = $3, authorized_at = $4, sent_at = $5, sent_session = $6, budget_ms = $7, state = $8,
               state_detail = $9, changed_at = $10, resolved_at = $11, resolved_by = $12, resolution = $13, resolution_evidence = $14, operated_at = $15, command_class = $2
             where command_id = $1`,
    },
    [row.command_id, row.command_class, ...changingValues(row)],
  );
}

function changingValues(row: CommandRow): readonly unknown[] {
  const time = (at: Instant | null): Date | null => (at === null ? null : new Date(at));
  return [
    row.sequence,
    time(row.authorized_at),
    time(row.sent_at),
    row.sent_session,
    row.budget_ms,
    row.state,
    JSON.stringify(row.state_detail),
    time(row.changed_at),
    time(row.resolved_at),
    row.resolved_by,
    row.resolution,
    row.resolution_evidence === null ? null : JSON.stringify(row.resolution_evidence),
    time(row.operated_at),
  ];
}

/** Held until the transaction ends; in the order of their ids, so that two transactions never wait for each other. */
export function lockCommands(tx: Transaction, ids: readonly CommandId[]): Promise<readonly CommandRow[]> {
  const text = `select ${COLUMNS} from commands where command_id = any($1) order by command_id for update`;
  return tx.query<CommandRow>({ name: "command-lock", text }, [[...ids]]);
}

/** Authorized or queued commands to one point, held until the transaction ends. */
export function lockWaitingCommands(
  tx: Transaction,
  gatewayId: GatewayId,
  pointId: PointId,
): Promise<readonly CommandRow[]> {
  const text = `select ${COLUMNS} from commands
                where gateway_id = $1 and point_id = $2 and state in ('authorized', 'queued')
                order by command_id for update`;
  return tx.query<CommandRow>({ name: "command-lock-waiting", text }, [gatewayId, pointId]);
}

/** The next number of the point's orders; other transactions that want one of the same point wait. */
export async function nextCommandSequence(
  tx: Transaction,
  gatewayId: GatewayId,
  pointId: PointId,
): Promise<number> {
  const [row] = await tx.query<{ counter: number }>(
    {
      name: "command-sequence",
      text: `insert into command_sequences (gateway_id, point_id, counter) values ($1, $2, 1)
             on conflict (gateway_id, point_id) do update set counter = command_sequences.counter + 1 returning counter`,
    },
    [gatewayId, pointId],
  );
  if (row === undefined) throw new Error(`count the orders to ${gatewayId} ${pointId}`);
  return row.counter;
}

export async function findCommand(db: Queryable, id: CommandId): Promise<CommandRow | undefined> {
  const text = `select ${COLUMNS} from commands where command_id = $1`;
  const [row] = await db.query<CommandRow>({ name: "command-find", text }, [id]);
  return row;
}

/** Of one gateway, or of all when null; newest first. */
export function listCommands(
  db: Queryable,
  asked: { readonly gatewayId: GatewayId | null; readonly limit: number },
): Promise<readonly CommandRow[]> {
  const text = `select ${COLUMNS} from commands where $1::text is null or gateway_id = $1
                order by created_at desc, command_id desc limit $2`;
  return db.query<CommandRow>({ name: "command-list", text }, [asked.gatewayId, asked.limit]);
}

/** What the center still has to look after, in the order in which it was asked. */
export function listOpenCommands(db: Queryable, limit: number): Promise<readonly CommandRow[]> {
  const text = `select ${COLUMNS} from commands where ${OPEN} order by created_at, command_id limit $1`;
  return db.query<CommandRow>({ name: "command-list-open", text }, [limit]);
}

export async function countOpenCommands(db: Queryable): Promise<number> {
  const text = `select count(*) as open from commands where ${OPEN}`;
  const [row] = await db.query<{ open: number }>({ name: "command-count-open", text }, []);
  return row?.open ?? 0;
}
