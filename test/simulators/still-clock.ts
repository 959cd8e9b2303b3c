import type { SimulatorClock } from "../../simulators/clock.ts";

/** Time that moves only when told to. */
export class StillClock implements SimulatorClock {
  nowMs = 1_000;
  #timers: { at: number; action: () => void }[] = [];

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.nowMs + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.nowMs);
    this.#timers = this.#timers.filter((timer) => timer.at > this.nowMs);
    for (const timer of due) timer.action();
  }
}
