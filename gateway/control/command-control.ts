import type { KeyObject } from "node:crypto";
import type { Logger } from "pino";
import type { CommandState } from "../../domain/command.ts";
import { CommandId, type GatewayId, type PointId } from "../../domain/ids.ts";
import type { PointValue } from "../../domain/reading.ts";
import { compareSessions } from "../../domain/session-id.ts";
import type { Clock, Uptime } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import { type CommandIntent, type CommandSequence, type Store, StoreError } from "../store/store.ts";
import { refusalOf } from "./admission.ts";
import { judgeCenterOrder } from "./center-order.ts";
import { CommandBook } from "./command-book.ts";
import { endOf, expired, over, rejected, undecided } from "./command-ends.ts";
import type { CommandTicket, Control, LocalRequest, Refusal, TokenFreshness } from "./control.ts";
import type { FieldOperation, OperationRunner } from "./field-operation.ts";
import { compileOperation } from "./operation-compiler.ts";
import { RestTimes } from "./rest-times.ts";
import { SelectBeforeOperate } from "./select-before-operate.ts";

/** Commands carried out at once on the whole gateway; one more is refused as `busy`. Each bus has its own bound below. */
const IN_FLIGHT_MAX = 1_000;

export interface CommandControlParts {
  readonly gatewayId: GatewayId;
  readonly points: PointIndex;
  readonly store: Pick<Store, "commands" | "desired" | "evidence">;
  readonly runner: OperationRunner;
  /** `null`: this gateway has no center, and refuses what pretends to come from one. */
  readonly freshness: TokenFreshness | null;
  readonly commandKey: () => KeyObject | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface InFlight {
  readonly ticket: CommandTicket;
  readonly intent: CommandIntent;
}

/** {@link Control} over the ledger and the field. One instance a gateway; all its decisions but a selection's are synchronous. */
export class CommandControl implements Control {
  readonly #parts: CommandControlParts;
  readonly #inFlight = new Map<CommandId, InFlight>();
  readonly #stopping = new AbortController();
  readonly #book: CommandBook;
  readonly #rests: RestTimes;
  readonly #selections: SelectBeforeOperate;

