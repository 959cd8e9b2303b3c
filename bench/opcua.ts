import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startProgram } from "../city/program.ts";
import { type Clock, Millis, Seconds } from "../domain/time.ts";
import type { BenchLine } from "./bench-line.ts";
import { startGatewayUnderTest } from "./gateway-under-test.ts";
import { treeCpuSeconds, treeMemoryMb } from "./process-cpu.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const UNITS = 5;
const VARIABLES = 1_000;
const WARM_UP = Seconds(8);
const WINDOW = Seconds(15);

const serverReady = z.looseObject({ url: z.string() });
const bareResult = z.looseObject({ cpuSeconds: z.number(), values: z.number(), rssMb: z.number() });

/**
 * CPU seconds per million values of the whole gateway (subscription → deadband → durable → broker) over those of a
 * bare node-opcua client that subscribes the same 5,000 variables of the same server, one after the other in the same
 * run. Each variable changes once a second.
 */
export async function benchOpcUa(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  await mkdir(folder, { recursive: true });
  await using server = await startProgram({
    name: "server",
    command: [
      join(ROOT, "bench/peers/changing-opcua-server.ts"),
      String(UNITS),
      String(VARIABLES),
      join(folder, "pki"),
    ],
    logFile: join(folder, "server.log"),
    readyWithin: Seconds(60),
    parseReady: (line) => serverReady.parse(line),
    clock,
  });
  const { url } = server.ready;
  const bare = await bareLoop(url, folder, clock);
  const gateway = await gatewayPath(url, folder, clock);
  const ratio = gateway.cpuPerMillion / bare.cpuPerMillion;
  return [
    {
      bench: "opcua",
      name: `${UNITS * VARIABLES} monitored items, each changing once a second`,
      unit: "CPU s per million values",
      value: round(gateway.cpuPerMillion),
      baseline: round(bare.cpuPerMillion),
      ratio: round(ratio),
      goal: "ratio at most 6",
      ok: ratio <= 6,
      details: {
        valuesStored: gateway.stored,
        valuesOfBareLoop: bare.values,
        windowSeconds: WINDOW / 1_000,
        gatewayMemoryMb: gateway.memoryMb,
        bareLoopMemoryMb: bare.rssMb,
      },
    },
  ];
}

async function bareLoop(url: string, folder: string, clock: Clock) {
  const script = join(ROOT, "bench/peers/bare-opcua-loop.ts");
  const told = [UNITS, VARIABLES, WINDOW / 1_000].map(String);
  await using bare = await startProgram({
    name: "bare loop",
    command: [script, url, ...told, join(folder, "bare-pki")],
    logFile: join(folder, "bare.log"),
    readyWithin: Millis(WINDOW + Seconds(60)),
    parseReady: (line) => bareResult.parse(line),
    clock,
  });
  const { cpuSeconds, values, rssMb } = bare.ready;
  return { cpuPerMillion: (cpuSeconds / values) * 1e6, values, rssMb };
}

async function gatewayPath(url: string, folder: string, clock: Clock) {
  const siteFile = await writeSite(folder, url);
  await using gateway = await startGatewayUnderTest({ siteFile, folder, clock });
  const sample = async () => {
    // Without a center everything stored is backlog.
    const { backlog } = (await gateway.api.status()).store;
    return { cpu: await treeCpuSeconds(gateway.program.pid), stored: backlog.B + backlog.C };
  };
  const never = new AbortController().signal;
  await clock.sleep(WARM_UP, never);
  const before = await sample();
  await clock.sleep(WINDOW, never);
  const after = await sample();
  const stored = after.stored - before.stored;
  const memoryMb = await treeMemoryMb(gateway.program.pid);
  return { cpuPerMillion: ((after.cpu - before.cpu) / stored) * 1e6, stored, memoryMb };
}

async function writeSite(folder: string, url: string): Promise<string> {
  const points = Array.from({ length: VARIABLES }, (_, index) => ({
    name: `value-${index}`,
    type: "number",
    unit: "1",
    access: "read",
    address: { namespace: "urn:nerve:bench:1", node: `s={unit}.v${index}` },
    deadband: 10,
    pollClass: "fast",
    maxAge: "5 s",
    source: "bench/peers/changing-opcua-server.ts",
  }));
  const title = `${VARIABLES} variables of the bench server`;
  const profile = { id: "bench-nodes", title, class: "io-board", driver: "opcua", points };
  const site = {
    site: { id: "bench", name: "Bench" },
    gateway: "gw-bench",
    dataFolder: "data",
    broker: { host: "127.0.0.1", port: 0 },
    profiles: ["profiles"],
    buses: [{ id: "server", driver: "opcua", endpoint: url, security: "none", itemsPerCall: 500 }],
    devices: [{ repeat: { unit: `1..${UNITS}` }, id: "unit-{unit}", profile: "bench-nodes", bus: "server" }],
  };
  await mkdir(join(folder, "profiles"), { recursive: true });
  await writeFile(join(folder, "profiles/bench-nodes.yaml"), JSON.stringify(profile));
  await writeFile(join(folder, "site.yaml"), JSON.stringify(site));
  return join(folder, "site.yaml");
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
