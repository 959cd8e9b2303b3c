import type { Device } from "../domain/device.ts";
import type { PointNumber } from "../domain/ids.ts";
import { isEpochOf, type SitePoint } from "../domain/point.ts";
import { isBad } from "../domain/quality.ts";
import type { PointChange } from "../domain/reading.ts";
import { advanceCounter, beginCounter, type CounterState, type CounterWidth } from "./counter-machine.ts";
import type { Field, FieldFrames } from "./field/field-plan.ts";
import type { TelemetryStore } from "./store/store.ts";

/** One total with its epoch: what the field tells of either point is what the device shows. */
interface Counter {
  readonly width: CounterWidth;
  state: CounterState | undefined;
}

interface CounterPoint {
  readonly counter: Counter;
  readonly tells: keyof CounterState;
  /** Absent: nothing since the start. */
  told?: PointChange;
}

/**
 * Makes totals of what counters show. The last told total and epoch are all the memory there is, and lie in the store
 * as every last reading does; so they go on after a restart, and with a store that is lost they begin anew.
 */
export class CounterTotals {
  readonly #points = new Map<PointNumber, CounterPoint>();

  constructor(devices: readonly Device[], latest: TelemetryStore["latest"]) {
    for (const { points } of devices) {
      for (const point of points) this.#addTotal(point, points, latest);
    }
  }

  /** What is told on of what the field hosts told; an epoch that stands is not told again. */
  told(changes: readonly PointChange[]): readonly PointChange[] {
    if (this.#points.size === 0) return changes;
    return changes.flatMap((change) => {
      const point = this.#points.get(change.point);
      if (point === undefined) return [change];
      const { counter } = point;
      const shown = shownBy(change, counter.width);
      if (shown !== undefined) counter.state = stateAfter(counter, shown);
      const told = toldChange(change, { tells: point.tells, shown, state: counter.state });
      if (point.told !== undefined && isSame(point.told, told)) return [];
      point.told = told;
      return [told];
    });
  }

  /** What a read on somebody's behalf answers. It may overtake what is told of polls before it, so it moves nothing. */
  seen(changes: readonly PointChange[]): readonly PointChange[] {
    return changes.map((change) => {
      const point = this.#points.get(change.point);
      if (point === undefined) return change;
      const shown = shownBy(change, point.counter.width);
      const state = shown === undefined ? point.counter.state : stateAfter(point.counter, shown);
      return toldChange(change, { tells: point.tells, shown, state });
    });
  }

  #addTotal(
    { number, definition }: SitePoint,
    siblings: readonly SitePoint[],
    latest: TelemetryStore["latest"],
  ): void {
    const { counter: width, name } = definition;
    if (width === undefined || "epochOf" in width) return;
    const epoch = siblings.find((sibling) => isEpochOf(sibling.definition, name));
    const counter: Counter = { width, state: remembered(latest(number), epoch && latest(epoch.number)) };
    this.#points.set(number, { counter, tells: "total" });
    if (epoch !== undefined) this.#points.set(epoch.number, { counter, tells: "epoch" });
  }
}

/** The field, whose reads of counters are answered with their totals. */
export function withCounterTotals(field: Field & FieldFrames, totals: CounterTotals): Field & FieldFrames {
  return {
    runOperation: (operation, signal) => field.runOperation(operation, signal),
    readFrames: (busId) => field.readFrames(busId),
    readNow: async (read, signal) => {
      const result = await field.readNow(read, signal);
      return result.outcome === "read" ? { ...result, changes: totals.seen(result.changes) } : result;
    },
  };
}

/** The number that the device shows; `undefined`: it shows none, or one that its width can not hold. */
function shownBy({ quality, value }: PointChange, { bits }: CounterWidth): number | undefined {
  if (quality !== "good" && quality !== "good/local-override") return undefined;
  const isCount = typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** bits;
  return isCount ? value : undefined;
}

function stateAfter({ state, width }: Counter, shown: number): CounterState {
  return state === undefined ? beginCounter(shown) : advanceCounter(state, shown, width);
}

/** While the device shows nothing, what was counted until then stands as the last usable value: it is also the memory. */
function toldChange(
  change: PointChange,
  {
    tells,
    shown,
    state,
  }: {
    readonly tells: keyof CounterState;
    readonly shown: number | undefined;
    readonly state: CounterState | undefined;
  },
): PointChange {
  if (shown !== undefined && state !== undefined) return { ...change, value: state[tells] };
  const cause = change.cause === "none" ? "out-of-range" : change.cause;
  if (state === undefined)
    return {
      ...change,
      value: null,
      quality: isBad(change.quality) ? change.quality : "bad/sensor-failure",
      cause,
    };
  return { ...change, value: state[tells], quality: "uncertain/last-usable-value", cause };
}

function isSame(one: PointChange, other: PointChange): boolean {
  return one.value === other.value && one.quality === other.quality && one.cause === other.cause;
}

/** A total without its epoch was told by a site that had no such point: it never fell back then. */
function remembered(
  total: PointChange | undefined,
  epoch: PointChange | undefined,
): CounterState | undefined {
  if (typeof total?.value !== "number") return undefined;
  const began = typeof epoch?.value === "number" ? epoch.value : 0;
  return began <= total.value ? { total: total.value, epoch: began } : undefined;
}
