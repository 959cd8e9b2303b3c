import type { BurstFigures, LatencyFigures, Usage } from "./load-figures.ts";
import type { StartFigures } from "./start-figures.ts";

/** A measured figure with its unit and what was aimed at. Told, not judged: it does not decide the exit code. */
export interface Figure {
  /** For programs: lower-case words with hyphens; stays as it is. */
  readonly name: string;
  /** For people: what was measured, and how. */
  readonly what: string;
  /** Null: it was not reached in the time that the check waits. */
  readonly value: number | null;
  readonly unit: "ms" | "s" | "cores" | "bytes";
  /** In the same unit; null: none is set. */
  readonly goalAtMost: number | null;
  /** Null without a goal. */
  readonly met: boolean | null;
}

export interface Measured {
  readonly start: StartFigures;
  readonly latency: LatencyFigures;
  readonly burst: BurstFigures;
  readonly settledCpu: Usage;
  readonly memory: Usage;
}

/** The goals are for the whole city on a machine with two cores; a part of it should find them easy. */
export function figuresOf({ start, latency, burst, settledCpu, memory }: Measured): readonly Figure[] {
  const { lamps, cabinets, points } = start;
  return [
    figure("levels-good", "ms", start.levelsGoodAfterMs, {
      what: `level of each of ${lamps} lamps and state of each of ${cabinets} cabinets good at the center, from PostgreSQL ready`,
      goalAtMost: 15_000,
    }),
    figure("levels-good-from-begin", "ms", start.levelsGoodFromBeginMs, {
      what: "the same from the begin of npm start",
    }),
    figure("levels-good-cpu", "s", start.levelsGoodCpuSec, {
      what: "CPU of all processes until then: the machine has as much in a second as it has cores",
    }),
    figure("points-good", "ms", start.pointsGoodAfterMs, {
      what: `each of ${points} points read, told and good at the center, from PostgreSQL ready`,
      goalAtMost: 60_000,
    }),
    figure("memory", "bytes", memory.total, {
      what: "proportional set size (PSS) of all processes after start, commands and dusk",
      goalAtMost: 1_500_000_000,
    }),
    figure("settled-cpu", "cores", settledCpu.total, {
      what: "CPU of all processes while nobody orders anything",
      goalAtMost: 1,
    }),
    figure("lamp-command-p50", "ms", latency.p50Ms, {
      what: `half of ${latency.succeeded} orders to one lamp each: from the order to its proof at the center, in the center's record, while the city is polled`,
    }),
    figure("lamp-command-p99", "ms", latency.p99Ms, { what: "99 of 100 of these orders" }),
    figure("dusk-proven", "ms", burst.commandsEndedAfterMs, {
      what: `orders to ${burst.groups} groups at once, ${burst.lamps} lamps: until the last had ended`,
    }),
    figure("dusk-shown", "ms", burst.shownAfterMs, {
      what: "the same: until the center showed the new level of every lamp",
      goalAtMost: 120_000,
    }),
  ];
}

function figure(
  name: string,
  unit: Figure["unit"],
  value: number | null,
  { what, goalAtMost = null }: { readonly what: string; readonly goalAtMost?: number | null },
): Figure {
  const met = goalAtMost === null ? null : value !== null && value <= goalAtMost;
  return { name, what, value, unit, goalAtMost, met };
}
