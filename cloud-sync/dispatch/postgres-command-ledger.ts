import type { CommandId, GatewayId, PointId } from "../../domain/ids.ts";
import type { ArgumentDefinition } from "../../domain/point.ts";
import { Millis } from "../../domain/time.ts";
import { listActionArguments } from "../store/commands/action-arguments.ts";
import {
  type CommandRow,
  countOpenCommands,
  findCommand,
  insertCommand,
  listCommands,
  listOpenCommands,
  lockCommands,
  lockWaitingCommands,
  nextCommandSequence,
  updateCommand,
} from "../store/commands/command-rows.ts";
import { addCommandStep, listCommandSteps } from "../store/commands/command-step-rows.ts";
import type { Database, Transaction } from "../store/database.ts";
import { findPoint } from "../store/tables/catalogues.ts";
import { appendAudit } from "../store/tables/center-audit.ts";
import type { CommandLedger, CommandReader, CommandTransaction, Mover } from "./command-ledger.ts";
import { OPEN_COMMANDS_MAX } from "./command-limits.ts";
import type { CommandablePoint, CommandRecord, CommandStep, Resolution } from "./command-record.ts";

/** Commands in PostgreSQL. */
export class PostgresCommandLedger implements CommandLedger, CommandReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  transaction<Result>(work: (tx: CommandTransaction) => Promise<Result>): Promise<Result> {
    return this.#database.transaction((tx) => work(commandsWithin(tx)));
  }

  async listOpen(): Promise<readonly CommandRecord[]> {
    return (await listOpenCommands(this.#database, OPEN_COMMANDS_MAX)).map(toRecord);
  }

  countOpen(): Promise<number> {
    return countOpenCommands(this.#database);
  }

  async find(id: CommandId): Promise<CommandRecord | undefined> {
    const row = await findCommand(this.#database, id);
    return row === undefined ? undefined : toRecord(row);
  }

  async list(asked: {
    readonly gatewayId: GatewayId | null;
    readonly limit: number;
  }): Promise<readonly CommandRecord[]> {
    return (await listCommands(this.#database, asked)).map(toRecord);
  }

  async histories(ids: readonly CommandId[]): Promise<ReadonlyMap<CommandId, readonly CommandStep[]>> {
    const rows = await listCommandSteps(this.#database, ids);
    const histories = new Map<CommandId, CommandStep[]>(ids.map((id) => [id, []]));
    for (const { command_id, detail, at, record_id } of rows) {
      histories.get(command_id)?.push({ state: detail, at, recordId: record_id });
    }
    return histories;
  }

  actionArguments(ids: readonly CommandId[]): Promise<ReadonlyMap<CommandId, readonly ArgumentDefinition[]>> {
    return listActionArguments(this.#database, ids);
  }
}

/** Commands inside a transaction that is already open: also that of ingest, for verdicts. */
export function commandsWithin(tx: Transaction): CommandTransaction {
  return {
    findPoint: (gatewayId, pointId) => commandablePoint(tx, gatewayId, pointId),
    nextSequence: (gatewayId, pointId) => nextCommandSequence(tx, gatewayId, pointId),
    holdWaiting: async (gatewayId, pointId) =>
      (await lockWaitingCommands(tx, gatewayId, pointId)).map(toRecord),
    hold: async (ids) => new Map((await lockCommands(tx, ids)).map((row) => [row.command_id, toRecord(row)])),
    insert: async (command, mover) => {
      if (!(await insertCommand(tx, toRow(command)))) return false;
      await witness(tx, command, mover);
      return true;
    },
    move: async (command, mover) => {
      await updateCommand(tx, toRow(command));
      await witness(tx, command, mover);
    },
    resolve: async (command, { at, actor }) => {
      await updateCommand(tx, toRow(command));
      const { note = "", evidence = null } = command.resolution ?? {};
      const detail = { note, evidence };
      await appendAudit(tx, { at, actor, action: "command-resolved", subject: command.id, detail });
    },
    noteRefusal: async ({ subject, action, detail }, { at, actor }) => {
      await appendAudit(tx, { at, actor, action, subject, detail: { detail } });
    },
  };
}

/** One step of history and one link of the audit for each move (I38). */
async function witness(tx: Transaction, command: CommandRecord, mover: Mover): Promise<void> {
  const { id, state, gatewayId, pointId, value, args } = command;
  const { at, actor, recordId = null } = mover;
  await addCommandStep(tx, { command_id: id, detail: state, at, record_id: recordId });
  const given = args.length > 0 ? { args } : {};
  const detail = { gatewayId, pointId, value, ...given, state, ...(recordId !== null && { recordId }) };
  await appendAudit(tx, { at, actor, action: `command-${state.name}`, subject: id, detail });
}

async function commandablePoint(
  tx: Transaction,
  gatewayId: GatewayId,
  pointId: PointId,
): Promise<CommandablePoint | undefined> {
  const row = await findPoint(tx, gatewayId, pointId);
  if (row === undefined || row.type === null || row.access === null) return undefined;
  const { type, access, range_min: min, range_max: max, takes } = row;
  const range = min === null || max === null ? null : { min, max };
  return { type, access, range, unit: row.unit ?? "", commandClass: row.command_class, ...takes };
}

function toRecord(row: CommandRow): CommandRecord {
  const { sent_at, sent_session, budget_ms } = row;
  const wasSent = sent_at !== null && sent_session !== null && budget_ms !== null;
  return {
    id: row.command_id,
    gatewayId: row.gateway_id,
    pointId: row.point_id,
    value: row.value,
    args: row.args,
    commandClass: row.command_class,
    origin: row.origin,
    issuedBy: row.issued_by,
    createdAt: row.created_at,
    ttl: row.ttl_ms === null ? null : Millis(row.ttl_ms),
    generation: row.generation,
    sequence: row.sequence,
    authorizedAt: row.authorized_at,
    sent: wasSent ? { at: sent_at, session: sent_session, budget: Millis(budget_ms) } : null,
    confirmed: row.confirmed,
    operatedAt: row.operated_at,
    state: row.state_detail,
    changedAt: row.changed_at,
    resolution: resolutionOf(row),
  };
}

function resolutionOf(row: CommandRow): Resolution | null {
  const { resolved_at: at, resolved_by: by, resolution: note, resolution_evidence: evidence } = row;
  return at === null || by === null || note === null ? null : { at, by, note, evidence };
}

function toRow(record: CommandRecord): CommandRow {
  return {
    command_id: record.id,
    gateway_id: record.gatewayId,
    point_id: record.pointId,
    value: record.value,
    args: record.args,
    command_class: record.commandClass,
    origin: record.origin,
    issued_by: record.issuedBy,
    created_at: record.createdAt,
    ttl_ms: record.ttl,
    generation: record.generation,
    sequence: record.sequence,
    authorized_at: record.authorizedAt,
    sent_at: record.sent?.at ?? null,
    sent_session: record.sent?.session ?? null,
    budget_ms: record.sent?.budget ?? null,
    confirmed: record.confirmed,
    operated_at: record.operatedAt,
    state: record.state.name,
    state_detail: record.state,
    changed_at: record.changedAt,
    resolved_at: record.resolution?.at ?? null,
    resolved_by: record.resolution?.by ?? null,
    resolution: record.resolution?.note ?? null,
    resolution_evidence: record.resolution?.evidence ?? null,
  };
}
