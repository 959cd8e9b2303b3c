import { type Clock, Millis, Seconds, since } from "../../domain/time.ts";
import type { CenterCommand } from "../center-client.ts";
import type { City } from "../city.ts";
import { DIJON } from "../city-plan.ts";
import { cpuBetween, memoryBytesByProgram, readCpu, total, type UsageByProgram } from "./program-usage.ts";
import { waitForEnd } from "./run-case.ts";

export interface Usage {
  readonly total: number;
  readonly byProgram: UsageByProgram;
}

export interface LatencyFigures {
  readonly commands: number;
  readonly succeeded: number;
  /** From the order at the center to the proof at the center, by the center's own record. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface BurstFigures {
  readonly groups: number;
  readonly lamps: number;
  /** Until the last group's command had ended; null: not in time. */
  readonly commandsEndedAfterMs: number | null;
  readonly succeeded: number;
  /** Until the center showed the new level of every lamp; null: not in time. */
  readonly shownAfterMs: number | null;
}

export interface LoadContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const COMMANDS = 100;
const PARALLEL_ORDERS = 8;
const BURST_WITHIN = Seconds(120);

/** Cores that the city keeps busy while nobody asks anything of it. */
export async function settledCores(city: City, span: Millis, { clock, signal }: LoadContext): Promise<Usage> {
  const start = clock.uptime();
  const before = await readCpu(city);
  await clock.sleep(span, signal);
  const used = cpuBetween(before, await readCpu(city));
  const seconds = since(start, clock.uptime()) / 1_000;
  const cores = (cpuSeconds: number): number => Math.round((cpuSeconds / seconds) * 1_000) / 1_000;
  const byProgram = Object.fromEntries(Object.entries(used).map(([name, cpu]) => [name, cores(cpu)]));
  return { total: cores(total(used)), byProgram };
}

export async function memoryBytes(city: City): Promise<Usage> {
  const byProgram = await memoryBytesByProgram(city);
  return { total: total(byProgram), byProgram };
}

/** Orders to lamps all over Dijon, one after the other, while the city polls. */
export async function lampLatency(city: City, context: LoadContext): Promise<LatencyFigures> {
  const dijon = city.plan.municipalities.find(({ gatewayId }) => gatewayId === DIJON);
  const lamps = dijon?.cabinets.flatMap((cabinet) => cabinet.lamps) ?? [];
  const took: number[] = [];
  for (let count = 0; count < COMMANDS; count += 1) {
    const lamp = lamps[Math.floor((count * lamps.length) / COMMANDS)];
    const value = 20 + (count % 5);
    const order = { gatewayId: DIJON, pointId: `${lamp?.id}/dim-level`, value };
    const ended = await waitForEnd(city, await city.client.command(order), context);
    if (ended.state.name === "succeeded") took.push(durationOf(ended));
  }
  took.sort((one, other) => one - other);
  const at = (share: number): number =>
    Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0);
  return { commands: COMMANDS, succeeded: took.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function durationOf({ history }: CenterCommand): number {
  return (history.at(-1)?.at ?? 0) - (history[0]?.at ?? 0);
}

/** Dusk: every group of the city to one new level, as fast as the center takes orders. */
export async function duskBurst(city: City, level: number, context: LoadContext): Promise<BurstFigures> {
  const { clock } = context;
  const start = clock.uptime();
  const groups = city.plan.municipalities.flatMap(({ gatewayId, cabinets }) =>
    cabinets.flatMap((cabinet) => cabinet.groups.map(({ id }) => ({ gatewayId, pointId: `${id}/level` }))),
  );
  const orders: CenterCommand[] = [];
  const waiting = [...groups];
  const sender = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      orders.push(await city.client.command({ ...next, value: level, ttlMs: BURST_WITHIN }));
  };
  await Promise.all(Array.from({ length: PARALLEL_ORDERS }, sender));
  const ends: CenterCommand[] = [];
  for (const order of orders) ends.push(await waitForEnd(city, order, context, BURST_WITHIN));
  const isOver = ends.every((end) => city.client.isOver(end));
  const shownAfterMs = await untilShown(city, level, context);
  return {
    groups: groups.length,
    lamps: city.plan.lamps,
    commandsEndedAfterMs: isOver ? lastEnd(orders, ends) : null,
    succeeded: ends.filter((end) => end.state.name === "succeeded").length,
    shownAfterMs: shownAfterMs === null ? null : Math.round(shownAfterMs - start),
  };
}

function lastEnd(orders: readonly CenterCommand[], ends: readonly CenterCommand[]): number {
  const first = Math.min(...orders.map(({ history }) => history[0]?.at ?? Number.POSITIVE_INFINITY));
  return Math.round(Math.max(...ends.map(({ history }) => history.at(-1)?.at ?? 0)) - first);
}

/** Asks for each gateway's lamps until all show the level; the uptime then. The largest takes a second to answer. */
async function untilShown(city: City, level: number, { clock, signal }: LoadContext): Promise<number | null> {
  const start = clock.uptime();
  let waiting = city.plan.municipalities;
  while (waiting.length > 0) {
    const [first, ...rest] = waiting;
    if (first === undefined || (await isShown(city, first.gatewayId, level))) waiting = rest;
    else if (since(start, clock.uptime()) > BURST_WITHIN) return null;
    else await clock.sleep(Millis(500), signal);
  }
  return clock.uptime();
}

async function isShown(city: City, gatewayId: string, level: number): Promise<boolean> {
  const states = await city.client.statesNamed(gatewayId, "actual-level");
  const shown = states.filter(({ value }) => Math.abs(Number(value) - level) <= 1);
  const municipality = city.plan.municipalities.find((each) => each.gatewayId === gatewayId);
  const lamps = municipality?.cabinets.reduce((sum, cabinet) => sum + cabinet.lamps.length, 0) ?? 0;
  return shown.length >= lamps;
}
