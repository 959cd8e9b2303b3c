import type { SimulatorClock } from "../clock.ts";

/**
 * `timer`: an action comes up to 2 ms late, which is nothing to a device and costs no processor time. `precise`: within
 * some 0.02 ms, for measuring; turns the event loop all the time, so give it a process of its own and one core.
 */
export type Punctuality = "timer" | "precise";

interface Action {
  readonly dueMs: number;
  readonly run: () => void;
}

/** What is to happen on a line, in the order of its times. */
export class Timetable implements Disposable {
  readonly #clock: SimulatorClock;
  readonly #punctuality: Punctuality;
  /** By time; equal ones in the order they were given. */
  readonly #actions: Action[] = [];
  #cancel: (() => void) | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(clock: SimulatorClock, punctuality: Punctuality) {
    this.#clock = clock;
    this.#punctuality = punctuality;
    if (punctuality === "precise") this.#spin();
  }

  /** `run` is called at `dueMs` of the monotonic clock, or at once when that is over; not after the end of the line. */
  at(dueMs: number, run: () => void): void {
    if (this.#isOver) return;
    let place = this.#actions.length;
    while (place > 0 && (this.#actions[place - 1]?.dueMs ?? 0) > dueMs) place -= 1;
    this.#actions.splice(place, 0, { dueMs, run });
    if (this.#punctuality === "timer" && dueMs < this.#armedForMs) this.#arm();
  }

  /** Forgets what was to happen. */
  clear(): void {
    this.#actions.length = 0;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.clear();
    this.#cancel?.();
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const first = this.#actions[0];
    this.#armedForMs = first?.dueMs ?? Number.POSITIVE_INFINITY;
    if (first === undefined) return;
    const left = Math.max(0, first.dueMs - this.#clock.monotonicMs());
    this.#cancel = this.#clock.after(left, () => {
      this.#armedForMs = Number.POSITIVE_INFINITY;
      this.#runDue();
      this.#arm();
    });
  }

  #spin(): void {
    if (this.#isOver) return;
    this.#runDue();
    setImmediate(() => this.#spin());
  }

  #runDue(): void {
    for (let first = this.#actions[0]; first !== undefined; first = this.#actions[0]) {
      if (first.dueMs > this.#clock.monotonicMs()) return;
      this.#actions.shift();
      first.run();
    }
  }
}
