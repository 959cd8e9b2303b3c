import { FAULTS } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import {
  type BadQuality,
  QUALITIES,
  QUALITY_CAUSES,
  type Quality,
  type QualityCause,
} from "../../../domain/quality.ts";
import type { PointChange, PointValue } from "../../../domain/reading.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Sample } from "../../../drivers/driver.ts";
import type { FieldPoint } from "../field-plan.ts";

/** Told state before anything was told: differs from every quality. */
const UNTOLD = 255;
const GOOD = QUALITIES.indexOf("good");
const OUT_OF_RANGE = QUALITIES.indexOf("uncertain/engineering-units-exceeded");
/** Deadbands are decimal fractions: 0.7 - 0.6 is a little less than 0.1 in a double. */
const ROUNDING = 1 - 1e-9;
const NO_VALUE = { quality: "bad/sensor-failure", cause: "sentinel" } as const;
const CAUSE_NONE = QUALITY_CAUSES.indexOf("none");

/** A sample that the gateway has judged: all of a {@link PointChange} but where and when. */
export interface JudgedSample {
  readonly value: PointValue | null;
  readonly quality: Quality;
  readonly cause: QualityCause;
}

/**
 * What was last told of each point of a unit, and whether a sample differs enough to be told again. Hot: a
 * gateway passes 125,000 samples a second here, so state lies in arrays by slot and an unchanged sample allocates nothing.
 * A slot is a point's place in the constructor's list.
 */
export class ChangeFilter {
  readonly #points: readonly FieldPoint[];
  /** NaN: the last told value is no number. */
  readonly #lastNumber: Float64Array;
  readonly #lastOther: (PointValue | null)[];
  /** Index into QUALITIES, or UNTOLD. */
  readonly #quality: Uint8Array;
  readonly #cause: Uint8Array;
  readonly #deadband: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  /** 1: each of its samples is told. */
  readonly #isEvent: Uint8Array;

  constructor(points: readonly FieldPoint[]) {
    const numbers = (of: (definition: PointDefinition) => number): Float64Array =>
      Float64Array.from(points, (point) => of(point.definition));
    this.#points = points;
    this.#lastNumber = new Float64Array(points.length).fill(Number.NaN);
    this.#lastOther = points.map(() => null);
    this.#quality = new Uint8Array(points.length).fill(UNTOLD);
    this.#cause = new Uint8Array(points.length);
    this.#deadband = numbers((definition) => definition.deadband * ROUNDING);
    this.#min = numbers((definition) => definition.range?.min ?? -Number.MAX_VALUE);
    this.#isEvent = Uint8Array.from(points, ({ definition }) => (definition.event ? 1 : 0));
    this.#max = numbers((definition) => definition.range?.max ?? Number.MAX_VALUE);
  }

  /** Appends to `out` what is worth telling of an exchange: `samples[i]` belongs to `slots[i]`. */
  accept(slots: readonly number[], samples: readonly Sample[], at: Instant, out: PointChange[]): void {
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index];
      const sample = samples[index];
      if (slot === undefined || sample === undefined) continue;
      if (!this.#isUnchanged(slot, sample)) this.#acceptOne(slot, sample, at, out);
    }
  }

  /** Tells that these points have no value, unless the same was told last. */
  mark(
    slots: Iterable<number>,
    quality: BadQuality,
    cause: QualityCause,
    at: Instant,
    out: PointChange[],
  ): void {
    for (const slot of slots) this.#tell(slot, { value: null, quality, cause }, null, at, out);
  }

  /** As {@link mark}, but of a point that was told as good what was told stays. */
  markUnlessGood(
    slots: readonly number[],
    quality: BadQuality,
    cause: QualityCause,
    at: Instant,
    out: PointChange[],
  ): void {
    this.mark(
      slots.filter((slot) => this.#quality[slot] !== GOOD),
      quality,
      cause,
      at,
      out,
    );
  }

  /** Forgets what was told: the next sample of every point is told, whatever it is. What happened stays told. */
  forget(): void {
    for (const [slot, isEvent] of this.#isEvent.entries()) {
      if (isEvent === 0 || this.#quality[slot] !== GOOD) this.#quality[slot] = UNTOLD;
    }
  }

  /** A number of good quality inside its range and its deadband: nearly every sample is. */
  #isUnchanged(slot: number, sample: Sample): boolean {
    if (!("value" in sample) || sample.quality !== undefined || this.#quality[slot] !== GOOD) return false;
    const value = sample.value;
    if (this.#isEvent[slot] === 1) return false;
    if (typeof value !== "number") return value === this.#lastOther[slot];
    const delta = Math.abs(value - (this.#lastNumber[slot] ?? Number.NaN));
    // A NaN fails every comparison, so it never counts as unchanged.
    const still = delta < (this.#deadband[slot] ?? 0) || delta === 0;
    return still && value >= (this.#min[slot] ?? 0) && value <= (this.#max[slot] ?? 0);
  }

  #acceptOne(slot: number, sample: Sample, at: Instant, out: PointChange[]): void {
    const definition = this.#points[slot]?.definition;
    if (definition === undefined) return;
    if (this.#isEvent[slot] === 1 && "value" in sample) this.#quality[slot] = UNTOLD;
    this.#tell(slot, judgeSample(sample, definition), "takenAt" in sample ? sample.takenAt : null, at, out);
  }

  #tell(slot: number, judged: JudgedSample, takenAt: Instant | null, at: Instant, out: PointChange[]): void {
    const point = this.#points[slot];
    if (point === undefined || this.#wasTold(slot, judged)) return;
    const { value, quality, cause } = judged;
    this.#quality[slot] = QUALITIES.indexOf(quality);
    this.#cause[slot] = cause === "none" ? CAUSE_NONE : QUALITY_CAUSES.indexOf(cause);
    this.#lastNumber[slot] = typeof value === "number" ? value : Number.NaN;
    this.#lastOther[slot] = typeof value === "number" ? null : value;
    out.push({ point: point.number, value, quality, cause, gatewayTimestamp: at, sourceTimestamp: takenAt });
  }

  #wasTold(slot: number, judged: JudgedSample): boolean {
    if (this.#quality[slot] !== QUALITIES.indexOf(judged.quality)) return false;
    if (this.#cause[slot] !== QUALITY_CAUSES.indexOf(judged.cause)) return false;
    if (typeof judged.value !== "number") return judged.value === this.#lastOther[slot];
    const delta = Math.abs(judged.value - (this.#lastNumber[slot] ?? Number.NaN));
    return delta < (this.#deadband[slot] ?? 0) || delta === 0;
  }
}

/** What the gateway vouches for: range, sentinel, fault and not-a-number become quality; no NaN passes. */
export function judgeSample(sample: Sample, definition: Pick<PointDefinition, "range">): JudgedSample {
  if ("fault" in sample) {
    return { value: null, quality: FAULTS[sample.fault.code].quality, cause: sample.fault.code };
  }
  if ("sentinel" in sample) return { value: null, ...NO_VALUE };
  if ("bad" in sample) return { value: null, quality: sample.bad, cause: "device-report" };
  const { value, quality } = sample;
  if (typeof value === "number" && !Number.isFinite(value)) return { value: null, ...NO_VALUE };
  const range = definition.range;
  if (typeof value === "number" && range !== undefined && (value < range.min || value > range.max)) {
    return {
      value,
      quality: QUALITIES[OUT_OF_RANGE] ?? "uncertain/engineering-units-exceeded",
      cause: "out-of-range",
    };
  }
  if (quality !== undefined) return { value, quality, cause: "device-report" };
  return { value, quality: "good", cause: "none" };
}
