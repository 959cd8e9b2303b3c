import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { CommandState } from "../../domain/command.ts";
import type { CommandId, PointId } from "../../domain/ids.ts";
import { type CancelTimer, type Clock, Millis, Seconds, since, type Uptime } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import type { CommandIntent } from "../store/store.ts";
import type { CommandBook } from "./command-book.ts";
import { expired, rejected } from "./command-ends.ts";
import type { CommandTicket } from "./control.ts";
import type { OperationRunner } from "./field-operation.ts";
import { readPreview } from "./read-preview.ts";

/** PROTOCOL §8: a selection that nobody operates ends by itself. */
export const SELECTION_MAX = Seconds(5);

export interface SelectionParts {
  readonly points: PointIndex;
  readonly runner: Pick<OperationRunner, "readNow">;
  readonly book: Pick<CommandBook, "refuse" | "noteSelected">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Admits what was selected once more and begins it. */
  readonly execute: (intent: CommandIntent, target: PointOfDevice, deadline: Uptime) => CommandTicket;
}

/** One point held for one command: first while it is read, then selected. */
interface Selection {
  readonly intent: CommandIntent;
  readonly target: PointOfDevice;
  readonly deadline: Uptime;
  readonly ticket: CommandTicket;
  /** Of the ticket's end. */
  readonly resolve: (end: CommandState | Promise<CommandState>) => void;
  /** Aborts the read that nobody waits for any more. */
  readonly over: AbortController;
  readonly phase: "reading" | "selected";
  readonly cancelTimer: CancelTimer;
}

/**
 * The first step of a hazardous order from the center, and the way to the second. Selections live in RAM only: they end
 * after 5 s, with their sync session and with the process, and leave the device untouched (I36). At most one a point.
 */
export class SelectBeforeOperate {
  readonly #parts: SelectionParts;
  readonly #byPoint = new Map<PointId, Selection>();

  constructor(parts: SelectionParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byPoint.size;
  }

  find(id: CommandId): CommandTicket | undefined {
    return this.#findSelection(id)?.ticket;
  }

  /** Whose command holds the point. */
  holderOf(pointId: PointId): string | undefined {
    return this.#byPoint.get(pointId)?.intent.command.issuedBy;
  }

  /** Holds the point, which nobody may hold yet, and looks how it stands. */
  select(intent: CommandIntent, target: PointOfDevice, deadline: Uptime): CommandTicket {
    const { clock } = this.#parts;
    const { id, pointId } = intent.command;
    if (this.#byPoint.has(pointId)) throw new RangeError(`${pointId} is selected: control must refuse ${id}`);
    const { promise, resolve } = Promise.withResolvers<CommandState>();
    const ticket: CommandTicket = { admitted: { name: "draft" }, end: promise };
    const cancelTimer = clock.schedule(since(clock.uptime(), deadline), () =>
      this.#end(id, expired("its state could not be read while it was wanted: nothing was done")),
    );
    const over = new AbortController();
    const held: Selection = {
      intent,
      target,
      deadline,
      ticket,
      resolve,
      over,
      phase: "reading",
      cancelTimer,
    };
    this.#byPoint.set(pointId, held);
    this.#look(held).catch((error: unknown) => {
      this.#parts.logger.error(
        { err: error, commandId: id },
        "a selection ended in an error that no field should have",
      );
      this.#end(id, rejected("blocked", "its state could not be read: nothing was done"));
    });
    return ticket;
  }

  /** `undefined`: nothing is selected under this id. Whatever does not match ends the selection. */
  operate(
    frame: CommandFrame,
    judged: CommandState | { readonly deadline: Uptime },
  ): CommandTicket | undefined {
    const held = this.#findSelection(frame.commandId as CommandId);
    if (held === undefined) return undefined;
    const fault = "deadline" in judged ? mismatch(held, frame) : judged;
    if (fault !== undefined || !("deadline" in judged)) {
      this.#end(held.intent.command.id, fault ?? rejected("not-selected", "it does not match its selection"));
      return held.ticket;
    }
    this.#free(held);
    const ticket = this.#parts.execute(held.intent, held.target, judged.deadline);
    held.resolve(ticket.end);
    return ticket;
  }

  /** What another sync session selected can not be operated any more. `undefined`: there is no session. */
  endOtherSessions(current: string | undefined): void {
    for (const { intent } of this.#byPoint.values()) {
      if (intent.session !== current)
        this.#end(
          intent.command.id,
          expired("its sync session ended before it was operated: nothing was done"),
        );
    }
  }

  endAll(state: CommandState): void {
    for (const { intent } of this.#byPoint.values()) this.#end(intent.command.id, state);
  }

  async #look(held: Selection): Promise<void> {
    const { intent, target, over } = held;
    const { id, value } = intent.command;
    await Promise.resolve();
    const look = await readPreview(target, value, this.#parts, over.signal);
    if (over.signal.aborted) return;
    if ("blocked" in look) this.#end(id, rejected("blocked", `${look.blocked}: nothing was done`));
    else this.#selected(held, { name: "selected", preview: look.preview });
  }

  #selected(held: Selection, state: CommandState): void {
    const { clock, book } = this.#parts;
    const { id, pointId } = held.intent.command;
    held.cancelTimer();
    const left = since(clock.uptime(), held.deadline);
    const cancelTimer = clock.schedule(Millis(Math.min(SELECTION_MAX, Math.max(0, left))), () =>
      this.#end(id, expired("it was selected, but not operated in time: nothing was done")),
    );
    const selected: Selection = { ...held, phase: "selected", cancelTimer };
    this.#byPoint.set(pointId, selected);
    const unnoted = book.noteSelected(held.intent, state);
    if (unnoted === undefined) return;
    this.#free(selected);
    held.resolve(unnoted.end);
  }

  #end(id: CommandId, state: CommandState): void {
    const held = this.#findSelection(id);
    if (held === undefined) return;
    this.#free(held);
    held.resolve(this.#parts.book.refuse(held.intent, state).end);
  }

  #free({ intent, cancelTimer, over }: Selection): void {
    cancelTimer();
    over.abort(new Error("the selection is over"));
    this.#byPoint.delete(intent.command.pointId);
  }

  /** Few are held at once: a hazardous order lives for seconds. */
  #findSelection(id: CommandId): Selection | undefined {
    return [...this.#byPoint.values()].find(({ intent }) => intent.command.id === id);
  }
}

/** DOMAIN E.2, rule 10: operated by the same principal, to the same value, once it is selected. */
function mismatch({ intent, phase }: Selection, frame: CommandFrame): CommandState | undefined {
  const { command, session, sequence } = intent;
  if (phase === "reading") return rejected("not-selected", "its state was not read yet: nothing was done");
  const isSame =
    frame.requester === command.issuedBy &&
    frame.value === command.value &&
    isDeepStrictEqual(frame.args, command.args) &&
    frame.pointId === command.pointId &&
    frame.commandClass === command.commandClass &&
    frame.session === session &&
    frame.sequence.generation === sequence.generation &&
    frame.sequence.counter === sequence.counter;
  if (isSame) return undefined;
  return rejected(
    "not-selected",
    `it was selected by ${command.issuedBy} to ${command.value}: nothing was done`,
  );
}
