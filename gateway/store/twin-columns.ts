import { PointNumber } from "../../domain/ids.ts";
import { QUALITIES, QUALITY_CAUSES } from "../../domain/quality.ts";
import type { PointValue, StoredReading } from "../../domain/reading.ts";
import { Instant } from "../../domain/time.ts";

const KINDS = { none: 0, untold: 1, number: 2, boolean: 3, text: 4 } as const;
const FIRST_CAPACITY = 256;

/**
 * The latest reading of each point in columns by point number: 35 bytes a point, where an object with its boxed times took
 * 110, and nothing for the garbage collector to walk. A reading is made when it is asked for.
 */
export class TwinColumns {
  #size = 0;
  /** `none`: the point has no reading; `untold`: it has one without a value. */
  #kinds = new Uint8Array(FIRST_CAPACITY);
  #qualities = new Uint8Array(FIRST_CAPACITY);
  #causes = new Uint8Array(FIRST_CAPACITY);
  /** Of booleans 0 or 1. */
  #numbers = new Float64Array(FIRST_CAPACITY);
  #gatewayTimes = new Float64Array(FIRST_CAPACITY);
  /** NaN: the device keeps no time. */
  #sourceTimes = new Float64Array(FIRST_CAPACITY);
  #versions = new Float64Array(FIRST_CAPACITY);
  readonly #texts = new Map<number, string>();

  get(point: PointNumber): StoredReading | undefined {
    return this.#kindOf(point) === KINDS.none ? undefined : this.#readingOf(point);
  }

  /** Points of these numbers, and all from `from` on if `to` is left out. */
  *range(from: number, to: number = this.#size): Generator<StoredReading> {
    for (let point = from; point < Math.min(to, this.#size); point += 1)
      if (this.#kindOf(point) !== KINDS.none) yield this.#readingOf(point);
  }

  /** -1: the point has no reading. */
  versionOf(point: PointNumber): number {
    return this.#kindOf(point) === KINDS.none ? -1 : (this.#versions[point] ?? -1);
  }

  set(reading: StoredReading): void {
    const { point, value } = reading;
    this.#reserve(point + 1);
    this.#kinds[point] = kindOf(value);
    this.#qualities[point] = QUALITIES.indexOf(reading.quality);
    this.#causes[point] = QUALITY_CAUSES.indexOf(reading.cause);
    this.#numbers[point] = typeof value === "string" ? 0 : Number(value);
    this.#gatewayTimes[point] = reading.gatewayTimestamp;
    this.#sourceTimes[point] = reading.sourceTimestamp ?? Number.NaN;
    this.#versions[point] = reading.stateVersion;
    if (typeof value === "string") this.#texts.set(point, value);
    else if (this.#texts.size > 0) this.#texts.delete(point);
  }

  #kindOf(point: number): number {
    return this.#kinds[point] ?? KINDS.none;
  }

  #readingOf(point: number): StoredReading {
    const sourceTime = this.#sourceTimes[point] ?? Number.NaN;
    return {
      point: PointNumber(point),
      value: this.#valueOf(point),
      quality: QUALITIES[this.#qualities[point] ?? 0] ?? "good",
      cause: QUALITY_CAUSES[this.#causes[point] ?? 0] ?? "none",
      gatewayTimestamp: Instant(this.#gatewayTimes[point] ?? 0),
      sourceTimestamp: Number.isNaN(sourceTime) ? null : Instant(sourceTime),
      stateVersion: this.#versions[point] ?? 0,
    };
  }

  #valueOf(point: number): PointValue | null {
    const number = this.#numbers[point] ?? 0;
    switch (this.#kindOf(point)) {
      case KINDS.number:
        return number;
      case KINDS.boolean:
        return number === 1;
      case KINDS.text:
        return this.#texts.get(point) ?? "";
      default:
        return null;
    }
  }

  /** Points are numbered one after the other: an eighth more each time copies little and wastes little. */
  #reserve(size: number): void {
    this.#size = Math.max(this.#size, size);
    if (size <= this.#kinds.length) return;
    const capacity = Math.ceil(size * 1.125);
    this.#kinds = grown(this.#kinds, new Uint8Array(capacity));
    this.#qualities = grown(this.#qualities, new Uint8Array(capacity));
    this.#causes = grown(this.#causes, new Uint8Array(capacity));
    this.#numbers = grown(this.#numbers, new Float64Array(capacity));
    this.#gatewayTimes = grown(this.#gatewayTimes, new Float64Array(capacity));
    this.#sourceTimes = grown(this.#sourceTimes, new Float64Array(capacity));
    this.#versions = grown(this.#versions, new Float64Array(capacity));
  }
}

function kindOf(value: PointValue | null): number {
  if (value === null) return KINDS.untold;
  if (typeof value === "string") return KINDS.text;
  return typeof value === "number" ? KINDS.number : KINDS.boolean;
}

function grown<Column extends Uint8Array | Float64Array>(old: Column, column: Column): Column {
  column.set(old);
  return column;
}
