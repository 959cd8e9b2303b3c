import { after, type Clock, Millis, type Uptime } from "../../domain/time.ts";
import type { GatewayCompleteness } from "../center-client.ts";
import type { City } from "../city.ts";
import { LAMP_LEVELS } from "../sites/device-points.ts";

/** How far the center knows the city at this moment. */
export interface CityCounts {
  /** Lamps whose level is good: what each was told, and what it does. */
  readonly lamps: number;
  /** Points of the cabinets' state that are good: contactors, breakers, door, mode. */
  readonly cabinetPoints: number;
  readonly cabinetPointsKnown: number;
  readonly points: number;
  readonly pointsTold: number;
  readonly pointsGood: number;
}

const POLL = Millis(500);

export async function countCity(city: City): Promise<CityCounts> {
  const counts = (await city.client.completeness()).flatMap((gateway) => gateway.counts);
  const levels = counts.filter(isOf("intesis-dali-lamp", "lamp")).filter(({ isControl }) => isControl);
  const cabinets = counts.filter(isOf("neutral-segment-cabinet", "normal"));
  return {
    // Both are read in one exchange.
    lamps: Math.floor(sum(levels, "good") / LAMP_LEVELS.length),
    cabinetPoints: sum(cabinets, "good"),
    cabinetPointsKnown: sum(cabinets, "points"),
    points: sum(counts, "points"),
    pointsTold: sum(counts, "told"),
    pointsGood: sum(counts, "good"),
  };
}

/** Of one gateway: how many of its points are good. */
export async function goodPointsOf(city: City, gatewayId: string): Promise<number> {
  const found = (await city.client.completeness()).find((gateway) => gateway.gatewayId === gatewayId);
  return sum(found?.counts ?? [], "good");
}

export function areLevelsGood({ lamps, cabinetPoints, cabinetPointsKnown }: CityCounts, city: City): boolean {
  return lamps >= city.plan.lamps && cabinetPoints >= cabinetPointsKnown;
}

/** Asks until it is so. `at` is `null` if it was not `within` this time. */
export async function waitFor(
  city: City,
  wait: {
    readonly isSo: (counts: CityCounts) => boolean;
    readonly within: Millis;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onLook?: (counts: CityCounts) => void;
  },
): Promise<{ readonly counts: CityCounts; readonly at: Uptime | null }> {
  const end = after(wait.clock.uptime(), wait.within);
  for (;;) {
    const counts = await countCity(city);
    const at = wait.clock.uptime();
    wait.onLook?.(counts);
    if (wait.isSo(counts)) return { counts, at };
    if (at > end) return { counts, at: null };
    await wait.clock.sleep(POLL, wait.signal);
  }
}

type Count = GatewayCompleteness["counts"][number];

function isOf(profileId: string, pollClass: string): (count: Count) => boolean {
  return (count) => count.profileId === profileId && count.pollClass === pollClass;
}

function sum(counts: readonly Count[], of: "points" | "told" | "good"): number {
  return counts.reduce((all, count) => all + count[of], 0);
}