  constructor(parts: CommandControlParts) {
    this.#parts = parts;
    this.#book = new CommandBook(parts);
    this.#rests = new RestTimes(parts.points, parts.clock);
    this.#selections = new SelectBeforeOperate({
      ...parts,
      book: this.#book,
      execute: (intent, target, deadline) => this.#execute(intent, target, deadline),
    });
  }

  onState(listener: (commandId: CommandId, pointId: PointId, state: CommandState) => void): () => void {
    return this.#book.onState(listener);
  }

  /** Commands that were executing when the last run ended can not be decided any more (I26). Called once, before anything is admitted. */
  settleUnfinished(): void {
    const detail = "the gateway stopped while it executed: look at the device, then resolve it at the center";
    const { commands } = this.#parts.store;
    for (const intent of commands.unsettled()) this.#settle(intent, undecided(intent.command.value, detail));
    this.#rests.remember(commands);
  }

  submitFromCenter(frame: CommandFrame): CommandTicket {
    return withLedger(frame.value, () => this.#submitFromCenter(frame));
  }

  submitLocal(request: LocalRequest): CommandTicket {
    return withLedger(request.value, () => this.#submitLocal(request));
  }

  #submitFromCenter(frame: CommandFrame): CommandTicket {
    const { clock, gatewayId, freshness, commandKey } = this.#parts;
    this.#selections.endOtherSessions(freshness?.currentSession());
    const judge = () =>
      judgeCenterOrder(frame, { gatewayId, freshness, commandKey: commandKey(), now: clock.uptime() });
    const operated = frame.action === "operate" ? this.#selections.operate(frame, judge()) : undefined;
    const known = operated ?? this.#known(CommandId(frame.commandId));
    if (known !== undefined) return known;
    const intent = intentOf(frame, { clock, session: freshness?.currentSession() ?? null });
    const judged = judge();
    if (!("deadline" in judged)) return this.#book.refuse(intent, judged);
    if (frame.action === "operate") {
      const detail = "it was not selected, or its selection is over: nothing was done";
      return this.#book.refuse(intent, rejected("not-selected", detail));
    }
    const target = this.#parts.points.find(intent.command.pointId);
    if (frame.action === "write") return this.#execute(intent, target, judged.deadline);
    const refusal = this.#refusal(intent, target);
    if (refusal !== undefined || target === undefined) return this.#refuse(intent, refusal);
    return this.#selections.select(intent, target, judged.deadline);
  }

  #submitLocal(request: LocalRequest): CommandTicket {
    const { clock, points, store, freshness } = this.#parts;
    this.#selections.endOtherSessions(freshness?.currentSession());
    const known = this.#known(request.commandId);
    if (known !== undefined) return known;
    const pointId = request.pointId as PointId;
    const last = store.commands.lastFence(pointId, "local");
    const target = points.find(pointId);
    const intent: CommandIntent = {
      command: {
        id: request.commandId,
        pointId,
        value: request.value,
        args: request.args ?? [],
        commandClass: target?.point.definition.commandClass ?? "K0",
        issuedBy: request.issuedBy,
      },
      origin: "local",
      session: null,
      sequence: { generation: 0, counter: (last?.counter ?? 0) + 1 },
      at: clock.now(),
    };
    if (clock.uptime() > request.deadline)
      return this.#book.refuse(intent, expired("its deadline had passed when it came"));
    if (intent.command.commandClass === "K3" && request.confirmation === "none") {
      const detail = `${pointId} is hazardous, and nobody confirmed the order: use \`nerve write\` at the cabinet`;
      return this.#book.refuse(intent, rejected("not-permitted", detail));
    }
    return this.#execute(intent, target, request.deadline);
  }

  /** Refuses what comes from now on and resolves when nothing is in flight; the field ends its operations by its own windows. */
  async shutDown(): Promise<void> {
    this.#stopping.abort(new Error("the gateway is stopping"));
    this.#selections.endAll(rejected("shutting-down", "the gateway is stopping: nothing was done"));
    await Promise.all([...this.#inFlight.values()].map(({ ticket }) => ticket.end));
    this.#book.retry();
  }

  #execute(intent: CommandIntent, target: PointOfDevice | undefined, deadline: Uptime): CommandTicket {
    const refusal = this.#refusal(intent, target);
    if (refusal !== undefined || target === undefined) return this.#refuse(intent, refusal);
    const { command } = intent;
    const order = { commandId: command.id, value: command.value, args: command.args, deadline };
    const operation = compileOperation(target, order, this.#parts.points);
    const unbegun = this.#book.begin(intent);
    if (unbegun !== undefined) return unbegun;
    const admitted: CommandState = { name: "executing" };
    const ticket: CommandTicket = { admitted, end: this.#carryOut(intent, operation) };
    this.#inFlight.set(command.id, { ticket, intent });
    this.#book.tell(intent, admitted);
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
    const end = this.#book.end(intent, state);
    this.#rests.note(intent.command.pointId, end);
    this.#inFlight.delete(intent.command.id);
    this.#book.tell(intent, end);
    return end;
  }

  #refuse(intent: CommandIntent, refusal: CommandState | undefined): CommandTicket {
    return this.#book.refuse(intent, refusal ?? rejected("unknown-point", intent.command.pointId));
  }

  /** Why it may not be begun, or selected, as things stand now. */
  #refusal(intent: CommandIntent, target: PointOfDevice | undefined): CommandState | undefined {
    const { command, origin } = intent;
    const refusal = this.#busy() ?? refusalOf(target, command);
    if (refusal !== null) return { name: "rejected", ...refusal };
    if (target === undefined) return undefined;
    const { commandClass = "K1" } = target.point.definition;
    if (command.commandClass < commandClass) {
      const detail = `${command.pointId} is ${commandClass}, the order is only ${command.commandClass}`;
      return rejected("unsupported", detail);
    }
    const fence = this.#parts.store.commands.lastFence(command.pointId, origin);
    if (fence !== null && compareSessions(intent.sequence, fence) <= 0)
      return { name: "superseded", by: `command sequence ${formatSequence(fence)}` };
    const held = this.#findHold(intent, target);
    return held === undefined ? undefined : rejected("blocked", held);
  }

  /** Who or what else holds the point; the lock-out of a crew will be one more. */
  #findHold({ command }: CommandIntent, target: PointOfDevice): string | undefined {
    const { pointId, commandClass } = command;
    const holder = this.#selections.holderOf(pointId);
    if (holder !== undefined) return `${pointId} is selected by ${holder}: try again in some seconds`;
    const moving =
      commandClass === "K3"
        ? [...this.#inFlight.values()].find(({ intent }) => intent.command.pointId === pointId)
        : undefined;
    if (moving !== undefined) return `${pointId} is being operated by ${moving.intent.command.issuedBy}`;
    const left = Math.ceil(this.#rests.left(target) / 1_000);
    return left === 0 ? undefined : `${pointId} must rest for ${left} s more after its last operation`;
  }

  /** What became of a command that was asked for before, whoever repeats it (I22). */
  #known(id: CommandId): CommandTicket | undefined {
    this.#book.retry();
    const running = this.#inFlight.get(id)?.ticket ?? this.#selections.find(id);
    if (running !== undefined) return running;
    const found = this.#book.find(id);
    return found === undefined ? undefined : over(found);
  }

  #busy(): Refusal | null {
    if (this.#stopping.signal.aborted) return { cause: "shutting-down", detail: "the gateway is stopping" };
    if (this.#inFlight.size + this.#selections.size < IN_FLIGHT_MAX) return null;
    return { cause: "busy", detail: `${IN_FLIGHT_MAX} commands are being carried out already` };
  }
}

/** Without a ledger that can be read nothing moves, and nobody can say what became of the command if it came before (I22). */
function withLedger(target: PointValue, submit: () => CommandTicket): CommandTicket {
  try {
    return submit();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const detail = `nothing was done now; whether it was done before can not be told: ${error.message}`;
    return over(undecided(target, detail));
  }
}

/** `session`: in which it is judged, whatever the frame says: a verdict of another session proves nothing at the center. */
function intentOf(
  frame: CommandFrame,
  { clock, session }: { readonly clock: Clock; readonly session: string | null },
): CommandIntent {
  return {
    command: {
      id: CommandId(frame.commandId),
      pointId: frame.pointId as PointId,
      value: frame.value,
      args: frame.args,
      commandClass: frame.commandClass,
      issuedBy: frame.requester,
    },
    origin: "center",
    session,
    sequence: frame.sequence,
    at: clock.now(),
  };
}

function formatSequence(sequence: CommandSequence): string {
  return `${sequence.generation}.${sequence.counter}`;
}
