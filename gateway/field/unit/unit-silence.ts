import { exponentialBackoff } from "../../../domain/backoff.ts";
import { Seconds, type Uptime } from "../../../domain/time.ts";
import { type PollTask, probeTask } from "./poll-task.ts";

/** A silent unit is asked again after 1, 2, 4 … 60 s (DESIGN §4). */
const PROBE_BACKOFF = { min: Seconds(1), max: Seconds(60) };

/** What is asked of a silent unit, and of which points. */
type Question = Pick<PollTask, "exchange" | "keepAlive" | "slots">;

/** How long a unit has not answered, and when it is asked again. */
export class UnitSilence {
  readonly #unit: number;
  #failures = 0;
  #answers = false;
  #probe: PollTask | undefined;

  /** `unit`: its place on the bus. */
  constructor(unit: number) {
    this.#unit = unit;
  }

  /** Exchanges in a row that nothing came back from; 0: none was lost. */
  get failures(): number {
    return this.#failures;
  }

  /** The last exchange in this opening of the line was answered. */
  get answers(): boolean {
    return this.#answers;
  }

  get isSilent(): boolean {
    return this.#failures > 0;
  }

  answered(): void {
    this.#answers = true;
  }

  /** Returns what is to be scheduled; nothing can be asked of a unit without points. */
  missed(first: () => Question | undefined, now: Uptime): readonly PollTask[] {
    this.#failures += 1;
    this.#answers = false;
    const question = this.#probe ?? first();
    return question === undefined ? [] : this.#ask(question, now);
  }

  /** The whole line was silent and is no more: asked again at once, however long it was backed off. */
  hasten(now: Uptime): readonly PollTask[] {
    if (!this.isSilent || this.#probe === undefined) return [];
    this.#failures = 1;
    return this.#ask(this.#probe, now);
  }

  /** It is asked no more for being silent. */
  end(): void {
    this.#failures = 0;
    this.retire();
    this.#probe = undefined;
  }

  /** What is scheduled is not to be run. */
  retire(): void {
    if (this.#probe !== undefined) this.#probe.retired = true;
  }

  /** The line is gone. */
  closed(): void {
    this.#answers = false;
    this.retire();
  }

  #ask({ exchange, keepAlive, slots }: Question, now: Uptime): readonly PollTask[] {
    this.retire();
    const wait = exponentialBackoff(this.#failures, PROBE_BACKOFF);
    this.#probe = probeTask({ exchange, keepAlive }, { unit: this.#unit, slots, wait, now });
    return [this.#probe];
  }
}
