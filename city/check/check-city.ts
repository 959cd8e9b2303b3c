import { type Clock, type Millis, since } from "../../domain/time.ts";
import type { City } from "../city.ts";
import type { CutLine } from "../cut-line.ts";
import { type CommandCheck, commandCases, runCase } from "./command-cases.ts";
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
import { type StartFigures, startFigures } from "./start-figures.ts";

/** What was checked and how it went; `ok` only if everything is as it should be. */
export interface CheckReport {
  readonly ok: boolean;
  readonly start: StartFigures;
  readonly commands: readonly CommandCheck[];
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
  for (const each of commandCases(city)) commands.push(await runCase(city, each, context));
  onProgress("a hundred lamps, one after the other");
  const latency = await lampLatency(city, context);
  onProgress("dusk: all groups at once");
  const burst = await duskBurst(city, DUSK_LEVEL, context);
  onProgress(`the settled city over ${settle / 1_000} s`);
  const settledCpu = await settledCores(city, settle, context);
  const memory = await memoryBytes(city);
  onProgress("the core of Dijon is killed");
  const outages = [await killDijon(city, context)];
  onProgress(`the link of ${line.gatewayId} is cut`);
  outages.push(await cutLink(city, line, context));
  const problems = [
    ...start.problems,
    ...[...commands, ...outages].flatMap(({ name, problems }) => problems.map((what) => `${name}: ${what}`)),
    ...loadProblems(latency, burst),
  ];
  const tookMs = Math.round(since(begun, clock.uptime()));
  const figures = { start, commands, outages, latency, burst, settledCpu, memory, tookMs };
  return { ok: problems.length === 0, ...figures, problems };
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
