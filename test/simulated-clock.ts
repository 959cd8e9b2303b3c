import { type CancelTimer, type Clock, Instant, type Millis, Uptime } from "../domain/time.ts";

interface Timer {
  readonly due: number;
  /** Of two timers due together, the one set first runs first. */
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it. Timers run in the order of their due times, each at its own
 * uptime, and all promises that hang on one settle before the next runs. Real I/O is not waited for.
 */
export class SimulatedClock implements Clock {
  readonly #timers = new Set<Timer>();
  #uptimeMs = 1_000;
  #wallMs: number;
  #order = 0;

  constructor(wall: Instant = Instant(Date.UTC(2026, 0, 1))) {
    this.#wallMs = wall;
  }

  now(): Instant {
    return Instant(this.#wallMs);
  }

  uptime(): Uptime {
    return Uptime(this.#uptimeMs);
  }

  /** Timers that have not run: 0 at the end of a test says that nothing was left waiting. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  async sleep(duration: Millis, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.schedule(duration, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  schedule(duration: Millis, callback: () => void): CancelTimer {
    this.#order += 1;
    const timer = { due: this.#uptimeMs + Math.max(0, duration), order: this.#order, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves both clocks on by `ms`; runs every timer that comes due, also those set meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.#uptimeMs + ms;
    await settle();
    for (let timer = this.#nextBefore(end); timer !== undefined; timer = this.#nextBefore(end)) {
      this.#timers.delete(timer);
      this.#moveTo(Math.max(timer.due, this.#uptimeMs));
      timer.callback();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Steps the wall clock as a first NTP reply does; uptime and timers do not notice. */
  setWall(wall: Instant): void {
    this.#wallMs = wall;
  }

  #moveTo(uptimeMs: number): void {
    this.#wallMs += uptimeMs - this.#uptimeMs;
    this.#uptimeMs = uptimeMs;
  }

  #nextBefore(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (
        next === undefined ||
        timer.due < next.due ||
        (timer.due === next.due && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    return next;
  }
}

/** A turn of the event loop: every promise that can settle without I/O or time has settled after it. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
