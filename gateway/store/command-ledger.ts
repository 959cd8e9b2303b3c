import { type CommandState, isEnd } from "../../domain/command.ts";
import { advance } from "../../domain/command-machine.ts";
import type { CommandId, PointId } from "../../domain/ids.ts";
import { compareSessions } from "../../domain/session-id.ts";
import type { Instant } from "../../domain/time.ts";
import type { EvidenceBody } from "../../domain/wire/record-kinds.ts";
import type { CriticalFile, CriticalStatement } from "./critical-file.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import type { CommandIntent, CommandLedger, CommandSequence, LedgerEntry } from "./store.ts";

const RECENT_MAX = 1_000;

interface CommandRow {
  readonly intent: string;
  readonly state: string;
  readonly settled_at_ms: number | null;
}

/** Reads the ledger; enough for a diagnosis while the gateway is down. */
export class CommandRecords implements Pick<CommandLedger, "find" | "recent"> {
  readonly #find: CriticalStatement<CommandRow>;
  readonly #recent: CriticalStatement<CommandRow>;

  constructor(file: Pick<CriticalFile, "statement">) {
    this.#find = file.statement("select intent, state, settled_at_ms from commands where command_id = ?");
    this.#recent = file.statement(
      "select intent, state, settled_at_ms from commands order by position desc limit ?",
    );
  }

  find(id: CommandId): LedgerEntry | undefined {
    const row = this.#find.get(id);
    return row === undefined ? undefined : readEntry(row);
  }

  recent(limit: number): readonly LedgerEntry[] {
    return this.#recent.all(Math.max(1, Math.min(RECENT_MAX, Math.floor(limit)))).map(readEntry);
  }
}

/** Commands and fences, each change in one commit with its lane A record (I30). */
export class CriticalLedger extends CommandRecords implements CommandLedger {
  readonly #evidence: EvidenceLog;
  readonly #incarnation: number;
  readonly #insert: CriticalStatement<never>;
  readonly #settle: CriticalStatement<never>;
  readonly #unsettled: CriticalStatement<CommandRow>;
  readonly #fence: CriticalStatement<CommandSequence>;
  readonly #setFence: CriticalStatement<never>;

  constructor(file: CriticalFile, evidence: EvidenceLog, incarnation: number) {
    super(file);
    this.#evidence = evidence;
    this.#incarnation = incarnation;
    this.#insert = file.statement(
      "insert into commands (command_id, incarnation, intent, state, settled_at_ms) values (?, ?, ?, ?, ?)",
    );
    this.#settle = file.statement("update commands set state = ?, settled_at_ms = ? where command_id = ?");
    this.#unsettled = file.statement(
      "select intent, state, settled_at_ms from commands where settled_at_ms is null and incarnation < ? order by position",
    );
    this.#fence = file.statement("select generation, counter from fences where point_id = ? and origin = ?");
    this.#setFence = file.statement(
      `insert into fences values (?, ?, ?, ?)
       on conflict do update set generation = excluded.generation, counter = excluded.counter`,
    );
  }

  lastFence(pointId: PointId, origin: "center" | "local"): CommandSequence | null {
    return this.#fence.get(pointId, origin) ?? null;
  }

  begin(intent: CommandIntent): void {
    const state: CommandState = { name: "executing" };
    const { pointId } = intent.command;
    this.#assertNew(intent);
    const fence = this.lastFence(pointId, intent.origin);
    if (fence !== null && compareSessions(intent.sequence, fence) <= 0) {
      throw new RangeError(
        `command ${intent.command.id} is not above the fence of ${pointId}: control must refuse it (I23)`,
      );
    }
    this.#evidence.appendWith(recordOf(intent, state), () => {
      this.#insert.run(
        intent.command.id,
        this.#incarnation,
        JSON.stringify(intent),
        JSON.stringify(state),
        null,
      );
      this.#setFence.run(pointId, intent.origin, intent.sequence.generation, intent.sequence.counter);
    });
  }

  settle(id: CommandId, state: CommandState, at: Instant): void {
    const entry = this.find(id);
    if (entry === undefined) throw new RangeError(`command ${id} was never begun`);
    const end = advance("gateway", entry.state, state);
    this.#evidence.appendWith(recordOf(entry, end), () => {
      this.#settle.run(JSON.stringify(end), at, id);
    });
  }

  refuse(intent: CommandIntent, state: CommandState): void {
    this.#assertNew(intent);
    if (!isEnd(state))
      throw new RangeError(`command ${intent.command.id} can not be refused with ${state.name}`);
    this.#evidence.appendWith(recordOf(intent, state), () => {
      this.#insert.run(
        intent.command.id,
        this.#incarnation,
        JSON.stringify(intent),
        JSON.stringify(state),
        intent.at,
      );
    });
  }

  unsettled(): readonly LedgerEntry[] {
    return this.#unsettled.all(this.#incarnation).map(readEntry);
  }

  /** A command has one row: a second one would be a second effect (I22). */
  #assertNew(intent: CommandIntent): void {
    if (this.find(intent.command.id) === undefined) return;
    throw new RangeError(
      `command ${intent.command.id} is in the ledger: control must repeat its verdict (I22)`,
    );
  }
}

function readEntry(row: CommandRow): LedgerEntry {
  const intent = JSON.parse(row.intent) as CommandIntent;
  return {
    ...intent,
    state: JSON.parse(row.state) as CommandState,
    settledAt: row.settled_at_ms as Instant | null,
  };
}

function recordOf(intent: CommandIntent, state: CommandState): EvidenceBody {
  const { command, origin, session } = intent;
  return {
    kind: "command",
    commandId: command.id,
    pointId: command.pointId,
    value: command.value,
    ...(command.args.length > 0 && { args: command.args }),
    commandClass: command.commandClass,
    origin,
    issuedBy: command.issuedBy,
    session,
    state,
  };
}
