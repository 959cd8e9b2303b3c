import type { Logger } from "pino";
import { type CommandState, isEnd } from "../../domain/command.ts";
import { advance } from "../../domain/command-machine.ts";
import type { CommandId, PointId } from "../../domain/ids.ts";
import type { Clock } from "../../domain/time.ts";
import { type CommandIntent, type Store, StoreError } from "../store/store.ts";
import { notStored, over, storeUnavailable, undecided } from "./command-ends.ts";
import type { CommandTicket } from "./control.ts";
import { UnstoredEnds } from "./unstored-ends.ts";

export interface CommandBookParts {
  readonly store: Pick<Store, "commands" | "desired" | "evidence">;
  readonly clock: Clock;
  readonly logger: Logger;
}

type StateListener = (commandId: CommandId, pointId: PointId, state: CommandState) => void;

/** What became of each command: written to the ledger first, then told. */
export class CommandBook {
  readonly #parts: CommandBookParts;
  readonly #listeners = new Set<StateListener>();
  readonly #unstored: UnstoredEnds;

  constructor(parts: CommandBookParts) {
    this.#parts = parts;
    this.#unstored = new UnstoredEnds(parts.store.commands, parts.clock);
  }

  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What became of a command that is not in flight, whoever asks again (I22). */
  find(id: CommandId): CommandState | undefined {
    this.retry();
    const unstored = this.#unstored.find(id);
    if (unstored !== undefined) return unstored;
    const entry = this.#parts.store.commands.find(id);
    if (entry === undefined || isEnd(entry.state)) return entry?.state;
    // PROTOCOL §8: executing without a result gives unknown.
    return undecided(entry.command.value, "it was begun, and nobody knows how it ended");
  }

  /** Intent and fence are durable when this returns `undefined` (I30); else why nothing may move. */
  begin(intent: CommandIntent): CommandTicket | undefined {
    const { store } = this.#parts;
    const { command } = intent;
    try {
      store.commands.begin(intent);
    } catch (error) {
      return this.#unavailable(intent, error);
    }
    try {
      if (command.commandClass === "K1") store.desired.set(command.pointId, desiredOf(intent));
    } catch (error) {
      // The ledger says that it executes: it must say too that it did not.
      const end = this.end(intent, storeUnavailable(storeErrorOf(error)));
      this.tell(intent, end);
      return over(end);
    }
    return undefined;
  }

  /** The end of what was begun, as it may be told: to be told by the caller. */
  end(intent: CommandIntent, state: CommandState): CommandState {
    const { id, value } = intent.command;
    const end = advance("gateway", { name: "executing" }, state);
    try {
      this.#storeEnd(id, end);
      return end;
    } catch (error) {
      this.#parts.logger.error({ err: error, commandId: id }, "the end of a command could not be stored");
      const told = notStored(end, value);
      this.#unstored.keep(intent, told);
      return told;
    }
  }

  /** A command that never began, also after it was selected. */
  refuse(intent: CommandIntent, state: CommandState): CommandTicket {
    try {
      this.#parts.store.commands.refuse(intent, state);
    } catch (error) {
      return this.#unavailable(intent, error);
    }
    this.tell(intent, state);
    return over(state);
  }

  /** Evidence only: a selection itself lives in RAM and ends with it (I36). Else why it can not be held. */
  noteSelected(intent: CommandIntent, state: CommandState): CommandTicket | undefined {
    const { command, origin, session } = intent;
    const { id, pointId, value, args, commandClass, issuedBy } = command;
    const order = { commandId: id, pointId, value, commandClass, origin, issuedBy, session } as const;
    const given = args.length > 0 ? { args } : {};
    try {
      this.#parts.store.evidence.append({ kind: "command", ...order, ...given, state });
    } catch (error) {
      return this.#unavailable(intent, error);
    }
    this.tell(intent, state);
    return undefined;
  }

  /** A listener that fails must not keep an order from its end, nor other listeners from hearing of it. */
  tell({ command }: CommandIntent, state: CommandState): void {
    for (const listener of this.#listeners) {
      try {
        listener(command.id, command.pointId, state);
      } catch (error) {
        this.#parts.logger.error(
          { err: error, commandId: command.id },
          "a listener of command states failed",
        );
      }
    }
  }

  /** Writes what the disk did not take before. */
  retry(): void {
    this.#unstored.retry();
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
    this.retry();
  }

  /** No ledger, no movement (PROTOCOL §5). */
  #unavailable(intent: CommandIntent, error: unknown): CommandTicket {
    const state = storeUnavailable(storeErrorOf(error));
    this.#unstored.keepRefusal(intent, state);
    this.tell(intent, state);
    return over(state);
  }
}

function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  throw error;
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
