import type { PointNumber, SiteId } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { type Clock, Millis } from "../../domain/time.ts";
import type { PointOfDevice } from "../site/site.ts";
import { topicOf } from "./topics.ts";

/** At most one retained message per point per this time (DESIGN §4): the newest wins, the last is never lost. */
export const PUBLISH_INTERVAL = Millis(1_000);

export interface TwinPublisherParts {
  readonly siteId: SiteId;
  readonly findPoint: (number: PointNumber) => PointOfDevice | undefined;
  readonly publish: (message: {
    readonly topic: string;
    readonly payload: string;
    readonly retain: true;
  }) => void;
  readonly clock: Clock;
}

/** Turns committed readings into retained messages. */
export class TwinPublisher {
  readonly #parts: TwinPublisherParts;
  readonly #topics = new Map<PointNumber, { readonly topic: string; readonly unit: string }>();
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

  #publish(reading: StoredReading, now: number): void {
    const place = this.#placeOf(reading.point);
    if (place === undefined) return;
    this.#waiting.delete(reading.point);
    this.#due.set(reading.point, now + PUBLISH_INTERVAL);
    this.#parts.publish({ topic: place.topic, payload: payloadOf(reading, place.unit), retain: true });
  }

  #placeOf(point: PointNumber): { readonly topic: string; readonly unit: string } | undefined {
    const known = this.#topics.get(point);
    if (known !== undefined) return known;
    const found = this.#parts.findPoint(point);
    if (found === undefined) return undefined;
    const place = {
      topic: topicOf(this.#parts.siteId, "reported", found.point.id),
      unit: JSON.stringify(found.point.definition.unit),
    };
    this.#topics.set(point, place);
    return place;
  }
}

/** The reading with its quality and age, never the value alone. */
function payloadOf(reading: StoredReading, unit: string): string {
  const value = JSON.stringify(reading.value);
  const source = reading.sourceTimestamp ?? reading.gatewayTimestamp;
  return `{"value":${value},"unit":${unit},"quality":"${reading.quality}","cause":"${reading.cause}","sourceTimestampMs":${source},"gatewayTimestampMs":${reading.gatewayTimestamp},"stateVersion":${reading.stateVersion}}`;
}
