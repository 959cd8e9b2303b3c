import type { KeyObject } from "node:crypto";
import type { Logger } from "pino";
import { type CommandState, isEnd } from "../../domain/command.ts";
import { advance } from "../../domain/command-machine.ts";
import { CommandId, type GatewayId, type PointId } from "../../domain/ids.ts";
import { compareSessions } from "../../domain/session-id.ts";
import type { Clock, Uptime } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import { type CommandIntent, type CommandSequence, type Store, StoreError } from "../store/store.ts";
import { refusalOf } from "./admission.ts";
import { judgeCenterOrder } from "./center-order.ts";
import { endOf, notStored, over, storeUnavailable, undecided } from "./command-ends.ts";
import type { CommandTicket, Control, LocalRequest, TokenFreshness } from "./control.ts";
import type { FieldOperation, OperationRunner } from "./field-operation.ts";
import { compileOperation } from "./operation-compiler.ts";
import { UnstoredEnds } from "./unstored-ends.ts";

/** Commands carried out at once on the whole gateway; one more is refused as `busy`. Each bus has its own bound below. */
const IN_FLIGHT_MAX = 1_000;

export interface CommandControlParts {
  readonly gatewayId: GatewayId;
  readonly points: PointIndex;
  readonly store: Pick<Store, "commands" | "desired">;
  readonly runner: OperationRunner;
  /** `null`: this gateway has no center, and refuses what pretends to come from one. */
  readonly freshness: TokenFreshness | null;
  readonly commandKey: () => KeyObject | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** {@link Control} over the ledger and the field. One instance a gateway; all its decisions are synchronous. */
export class CommandControl implements Control {
  readonly #parts: CommandControlParts;
  readonly #inFlight = new Map<CommandId, CommandTicket>();
  readonly #listeners = new Set<(commandId: CommandId, pointId: PointId, state: CommandState) => void>();
  readonly #stopping = new AbortController();
  readonly #unstored: UnstoredEnds;

  constructor(parts: CommandControlParts) {
    this.#parts = parts;
    this.#unstored = new UnstoredEnds(parts.store.commands, parts.clock);
  }

  onState(listener: (commandId: CommandId, pointId: PointId, state: CommandState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Commands that were executing when the last run ended can not be decided any more (I26). Called once, before anything is admitted. */
  settleUnfinished(): void {
    const detail = "the gateway stopped while it executed: look at the device, then resolve it at the center";
    for (const intent of this.#parts.store.commands.unsettled()) {
      this.#settle(intent, undecided(intent.command.value, detail));
    }
  }

  submitFromCenter(frame: CommandFrame): CommandTicket {
    const { clock } = this.#parts;
    const id = CommandId(frame.commandId);
    const known = this.#known(id);
    if (known !== undefined) return known;
    const intent: CommandIntent = {
      command: {
        id,
        pointId: frame.pointId as PointId,
        value: frame.value,
        args: frame.args,
        commandClass: frame.commandClass,
        issuedBy: frame.requester,
      },
      origin: "center",
      session: frame.session,
      sequence: frame.sequence,
      at: clock.now(),
    };
    const { gatewayId, freshness } = this.#parts;
    const verdict = judgeCenterOrder(frame, {
      gatewayId,
      freshness,
      commandKey: this.#parts.commandKey(),
      now: clock.uptime(),
    });
    if (!("deadline" in verdict)) return this.#refuse(intent, verdict);
    return this.#admit(intent, verdict.deadline);
  }

  submitLocal(request: LocalRequest): CommandTicket {
    const { clock, points, store } = this.#parts;
    const known = this.#known(request.commandId);
    if (known !== undefined) return known;
    const pointId = request.pointId as PointId;
    const last = store.commands.lastFence(pointId, "local");
    const intent: CommandIntent = {
      command: {
        id: request.commandId,
        pointId,
        value: request.value,
        args: [],
        commandClass: points.find(pointId)?.point.definition.commandClass ?? "K0",
        issuedBy: request.issuedBy,
      },
      origin: "local",
      session: null,
      sequence: { generation: 0, counter: (last?.counter ?? 0) + 1 },
      at: clock.now(),
    };
    if (clock.uptime() > request.deadline) {
      return this.#refuse(intent, {
        name: "expired",
        where: "gateway",
        detail: "its deadline had passed when it came",
      });
    }
    return this.#admit(intent, request.deadline);
  }

