import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, Seconds } from "../../domain/time.ts";
import type { City } from "../city.ts";
import { describe } from "../wait-until-known.ts";
import { areLevelsGood, type CityCounts, waitFor } from "./completeness.ts";
import { cpuBetween, readCpu, total } from "./program-usage.ts";

/** How long the city took to be known, from the moment that PostgreSQL was ready. */
export interface StartFigures {
  readonly lamps: number;
  readonly cabinets: number;
  readonly points: number;
  /** Every lamp level and cabinet state good at the center; null: not in time. */
  readonly levelsGoodAfterMs: number | null;
  /** The same from the begin of this program, before any other ran. */
  readonly levelsGoodFromBeginMs: number | null;
  /** CPU of all programs until then, s: what a start costs on this machine, whatever else it does. */
  readonly levelsGoodCpuSec: number | null;
  /** Every point read, told and good; null: not in time. */
  readonly pointsGoodAfterMs: number | null;
  readonly problems: readonly string[];
}

/** The wait ends here; what the figures should be is for whoever reads them. */
const LEVELS_WITHIN = Seconds(120);
const POINTS_WITHIN = Seconds(120);

export async function startFigures(
  city: City,
  context: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onProgress: (what: string) => void;
  },
): Promise<StartFigures> {
  const { clock, signal, onProgress } = context;
  const from = await postgresReadyAt(city);
  const onLook = (counts: CityCounts): void => onProgress(describe(counts, city));
  const levels = await waitFor(city, {
    isSo: (counts) => areLevelsGood(counts, city),
    within: LEVELS_WITHIN,
    clock,
    signal,
    onLook,
  });
  const [levelsAt, fromBeginMs] = [clock.now(), Math.round(1_000 * process.uptime())];
  const cpuSec = total(cpuBetween(new Map(), await readCpu(city)));
  const points = await waitFor(city, { isSo: arePointsGood, within: POINTS_WITHIN, clock, signal, onLook });
  const pointsAt = clock.now();
  const problems: string[] = [];
  if (levels.at === null)
    problems.push(`not every lamp and cabinet is good: ${describe(levels.counts, city)}`);
  if (points.at === null) problems.push(`not every point is good: ${describe(points.counts, city)}`);
  return {
    lamps: city.plan.lamps,
    cabinets: city.plan.cabinets.length,
    points: points.counts.points,
    levelsGoodAfterMs: levels.at === null ? null : levelsAt - from,
    levelsGoodFromBeginMs: levels.at === null ? null : fromBeginMs,
    levelsGoodCpuSec: levels.at === null ? null : Math.round(10 * cpuSec) / 10,
    pointsGoodAfterMs: points.at === null ? null : pointsAt - from,
    problems,
  };
}

function arePointsGood({ points, pointsTold, pointsGood }: CityCounts): boolean {
  return points > 0 && pointsTold >= points && pointsGood >= points;
}

/** ms since 1970, by the center's log; with a PostgreSQL of one's own, when the center began to listen. */
async function postgresReadyAt(city: City): Promise<number> {
  const log = await readFile(join(city.folder, "logs/center.log"), "utf8");
  const lines = log.split("\n").filter((line) => /PostgreSQL is ready|listening for operators/.test(line));
  const newest = lines.findLast((line) => line.includes("PostgreSQL is ready")) ?? lines.at(-1) ?? "{}";
  const { time } = JSON.parse(newest) as { readonly time?: unknown };
  return typeof time === "number" ? time : Number.NaN;
}
