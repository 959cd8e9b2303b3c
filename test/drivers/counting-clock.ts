import { systemClock } from "../../domain/system-clock.ts";
import type { CancelTimer, Clock, Instant, Millis, Uptime } from "../../domain/time.ts";

/** The machine's clock, which also tells how many of its timers still wait. */
export class CountingClock implements Clock {
  readonly #waiting = new Set<object>();

  get pendingTimers(): number {
    return this.#waiting.size;
  }

  now(): Instant {
    return systemClock.now();
  }

  uptime(): Uptime {
    return systemClock.uptime();
  }

  async sleep(duration: Millis, signal: AbortSignal): Promise<void> {
    await systemClock.sleep(duration, signal);
  }

  schedule(duration: Millis, callback: () => void): CancelTimer {
    const timer = {};
    this.#waiting.add(timer);
    const cancel = systemClock.schedule(duration, () => {
      this.#waiting.delete(timer);
      callback();
    });
    return () => {
      this.#waiting.delete(timer);
      cancel();
    };
  }
}
