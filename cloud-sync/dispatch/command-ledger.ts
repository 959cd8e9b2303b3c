import type { CommandId, GatewayId, PointId } from "../../domain/ids.ts";
import type { ArgumentDefinition } from "../../domain/point.ts";
import type { Instant } from "../../domain/time.ts";
import type { CommandablePoint, CommandRecord, CommandStep } from "./command-record.ts";

/** Where commands are kept: PostgreSQL, or a simulated one. */
export interface CommandLedger {
  /** All of it is durable when this resolves, and has not happened when it rejects, or may have (a lost connection). */
  transaction<Result>(work: (tx: CommandTransaction) => Promise<Result>): Promise<Result>;
  /** Commands of the center that are not over, oldest first, at most `OPEN_COMMANDS_MAX`. */
  listOpen(): Promise<readonly CommandRecord[]>;
  countOpen(): Promise<number>;
}

/** What moved a command and who answers for it: goes into history and audit. */
export interface Mover {
  readonly at: Instant;
  readonly actor: string;
  /** Of the evidence that moved it. */
  readonly recordId?: string;
}

export interface CommandTransaction {
  /** Undefined: no such point now, or no such gateway. */
  findPoint(gatewayId: GatewayId, pointId: PointId): Promise<CommandablePoint | undefined>;
  /** The next number of the point's orders; holds back every other order to this point until the transaction ends. */
  nextSequence(gatewayId: GatewayId, pointId: PointId): Promise<number>;
  /** Authorized or queued commands to the point, held until the transaction ends. */
  holdWaiting(gatewayId: GatewayId, pointId: PointId): Promise<readonly CommandRecord[]>;
  /** Those of them that are here, held in the order of their ids until the transaction ends. */
  hold(ids: readonly CommandId[]): Promise<ReadonlyMap<CommandId, CommandRecord>>;
  /** False: the id is taken. Writes the first step of its history and the audit. */
  insert(command: CommandRecord, mover: Mover): Promise<boolean>;
  /** Writes the new state, one step of history and one entry of the audit. */
  move(command: CommandRecord, mover: Mover): Promise<void>;
  resolve(command: CommandRecord, mover: Mover): Promise<void>;
  noteRefusal(
    what: { readonly subject: string; readonly action: string; readonly detail: string },
    mover: Mover,
  ): Promise<void>;
}

/** What operators read. */
export interface CommandReader {
  find(id: CommandId): Promise<CommandRecord | undefined>;
  /** Newest first; `limit` 1 … 1,000. */
  list(asked: {
    readonly gatewayId: GatewayId | null;
    readonly limit: number;
  }): Promise<readonly CommandRecord[]>;
  /** Of each command, in order. */
  histories(ids: readonly CommandId[]): Promise<ReadonlyMap<CommandId, readonly CommandStep[]>>;
  /** What the actions take, of those commands that were given with arguments: names and units, as the gateways tell now. */
  actionArguments(ids: readonly CommandId[]): Promise<ReadonlyMap<CommandId, readonly ArgumentDefinition[]>>;
}
