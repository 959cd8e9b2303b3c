import { type CommandState, isEnd } from "../../domain/command.ts";
import type { CommandId } from "../../domain/ids.ts";
import type { Clock } from "../../domain/time.ts";
import type { CommandIntent, CommandLedger } from "../store/store.ts";

/** Refusals kept beside the ends of what was begun; more are told but not remembered: nothing moved for them. */
const REFUSALS_MAX = 1_000;

/**
 * Ends that were told while the disk took nothing. Repeating such a command gives the same end again, and as soon as
 * the disk has recovered they are written, so that the center hears of them.
 */
export class UnstoredEnds {
  readonly #ledger: Pick<CommandLedger, "find" | "settle" | "refuse">;
  readonly #clock: Pick<Clock, "now">;
  readonly #ends = new Map<CommandId, { readonly intent: CommandIntent; readonly state: CommandState }>();

  constructor(ledger: Pick<CommandLedger, "find" | "settle" | "refuse">, clock: Pick<Clock, "now">) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  find(id: CommandId): CommandState | undefined {
    return this.#ends.get(id)?.state;
  }

  /** Of a command that was begun: bounded by what may be in flight, since nothing begins while the disk fails. */
  keep(intent: CommandIntent, state: CommandState): void {
    this.#ends.set(intent.command.id, { intent, state });
  }

  /** Of a command that never began. */
  keepRefusal(intent: CommandIntent, state: CommandState): void {
    if (this.#ends.size < REFUSALS_MAX) this.keep(intent, state);
  }

  /** Called with every order and end: what still can not be written waits on. */
  retry(): void {
    for (const [id, { intent, state }] of this.#ends) {
      try {
        const held = this.#ledger.find(id);
        if (held === undefined) this.#ledger.refuse(intent, state);
        // A commit that was reported as failed may be there all the same (PROTOCOL, measured facts).
        else if (!isEnd(held.state)) this.#ledger.settle(id, state, this.#clock.now());
      } catch {
        // Logged when the end could not be stored the first time.
        return;
      }
      this.#ends.delete(id);
    }
  }
}
