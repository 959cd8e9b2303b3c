import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { z } from "zod";
import { areBundlesFresh } from "../city/bundle/built-programs.ts";
import { startCity } from "../city/city.ts";
import { planCity } from "../city/city-plan.ts";
import { startProgram } from "../city/program.ts";
import { type CityOptions, startSimulators } from "../city/programs.ts";
import { waitUntilKnown } from "../city/wait-until-known.ts";
import { openEmbeddedPostgres } from "../cloud-sync/store/embedded-postgres.ts";
import { type Clock, Minutes } from "../domain/time.ts";
import type { BenchLine } from "./bench-line.ts";
import { treeCpuSeconds } from "./process-cpu.ts";

const BARE_START = fileURLToPath(new URL("./peers/bare-start.ts", import.meta.url));
/** Of lamps, cabinets and meters. */
const VALUES = 245_000;

const bareResult = z.looseObject({
  readMs: z.number(),
  sqliteMs: z.number(),
  postgresMs: z.number(),
  cpuSeconds: z.number(),
});

/**
 * CPU of `npm start` until the center shows each lamp and cabinet as good, over that of bare loops which read the same lamps of the
 * same simulators once and write as many values to SQLite and to PostgreSQL. The ratio says what the city asks of a machine,
 * whatever the machine and its neighbours are doing that hour; the loops' rates say what machine it is.
 */
export async function benchStart(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  const bare = await bareStart(join(folder, "bare"), clock);
  const city = await cityStart(join(folder, "city"), clock);
  return [
    {
      bench: "start",
      name: "every lamp and cabinet good at the center",
      unit: "CPU s",
      value: round(city.cpuSeconds),
      baseline: round(bare.cpuSeconds),
      ratio: round(city.cpuSeconds / bare.cpuSeconds),
      goal: "reported",
      ok: true,
      details: {
        knownAfterMs: Math.round(city.tookMs),
        programs: areBundlesFresh() ? "bundled" : "from their sources",
        bareReadsPerSecond: Math.round((bare.reads / bare.readMs) * 1_000),
        bareSqliteRowsPerSecond: Math.round((VALUES / bare.sqliteMs) * 1_000),
        barePostgresRowsPerSecond: Math.round((VALUES / bare.postgresMs) * 1_000),
      },
    },
  ];
}

async function bareStart(folder: string, clock: Clock) {
  await mkdir(join(folder, "logs"), { recursive: true });
  const options = optionsOf(folder, clock, "none");
  await using stack = new AsyncDisposableStack();
  const form = areBundlesFresh() ? "bundle" : "source";
  const simulators = await startSimulators({ ...options, gatewaysPort: 0, form });
  for (const program of simulators) stack.use(program);
  const logger = pino({ level: "silent" });
  const postgres = stack.use(
    await openEmbeddedPostgres({ dataFolder: join(folder, "postgres"), clock, logger }),
  );
  const shortAddresses = new Map(
    options.plan.cabinets.map(({ id, lamps }) => [id, lamps.map((lamp) => lamp.shortAddress)]),
  );
  const cabinets = simulators
    .flatMap(({ ready }) => ready.cabinets)
    .map(({ id, port, units }) => ({ port, units, shortAddresses: shortAddresses.get(id) ?? [] }));
  const file = join(folder, "bare.json");
  const written = {
    cabinets,
    values: VALUES,
    sqliteFile: join(folder, "bare.db"),
    postgres: postgres.connectionString,
  };
  await writeFile(file, JSON.stringify(written), { mode: 0o600 });
  const before = await othersCpu([...simulators.map(({ pid }) => pid), postgres.pid]);
  const program = stack.use(
    await startProgram({
      name: "bare loop",
      command: [BARE_START, file],
      logFile: join(folder, "bare.log"),
      readyWithin: Minutes(2),
      parseReady: (line) => bareResult.parse(line),
      clock,
    }),
  );
  const others = (await othersCpu([...simulators.map(({ pid }) => pid), postgres.pid])) - before;
  const reads = options.plan.lamps + 2 * options.plan.cabinets.length;
  return { ...program.ready, reads, cpuSeconds: program.ready.cpuSeconds + others };
}

async function cityStart(folder: string, clock: Clock) {
  await mkdir(folder, { recursive: true });
  const options = optionsOf(folder, clock, "all");
  const before = await treeCpuSeconds(process.pid);
  const start = clock.uptime();
  await using city = await startCity(options);
  await waitUntilKnown(city, options);
  return { tookMs: clock.uptime() - start, cpuSeconds: (await treeCpuSeconds(process.pid)) - before };
}

function optionsOf(folder: string, clock: Clock, equipment: "all" | "none"): CityOptions {
  return {
    folder,
    port: 0,
    plan: planCity("all", equipment),
    fresh: "fresh",
    lampFailsEverySec: null,
    sky: null,
    clock,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
}

async function othersCpu(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(treeCpuSeconds));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
