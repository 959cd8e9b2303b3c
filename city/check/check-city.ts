import { type Clock, type Millis, since } from "../../domain/time.ts";
import type { City } from "../city.ts";
import type { CutLine } from "../cut-line.ts";
import type { CommandCase, CommandCheck } from "./command-case.ts";
import { commandCases } from "./command-cases.ts";
import { equipmentCases } from "./equipment-cases.ts";
import { feederCases, restOver } from "./feeder-cases.ts";
import { type Figure, figuresOf } from "./figures.ts";
import {
  type BurstFigures,
  duskBurst,
  type LatencyFigures,
  lampLatency,
  memoryBytes,
  settledCores,
  type Usage,
} from "./load-figures.ts";
import { cutLink, killDijon, type OutageCheck } from "./outages.ts";
import { type ReadingCheck, runReading } from "./reading-case.ts";
import { runCase } from "./run-case.ts";
import { type StartFigures, startFigures } from "./start-figures.ts";

/** What was checked and how it went; `ok` only if everything is as it should be. */
export interface CheckReport {
  readonly ok: boolean;
  /** All that was measured, with units and goals; the members below say more of each. */
  readonly figures: readonly Figure[];
  readonly start: StartFigures;
  readonly commands: readonly CommandCheck[];
  readonly readings: readonly ReadingCheck[];
  readonly outages: readonly OutageCheck[];
  readonly latency: LatencyFigures;
  readonly burst: BurstFigures;
  /** Cores. */
  readonly settledCpu: Usage;
  /** Bytes, proportional set size, after all of it. */
  readonly memory: Usage;
  readonly tookMs: number;
  readonly problems: readonly string[];
}

export interface CheckContext {
  /** The link that may be cut. */
  readonly line: CutLine;
  /** Over which the settled CPU is measured. */
  readonly settle: Millis;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/** At dusk all lamps go here: no other order of the check does. */
const DUSK_LEVEL = 85;

/** Does what an operator would do, breaks what breaks in a city, and holds each answer against the devices' journal. */
export async function checkCity(city: City, context: CheckContext): Promise<CheckReport> {
  const { clock, line, settle, onProgress } = context;
  const begun = clock.uptime();
  const start = await startFigures(city, context);
  onProgress("commands, each held against the devices' journal");
  const commands: CommandCheck[] = [];
  const run = async (cases: readonly CommandCase[]): Promise<void> => {
    for (const each of cases) commands.push(await runCase(city, each, context));
  };
  await run(commandCases(city));
  onProgress("a hundred lamps, one after the other");
  const latency = await lampLatency(city, context);
  onProgress("dusk: all groups at once");
  const burst = await duskBurst(city, DUSK_LEVEL, context);
  onProgress("a cabinet's contactors, in two steps each");
  const { opening, closing } = feederCases(city);
  await restOver(city, [...opening, ...closing], { ...context, since: null });
  await run(opening);
  const opened = clock.now();
  onProgress("every other class of equipment: what a hand does there is seen, what is ordered moves");
  const equipment = equipmentCases(city, context);
  // Each at a device of its own: a city has many hands.
  const readings = await Promise.all(equipment.readings.map((each) => runReading(city, each, context)));
  await run(equipment.commands);
  onProgress(`the settled city over ${settle / 1_000} s`);
  const settledCpu = await settledCores(city, settle, context);
  const memory = await memoryBytes(city);
  onProgress("the core of Dijon is killed");
  const outages = [await killDijon(city, context)];
  onProgress(`the link of ${line.gatewayId} is cut`);
  const cut = await cutLink(city, line, context);
  outages.push(cut.outage);
  commands.push(cut.command);
  onProgress("the contactors rest for a minute, then they are closed again");
  await restOver(city, closing, { ...context, since: opened });
  await run(closing);
  const problems = [
    ...start.problems,
    ...[...commands, ...readings, ...outages].flatMap(({ name, problems }) =>
      problems.map((what) => `${name}: ${what}`),
    ),
    ...loadProblems(latency, burst),
  ];
  const tookMs = Math.round(since(begun, clock.uptime()));
  const measured = { start, latency, burst, settledCpu, memory };
  const ok = problems.length === 0;
  return { ok, figures: figuresOf(measured), ...measured, commands, readings, outages, tookMs, problems };
}

function loadProblems(latency: LatencyFigures, burst: BurstFigures): readonly string[] {
  const problems: string[] = [];
  if (latency.succeeded < latency.commands)
    problems.push(`${latency.succeeded} of ${latency.commands} orders to lamps succeeded`);
  if (burst.succeeded < burst.groups)
    problems.push(`${burst.succeeded} of ${burst.groups} orders to groups succeeded`);
  if (burst.shownAfterMs === null)
    problems.push("the center did not show the new level of every lamp in time");
  return problems;
}
