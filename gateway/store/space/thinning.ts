import type { PointNumber } from "../../../domain/ids.ts";
import type { StoredReading } from "../../../domain/reading.ts";
import { Days, Millis, Minutes, Seconds } from "../../../domain/time.ts";
import type { PointsBlock } from "../../../domain/wire/points-block.ts";
import { cutBlocks, minuteOf } from "../group-builder.ts";

/** PROTOCOL §5. */
export const WINDOW = Minutes(15);
/** Readings of one block have clocks that differ by less: the center maps all of them by the newest. */
const OFFSET_MAX = Seconds(1);

/** A reading that is told again, with what its block said of its time. */
export interface KeptReading {
  readonly reading: StoredReading;
  /** When it was taken, on the clock that counts from the opening which tells it. */
  readonly tMono: number;
  readonly timeQuality: PointsBlock["timeQuality"];
}

interface Extremes {
  lowest: KeptReading;
  highest: KeptReading;
  last: KeptReading;
}

/** Least, greatest and last reading of each point and 15 min window: readings that were taken, no mean (0020). */
export class WindowThinning {
  readonly #windows = new Map<number, Map<PointNumber, Extremes>>();

  add(kept: KeptReading): void {
    const { point, gatewayTimestamp } = kept.reading;
    const window = windowOf(gatewayTimestamp);
    const points = this.#windows.get(window) ?? new Map<PointNumber, Extremes>();
    this.#windows.set(window, points);
    const known = points.get(point);
    if (known === undefined) {
      points.set(point, { lowest: kept, highest: kept, last: kept });
      return;
    }
    if (numberOf(kept) < numberOf(known.lowest)) known.lowest = kept;
    if (numberOf(kept) > numberOf(known.highest)) known.highest = kept;
    if (kept.reading.stateVersion > known.last.reading.stateVersion) known.last = kept;
  }

  kept(): readonly KeptReading[] {
    const kept = new Set<KeptReading>();
    for (const points of this.#windows.values())
      for (const { lowest, highest, last } of points.values()) kept.add(lowest).add(highest).add(last);
    return [...kept];
  }
}

export function windowOf(at: number): number {
  return Math.floor(at / WINDOW);
}

/** When each reading of a block was taken on its opening's clock, as the center reckons it (its `correctBlock`). */
export function keptOf(block: PointsBlock): readonly KeptReading[] {
  const { readings, storedAt, timeQuality } = block;
  const newest = readings.reduce((most, each) => Math.max(most, each.gatewayTimestamp), -Infinity);
  return readings.map((reading) => {
    const earlier = newest - reading.gatewayTimestamp;
    return { reading, tMono: storedAt - (earlier < Days(1) ? earlier : 0), timeQuality };
  });
}

/** Blocks that tell these readings again, each of one minute (so that history finds it) and of one clock. */
export function blocksOf(kept: readonly KeptReading[]): readonly PointsBlock[] {
  const sorted = kept.toSorted(
    (left, right) =>
      left.reading.gatewayTimestamp - right.reading.gatewayTimestamp ||
      left.reading.stateVersion - right.reading.stateVersion,
  );
  const runs: KeptReading[][] = [];
  for (const each of sorted) {
    const first = runs.at(-1)?.[0];
    if (first !== undefined && belongTogether(first, each)) runs.at(-1)?.push(each);
    else runs.push([each]);
  }
  return runs.flatMap((run) => {
    let next = 0;
    return [...cutBlocks(run.map(({ reading }) => reading))].map((readings): PointsBlock => {
      next += readings.length;
      const newest = run[next - 1];
      return {
        storedAt: Millis(newest?.tMono ?? 0),
        timeQuality: newest?.timeQuality ?? "unset",
        readings,
      };
    });
  });
}

function belongTogether(first: KeptReading, next: KeptReading): boolean {
  return (
    first.timeQuality === next.timeQuality &&
    minuteOf(first.reading.gatewayTimestamp) === minuteOf(next.reading.gatewayTimestamp) &&
    Math.abs(offsetOf(first) - offsetOf(next)) < OFFSET_MAX
  );
}

function offsetOf({ reading, tMono }: KeptReading): number {
  return reading.gatewayTimestamp - tMono;
}

/** Lane C holds numbers only. */
function numberOf({ reading }: KeptReading): number {
  return Number(reading.value);
}
