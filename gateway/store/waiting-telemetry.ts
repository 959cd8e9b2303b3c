import type { TelemetryLane } from "../../domain/lane.ts";
import { isBad } from "../../domain/quality.ts";
import type { PointChange } from "../../domain/reading.ts";
import type { EventBody } from "../../domain/wire/record-kinds.ts";

/** Above this, what has been superseded by a newer waiting reading of its point gives way. */
export const WAITING_MAX = 50_000;

/** Events that wait at most; the oldest of lane D gives way, then the oldest of all. */
const EVENTS_MAX = 10_000;

export interface WaitingEvent {
  readonly lane: "B" | "D";
  readonly body: EventBody;
  readonly tWall: number;
}

/** Sequences to be given to what was dropped before it had one, by lane. */
export type DroppedCounts = Readonly<Record<TelemetryLane, number>>;

export interface TakenTelemetry {
  readonly changes: readonly PointChange[];
  readonly events: readonly WaitingEvent[];
  readonly dropped: DroppedCounts;
}

/**
 * Readings that wait for their group. The bound: from 50,000 on, numbers whose point has a newer reading of the same
 * quality waiting are dropped; from 100,000 on every superseded reading, so that what waits can not outgrow
 * 100,000 or the number of points, whichever is more.
 */
export class WaitingTelemetry {
  #changes: PointChange[] = [];
  #events: WaitingEvent[] = [];
  #dropped: Record<TelemetryLane, number> = { B: 0, C: 0, D: 0 };
  #thinAt = WAITING_MAX;

  get size(): number {
    return this.#changes.length;
  }

  get isEmpty(): boolean {
    return this.#changes.length === 0 && this.#events.length === 0;
  }

  pushEvent(event: WaitingEvent): void {
    if (this.#events.length >= EVENTS_MAX) {
      const least = Math.max(
        0,
        this.#events.findIndex(({ lane }) => lane === "D"),
      );
      for (const { lane } of this.#events.splice(least, 1)) this.#dropped[lane] += 1;
    }
    this.#events.push(event);
  }

  /** @throws {RangeError} for a value that its quality forbids or a point without number: a bug in the caller. */
  push(changes: readonly PointChange[], highestNumber: number): void {
    for (const change of changes) assertSound(change, highestNumber);
    for (const change of changes) this.#changes.push(change);
    if (this.#changes.length > this.#thinAt) this.#thin();
  }

  /** The oldest, at most `limit`, and what was dropped before them. */
  take(limit: number): TakenTelemetry {
    const all = this.#changes;
    this.#changes = all.length > limit ? all.slice(limit) : [];
    const dropped = this.#dropped;
    this.#dropped = { B: 0, C: 0, D: 0 };
    const events = this.#events;
    this.#events = [];
    if (this.#changes.length < WAITING_MAX) this.#thinAt = WAITING_MAX;
    return { changes: all.length > limit ? all.slice(0, limit) : all, events, dropped };
  }

  #thin(): void {
    this.#keep(
      (change, newer) =>
        newer !== undefined && change.quality === newer.quality && typeof change.value === "number",
    );
    if (this.#changes.length > 2 * WAITING_MAX) this.#keep((_change, newer) => newer !== undefined);
    // Looking through all of them at every call would cost more than the readings: next when a quarter has come.
    this.#thinAt = Math.max(WAITING_MAX, Math.ceil(this.#changes.length * 1.25));
  }

  #keep(superseded: (change: PointChange, newer: PointChange | undefined) => boolean): void {
    const newest = new Map<number, PointChange>();
    const kept: PointChange[] = [];
    for (let index = this.#changes.length - 1; index >= 0; index -= 1) {
      const change = this.#changes[index];
      if (change === undefined) continue;
      if (superseded(change, newest.get(change.point))) {
        this.#dropped[typeof change.value === "number" ? "C" : "B"] += 1;
      } else {
        kept.push(change);
        newest.set(change.point, change);
      }
    }
    this.#changes = kept.reverse();
  }
}

function assertSound(change: PointChange, highestNumber: number): void {
  if ((change.value === null) !== isBad(change.quality)) {
    throw new RangeError(`reading of point ${change.point} has ${change.quality} with value ${change.value}`);
  }
  if (change.point < 1 || change.point > highestNumber) {
    throw new RangeError(`point ${change.point} has no number of this store: call numberPoints first`);
  }
}
