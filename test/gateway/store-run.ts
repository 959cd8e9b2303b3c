import { pino } from "pino";
import { PointId, type PointNumber } from "../../domain/ids.ts";
import type { Lane } from "../../domain/lane.ts";
import type { PointChange, PointValue } from "../../domain/reading.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import type { Clock } from "../../domain/time.ts";
import { Instant } from "../../domain/time.ts";
import { type OpenContext, openStore } from "../../gateway/store/open-store.ts";
import type { Store, StoredEntry, StoreOptions } from "../../gateway/store/store.ts";

/** Opens a real store with the machine's clock and chance, silent and without ballast unless a test wants them. */
export function openTestStore(
  options: StoreOptions,
  context: Partial<OpenContext> & { readonly clock?: Clock } = {},
): Promise<Store> {
  return openStore(
    { ballastBytes: 0, ...options },
    {
      clock: systemClock,
      random: systemRandom,
      logger: pino({ level: "silent" }),
      ...context,
    },
  );
}

/** `count` points `lamp-<n>/dim-level`, in the order of their numbers. */
export function numberLamps(store: Store, count: number): readonly PointNumber[] {
  const ids = Array.from({ length: count }, (_, index) => PointId(`lamp-${index + 1}/dim-level`));
  return [...store.telemetry.numberPoints(ids).values()];
}

/** A good reading. */
export function reading(point: PointNumber, value: PointValue, at = 1_800_000_000_000): PointChange {
  return {
    point,
    value,
    quality: "good",
    cause: "none",
    gatewayTimestamp: Instant(at),
    sourceTimestamp: null,
  };
}

/** Every entry of the lane that is retained, over all incarnations, oldest first. */
export function entriesOf(store: Store, lane: Lane): readonly StoredEntry[] {
  return store.sync
    .heads()
    .filter((head) => head.lane === lane)
    .flatMap(({ incarnation }) => {
      const entries: StoredEntry[] = [];
      for (let from = 1; ; ) {
        const read = store.sync.readEntries({ incarnation, lane, from, maxRecords: 1_000 });
        const last = read.at(-1);
        if (last === undefined) return entries;
        entries.push(...read);
        from = last.range.first + last.range.count;
      }
    });
}
