import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startProgram } from "../city/program.ts";
import { type Clock, Millis, Seconds } from "../domain/time.ts";
import type { BenchLine } from "./bench-line.ts";
import { startGatewayUnderTest } from "./gateway-under-test.ts";
import { treeCpuSeconds } from "./process-cpu.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BLOCK = 125;
const BLOCKS = 100;
const POINTS = BLOCK * BLOCKS;
const WARM_UP = Seconds(6);
const WINDOW = Seconds(20);

const slaveReady = z.looseObject({ port: z.number(), figuresPort: z.number() });
type SlaveReady = z.infer<typeof slaveReady>;
const slaveFigures = z.looseObject({ requests: z.number() });
const bareResult = z.looseObject({ cpuSeconds: z.number(), points: z.number() });

/**
 * CPU seconds per million points of the whole gateway (poll → deadband → durable → broker) over those of a bare
 * modbus-serial loop that reads the same blocks of the same slave, one after the other in the same run.
 */
export async function benchAcquire(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const share of [0.02, 1])
    lines.push(await measure({ folder: join(folder, `share-${share}`), share, clock }));
  return lines;
}

async function measure(run: {
  readonly folder: string;
  readonly share: number;
  readonly clock: Clock;
}): Promise<BenchLine> {
  const { folder, share, clock } = run;
  await mkdir(folder, { recursive: true });
  await using slave = await startProgram({
    name: "slave",
    command: [join(ROOT, "bench/peers/changing-slave.ts"), String(POINTS), String(share)],
    logFile: join(folder, "slave.log"),
    readyWithin: Seconds(10),
    parseReady: (line) => slaveReady.parse(line),
    clock,
  });
  const bare = await bareLoop(slave.ready.port, run);
  const gateway = await gatewayPath(slave.ready, run);
  const ratio = gateway.cpuPerMillion / bare.cpuPerMillion;
  return {
    bench: "acquire",
    name: `${share * 100} % of values past the deadband per poll`,
    unit: "CPU s per million points",
    value: round(gateway.cpuPerMillion),
    baseline: round(bare.cpuPerMillion),
    ratio: round(ratio),
    goal: share < 1 ? "ratio at most 4" : "reported",
    ok: share === 1 || ratio <= 4,
    details: {
      pointsPolled: gateway.points,
      readingsStored: gateway.stored,
      windowSeconds: WINDOW / 1_000,
      points: POINTS,
      intervalMs: 100,
    },
  };
}

async function bareLoop(
  port: number,
  { folder, clock }: { readonly folder: string; readonly clock: Clock },
): Promise<{ readonly cpuPerMillion: number }> {
  await using bare = await startProgram({
    name: "bare loop",
    command: [join(ROOT, "bench/peers/bare-loop.ts"), String(port), String(POINTS), String(WINDOW / 1_000)],
    logFile: join(folder, "bare.log"),
    readyWithin: Millis(WINDOW + Seconds(20)),
    parseReady: (line) => bareResult.parse(line),
    clock,
  });
  return { cpuPerMillion: (bare.ready.cpuSeconds / bare.ready.points) * 1e6 };
}

async function gatewayPath(
  slave: SlaveReady,
  { folder, clock }: { readonly folder: string; readonly clock: Clock },
): Promise<{ readonly cpuPerMillion: number; readonly points: number; readonly stored: number }> {
  const siteFile = await writeSite(folder, slave.port);
  await using gateway = await startGatewayUnderTest({ siteFile, folder, clock });
  const sample = async () => {
    const answer = await fetch(`http://127.0.0.1:${slave.figuresPort}/`);
    const { requests } = slaveFigures.parse(await answer.json());
    // Without a center everything stored is backlog.
    const { backlog } = (await gateway.api.status()).store;
    return { cpu: await treeCpuSeconds(gateway.program.pid), requests, stored: backlog.B + backlog.C };
  };
  const never = new AbortController().signal;
  await clock.sleep(WARM_UP, never);
  const before = await sample();
  await clock.sleep(WINDOW, never);
  const after = await sample();
  const points = (after.requests - before.requests) * BLOCK;
  return {
    cpuPerMillion: ((after.cpu - before.cpu) / points) * 1e6,
    points,
    stored: after.stored - before.stored,
  };
}

async function writeSite(folder: string, port: number): Promise<string> {
  const points = Array.from({ length: BLOCK }, (_, index) => ({
    name: `value-${index}`,
    type: "number",
    unit: "1",
    access: "read",
    address: { table: "holding", register: `${BLOCK}*block + ${index}` },
    deadband: 10,
    pollClass: "fast",
    maxAge: "5 s",
    source: "bench/peers/changing-slave.ts",
  }));
  const profile = {
    id: "bench-block",
    title: "125 registers of the bench slave",
    class: "io-board",
    driver: "modbus",
    parameters: { block: { min: 0, max: BLOCKS - 1 } },
    points,
  };
  const site = {
    site: { id: "bench", name: "Bench" },
    gateway: "gw-bench",
    dataFolder: "data",
    broker: { host: "127.0.0.1", port: 0 },
    profiles: ["profiles"],
    buses: [
      {
        id: "slave",
        driver: "modbus",
        transport: "tcp",
        host: "127.0.0.1",
        port,
        pollIntervals: { fast: "100 ms" },
      },
    ],
    devices: [
      {
        repeat: { block: `0..${BLOCKS - 1}` },
        id: "block-{block}",
        profile: "bench-block",
        bus: "slave",
        unit: 1,
      },
    ],
  };
  await mkdir(join(folder, "profiles"), { recursive: true });
  await writeFile(join(folder, "profiles/bench-block.yaml"), JSON.stringify(profile));
  await writeFile(join(folder, "site.yaml"), JSON.stringify(site));
  return join(folder, "site.yaml");
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
