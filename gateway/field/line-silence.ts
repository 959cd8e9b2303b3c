import type { Millis, Uptime } from "../../domain/time.ts";
import { SilenceBudget } from "./silence-budget.ts";
import type { PollTask } from "./unit/poll-task.ts";
import type { SessionKeeper } from "./unit/session-keeper.ts";
import type { Moment } from "./unit/unit-teller.ts";

/**
 * What the silent units of a line may cost those that answer. Where nobody answers there is nobody to protect: each is asked as
 * its own back-off says, and once the first answers the others are asked at once, since what they share was at fault.
 */
export class LineSilence {
  readonly #keepers: readonly SessionKeeper[];
  readonly #budget: SilenceBudget;

  /** `timeout`: of one request. */
  constructor(keepers: readonly SessionKeeper[], timeout: Millis) {
    this.#keepers = keepers;
    this.#budget = new SilenceBudget(timeout);
  }

  /** What may be run now. */
  may(now: Uptime): "polls" | "polls-and-probes" {
    return this.#isWhole() || this.#budget.allows(now) ? "polls-and-probes" : "polls";
  }

  /** Uptime in ms at which {@link may} may answer otherwise. */
  nextChange(now: Uptime): number {
    return this.#budget.nextChange(now);
  }

  /** To be called when the unit's miss is settled. */
  spend(now: Uptime, cost: Millis): void {
    if (!this.#isWhole()) this.#budget.spend(now, cost);
  }

  /** Settles an answer of the unit. Returns what is to be scheduled. */
  answered(keeper: SessionKeeper, moment: Moment, settle: () => readonly PollTask[]): readonly PollTask[] {
    const wasWhole = this.#isWhole();
    const tasks = settle();
    if (!wasWhole) return tasks;
    const others = this.#keepers.filter((other) => other !== keeper);
    return [...tasks, ...others.flatMap((other) => other.silence.hasten(moment.uptime))];
  }

  #isWhole(): boolean {
    return !this.#keepers.some(({ silence }) => silence.answers);
  }
}
