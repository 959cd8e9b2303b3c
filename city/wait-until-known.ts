import { type Clock, Seconds, since } from "../domain/time.ts";
import { areLevelsGood, type CityCounts, waitFor } from "./check/completeness.ts";
import type { City } from "./city.ts";

/** A city with a broken part is shown as it is, not waited for without end. */
const KNOWN_WITHIN = Seconds(120);
const SAY_EVERY = Seconds(2);

/** Until the center shows every lamp and cabinet as good, telling how far it is. */
export async function waitUntilKnown(
  city: City,
  context: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onProgress: (what: string) => void;
  },
): Promise<void> {
  const { clock, signal, onProgress } = context;
  let said = clock.uptime();
  const onLook = (counts: CityCounts): void => {
    if (since(said, clock.uptime()) < SAY_EVERY) return;
    said = clock.uptime();
    onProgress(describe(counts, city));
  };
  const isSo = (counts: CityCounts): boolean => areLevelsGood(counts, city);
  const { counts } = await waitFor(city, { isSo, within: KNOWN_WITHIN, clock, signal, onLook });
  onProgress(describe(counts, city));
}

export function describe(counts: CityCounts, city: City): string {
  const { lamps, pointsGood, points } = counts;
  return `${lamps} of ${city.plan.lamps} lamps good, ${pointsGood} of ${points} points`;
}
