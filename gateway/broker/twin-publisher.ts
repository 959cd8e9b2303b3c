import type { PointNumber } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { type Clock, Millis } from "../../domain/time.ts";
import { type TwinMessage, type TwinSource, twinMessage } from "./twin-message.ts";

/** At most one message per point per this time (DESIGN §4): the newest wins, the last is never lost. */
export const PUBLISH_INTERVAL = Millis(1_000);

export interface TwinPublisherParts extends TwinSource {
  readonly publish: (message: TwinMessage) => void;
  readonly clock: Clock;
}

/** Turns committed readings into messages while somebody listens. */
export class TwinPublisher {
  readonly #parts: TwinPublisherParts;
  readonly #due = new Map<PointNumber, number>();
  readonly #waiting = new Map<PointNumber, StoredReading>();

  constructor(parts: TwinPublisherParts) {
    this.#parts = parts;
  }

  /** Publishes what may go now; the rest goes with {@link flush}. */
  take(readings: Iterable<StoredReading>): void {
    const now = this.#parts.clock.uptime();
    for (const reading of readings) {
      if (now >= (this.#due.get(reading.point) ?? 0)) this.#publish(reading, now);
      else this.#waiting.set(reading.point, reading);
    }
  }

  /** Called a few times a second. */
  flush(): void {
    const now = this.#parts.clock.uptime();
    for (const [point, reading] of this.#waiting) {
      if (now < (this.#due.get(point) ?? 0)) continue;
      this.#waiting.delete(point);
      this.#publish(reading, now);
    }
  }

  /** Nobody listens any more: who comes next is told the twins as they are then. */
  forget(): void {
    this.#due.clear();
    this.#waiting.clear();
  }

  #publish(reading: StoredReading, now: number): void {
    const message = twinMessage(reading, this.#parts);
    if (message === undefined) return;
    this.#waiting.delete(reading.point);
    this.#due.set(reading.point, now + PUBLISH_INTERVAL);
    this.#parts.publish(message);
  }
}