  /** Refuses what comes from now on and resolves when nothing is in flight; the field ends its operations by its own windows. */
  async shutDown(): Promise<void> {
    this.#stopping.abort(new Error("the gateway is stopping"));
    await Promise.all([...this.#inFlight.values()].map((ticket) => ticket.end));
    this.#unstored.retry();
  }

  #admit(intent: CommandIntent, deadline: Uptime): CommandTicket {
    const { points, store } = this.#parts;
    const { command } = intent;
    const found = points.find(command.pointId);
    const refusal = this.#busy() ?? refusalOf(found, command.pointId, command.value);
    if (refusal !== null || found === undefined) {
      return this.#refuse(intent, {
        name: "rejected",
        ...(refusal ?? { cause: "unknown-point", detail: command.pointId }),
      });
    }
    if (belowFloor(command.commandClass, found)) {
      return this.#refuse(intent, {
        name: "rejected",
        cause: "unsupported",
        detail: `${command.pointId} is ${found.point.definition.commandClass}, the order is only ${command.commandClass}`,
      });
    }
    const fence = store.commands.lastFence(command.pointId, intent.origin);
    if (fence !== null && compareSessions(intent.sequence, fence) <= 0) {
      return this.#refuse(intent, { name: "superseded", by: `command sequence ${formatSequence(fence)}` });
    }
    return this.#begin(intent, found, deadline);
  }

  #begin(intent: CommandIntent, target: PointOfDevice, deadline: Uptime): CommandTicket {
    const { store, points } = this.#parts;
    const { command } = intent;
    const operation = compileOperation(
      target,
      { commandId: command.id, value: command.value, deadline },
      points,
    );
    try {
      store.commands.begin(intent);
    } catch (error) {
      return this.#unavailable(intent, error);
    }
    try {
      if (command.commandClass === "K1") store.desired.set(command.pointId, desiredOf(intent));
    } catch (error) {
      // The ledger says that it executes: it must say too that it did not.
      return over(this.#settle(intent, storeUnavailable(storeErrorOf(error))));
    }
    const admitted: CommandState = { name: "executing" };
    const ticket: CommandTicket = { admitted, end: this.#carryOut(intent, operation) };
    this.#inFlight.set(command.id, ticket);
    this.#tell(command.id, command.pointId, admitted);
    return ticket;
  }

  /** Hands the operation over when whoever submitted it has its ticket; never rejects. */
  async #carryOut(intent: CommandIntent, operation: FieldOperation): Promise<CommandState> {
    const { runner, logger } = this.#parts;
    await Promise.resolve();
    try {
      return this.#settle(intent, endOf(await runner.runOperation(operation, this.#stopping.signal)));
    } catch (error) {
      const { id, value } = intent.command;
      logger.error({ err: error, commandId: id }, "operation ended in an error that no field should have");
      const detail = `the operation was lost: ${error instanceof Error ? error.message : String(error)}`;
      return this.#settle(intent, undecided(value, detail));
    }
  }

  #settle(intent: CommandIntent, state: CommandState): CommandState {
    const { id, pointId, value } = intent.command;
    let end = advance("gateway", { name: "executing" }, state);
    try {
      this.#storeEnd(id, end);
    } catch (error) {
      this.#parts.logger.error({ err: error, commandId: id }, "the end of a command could not be stored");
      end = notStored(end, value);
      this.#unstored.keep(intent, end);
    }
    this.#inFlight.delete(id);
    this.#tell(id, pointId, end);
    return end;
  }

  /** After a failed write the store opens its file anew at the next one, so one more try is worth it (PROTOCOL §5). */
  #storeEnd(id: CommandId, end: CommandState): void {
    const { store, clock } = this.#parts;
    try {
      store.commands.settle(id, end, clock.now());
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      store.commands.settle(id, end, clock.now());
    }
    this.#unstored.retry();
  }

  #refuse(intent: CommandIntent, state: CommandState): CommandTicket {
    try {
      this.#parts.store.commands.refuse(intent, state);
    } catch (error) {
      return this.#unavailable(intent, error);
    }
    this.#tell(intent.command.id, intent.command.pointId, state);
    return over(state);
  }

  /** No ledger, no movement (PROTOCOL §5). */
  #unavailable(intent: CommandIntent, error: unknown): CommandTicket {
    const state = storeUnavailable(storeErrorOf(error));
    this.#unstored.keepRefusal(intent, state);
    this.#tell(intent.command.id, intent.command.pointId, state);
    return over(state);
  }

  /** What became of a command that was asked for before, whoever repeats it (I22). */
  #known(id: CommandId): CommandTicket | undefined {
    this.#unstored.retry();
    const running = this.#inFlight.get(id);
    if (running !== undefined) return running;
    const unstored = this.#unstored.find(id);
    if (unstored !== undefined) return over(unstored);
    const entry = this.#parts.store.commands.find(id);
    if (entry === undefined) return undefined;
    if (isEnd(entry.state)) return over(entry.state);
    // PROTOCOL §8: executing without a result gives unknown.
    return over(undecided(entry.command.value, "it was begun, and nobody knows how it ended"));
  }

  #busy(): { readonly cause: "busy" | "shutting-down"; readonly detail: string } | null {
    if (this.#stopping.signal.aborted) return { cause: "shutting-down", detail: "the gateway is stopping" };
    if (this.#inFlight.size < IN_FLIGHT_MAX) return null;
    return { cause: "busy", detail: `${IN_FLIGHT_MAX} commands are being carried out already` };
  }

  /** A listener that fails must not keep an order from its end, nor other listeners from hearing of it. */
  #tell(commandId: CommandId, pointId: PointId, state: CommandState): void {
    for (const listener of this.#listeners) {
      try {
        listener(commandId, pointId, state);
      } catch (error) {
        this.#parts.logger.error({ err: error, commandId }, "a listener of command states failed");
      }
    }
  }
}

function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  throw error;
}

function belowFloor(asked: string, found: PointOfDevice): boolean {
  return asked < (found.point.definition.commandClass ?? "K1");
}

function formatSequence(sequence: CommandSequence): string {
  return `${sequence.generation}.${sequence.counter}`;
}

function desiredOf(intent: CommandIntent): Parameters<Store["desired"]["set"]>[1] {
  const { command, at } = intent;
  return {
    value: command.value,
    commandId: command.id,
    commandClass: command.commandClass,
    issuedBy: command.issuedBy,
    at,
  };
}
