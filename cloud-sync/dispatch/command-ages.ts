import type { CommandId } from "../../domain/ids.ts";
import { type Clock, type Instant, Millis, since, type Uptime } from "../../domain/time.ts";
import type { CommandRecord } from "./command-record.ts";

interface KnownAges {
  readonly authorized: Uptime;
  readonly sent: Uptime | null;
  readonly selected: Uptime | null;
}

/**
 * How long commands have been on their way by the monotonic clock, which no step of the wall clock shortens. One entry
 * for each command that is not over; a command from before this process counts from its first sight here.
 */
export class CommandAges {
  readonly #clock: Clock;
  readonly #known = new Map<CommandId, KnownAges>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called when a command is first seen and when it moved. */
  note(command: CommandRecord): void {
    const now = this.#clock.uptime();
    const before = this.#known.get(command.id);
    const sent = command.sent === null ? null : (before?.sent ?? now);
    const selected = command.state.name === "selected" ? (before?.selected ?? now) : null;
    this.#known.set(command.id, { authorized: before?.authorized ?? now, sent, selected });
  }

  /** Forgets all but these. */
  keep(open: ReadonlySet<CommandId>): void {
    for (const id of this.#known.keys()) if (!open.has(id)) this.#known.delete(id);
  }

  /** Since AUTHORIZED: the longer of the two clocks' answers, so that a clock set back never lengthens a life (I21). */
  sinceAuthorized(command: CommandRecord): Millis {
    const known = this.#known.get(command.id);
    const byUptime = known === undefined ? 0 : since(known.authorized, this.#clock.uptime());
    return Millis(Math.max(byUptime, this.#byWall(command.authorizedAt)));
  }

  sinceSent(command: CommandRecord): Millis | null {
    const sent = this.#known.get(command.id)?.sent ?? null;
    return sent === null ? null : since(sent, this.#clock.uptime());
  }

  /** Since the selection was first seen here; null when it was not. */
  sinceSelected(command: CommandRecord): Millis | null {
    const selected = this.#known.get(command.id)?.selected ?? null;
    return selected === null ? null : since(selected, this.#clock.uptime());
  }

  /** From SENT to `at`; null when it was not sent in this process's sight. */
  fromSentTo(command: CommandRecord, at: Uptime): Millis | null {
    const sent = this.#known.get(command.id)?.sent ?? null;
    return sent === null ? null : since(sent, at);
  }

  #byWall(at: Instant | null): number {
    return at === null ? 0 : this.#clock.now() - at;
  }
}
