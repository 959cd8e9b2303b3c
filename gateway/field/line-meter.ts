import assert from "node:assert/strict";
import type { FaultCode } from "../../domain/errors.ts";
import type { Clock, Millis, Uptime } from "../../domain/time.ts";
import { since } from "../../domain/time.ts";

/** What the line did in a window. */
export interface LineFigures {
  /** Length of the window. */
  readonly window: Millis;
  readonly occupancy: number;
  readonly exchangesPerSecond: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** Lets one exchange at a time onto the line and counts what it costs. */
export class LineMeter {
  readonly #clock: Clock;
  readonly #faults: Record<string, number> = {};
  #windowStart: Uptime;
  #busyMs = 0;
  #exchanges = 0;
  #since: Uptime | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#windowStart = clock.uptime();
  }

  /** When the exchange in flight began; `null` while the line is free. */
  get inFlightSince(): Uptime | null {
    return this.#since;
  }

  /** Runs one exchange. @throws {AssertionError} if one is in flight: a bug that may mix up answers. */
  async use<Answer>(exchange: () => Promise<Answer>): Promise<Answer> {
    assert(this.#since === null, "two exchanges on one line");
    const start = this.#clock.uptime();
    this.#since = start;
    try {
      return await exchange();
    } finally {
      this.#since = null;
      this.#exchanges += 1;
      this.#busyMs += since(start, this.#clock.uptime());
    }
  }

  countFault(code: FaultCode): void {
    this.#faults[code] = (this.#faults[code] ?? 0) + 1;
  }

  /** Figures of the window since the last call; begins the next. */
  takeWindow(): LineFigures {
    const now = this.#clock.uptime();
    const window: Millis = since(this.#windowStart, now);
    const figures = {
      window,
      occupancy: window > 0 ? Math.min(1, this.#busyMs / window) : 0,
      exchangesPerSecond: window > 0 ? (this.#exchanges * 1_000) / window : 0,
      faults: { ...this.#faults },
    };
    this.#windowStart = now;
    this.#busyMs = 0;
    this.#exchanges = 0;
    return figures;
  }
}
