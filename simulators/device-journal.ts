import type { DeviceChange, EffectCause, Journal, JournalOrder, WriteOutcome } from "./journal.ts";
import type { WriteRequest } from "./modbus/register-bank.ts";

/** What changed at one device, before it is counted. */
export type PlainChange = Pick<DeviceChange, "what" | "from" | "to">;

/** The journal as one device writes it: under its own name, with its own count of effects. */
export class DeviceJournal {
  readonly #id: string;
  readonly #journal: Journal;
  #effects = 0;

  constructor(id: string, journal: Journal) {
    this.#id = id;
    this.#journal = journal;
  }

  /** This device's effects so far. */
  get effects(): number {
    return this.#effects;
  }

  /** A Modbus write that moved nothing, and why. */
  refused(request: WriteRequest, outcome: WriteOutcome): void {
    this.#journal.recordWrite(this.#id, request, outcome);
  }

  /** A Modbus write that was executed, and all that changed at once. What is returned is the cause of what follows. */
  executed(request: WriteRequest, changes: readonly PlainChange[]): EffectCause {
    return this.#journal.recordExecution(this.#id, request, this.#counted(changes));
  }

  /** The same for every other protocol. */
  ordered(order: JournalOrder, outcome: WriteOutcome, changes: readonly PlainChange[] = []): EffectCause {
    return this.#journal.recordOrder(this.#id, { order, outcome, changes: this.#counted(changes) });
  }

  /** What changed without an order, or later than it. What is no change is left out. */
  effect(cause: EffectCause, changes: readonly PlainChange[]): void {
    const real = changes.filter(({ from, to }) => from !== to);
    if (real.length > 0) this.#journal.recordEffects(this.#id, cause, this.#counted(real));
  }

  #counted(changes: readonly PlainChange[]): DeviceChange[] {
    return changes.map(({ what, from, to }) => {
      this.#effects += 1;
      return { device: this.#id, deviceSeq: this.#effects, what, from, to, fadeMs: 0 };
    });
  }
}
