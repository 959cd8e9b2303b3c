import type { Millis, Uptime } from "../../domain/time.ts";

const SHARE = 0.05;
const SLICES = 60;
const WINDOW_MIN_MS = 60_000;

/**
 * Line time lost to units that do not answer: all of a bus together at most 5 % of any minute (DESIGN §4). Counts
 * what was spent in a sliding window of 60 slices; where one time-out alone would be more than 5 % of a minute,
 * the window is as long as needed for one.
 */
export class SilenceBudget {
  readonly #sliceMs: number;
  readonly #limitMs: number;
  readonly #costOfOne: number;
  readonly #spent = new Float64Array(SLICES);
  #slice = 0;

  /** `timeout`: what one unanswered exchange costs at most. */
  constructor(timeout: Millis) {
    const window = Math.max(WINDOW_MIN_MS, timeout / SHARE);
    // One slice less is the limit's window, so that a slice that is half gone still counts in full.
    this.#sliceMs = window / (SLICES - 1);
    this.#limitMs = window * SHARE;
    this.#costOfOne = timeout;
  }

  spend(now: Uptime, cost: Millis): void {
    this.#forget(now);
    const place = this.#slice % SLICES;
    this.#spent[place] = (this.#spent[place] ?? 0) + cost;
  }

  /** Whether one more unanswered exchange fits. */
  allows(now: Uptime): boolean {
    this.#forget(now);
    let sum = this.#costOfOne;
    for (const cost of this.#spent) sum += cost;
    return sum <= this.#limitMs + 1e-6;
  }

  /** Uptime in ms at which the window moves on: when {@link allows} may answer otherwise. */
  nextChange(now: Uptime): number {
    return (Math.floor(now / this.#sliceMs) + 1) * this.#sliceMs;
  }

  #forget(now: Uptime): void {
    const slice = Math.floor(now / this.#sliceMs);
    const passed = Math.min(slice - this.#slice, SLICES);
    for (let step = 1; step <= passed; step += 1) this.#spent[(this.#slice + step) % SLICES] = 0;
    this.#slice = slice;
  }
}
