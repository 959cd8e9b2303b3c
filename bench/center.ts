import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CenterClient } from "../city/center-client.ts";
import { processMemoryBytes, processTree } from "../city/process-tree.ts";
import { startProgram } from "../city/program.ts";
import { type CenterReady, centerReady } from "../city/ready-lines.ts";
import { type Clock, Millis, Seconds } from "../domain/time.ts";
import type { BenchLine } from "./bench-line.ts";
import { cityCatalogue } from "./city-catalogue.ts";
import { WireGateway } from "./wire-gateway.ts";

const ENTRY = fileURLToPath(new URL("../cloud-sync/main.ts", import.meta.url));
const GATEWAYS = 23;
/** Cabinets of the largest gateway and of each other: 725 in all, 47 lamps each. */
const CABINETS_LARGEST = 451;
const CABINETS_OTHERS = 12;
const LAMPS_A_CABINET = 47;
const HEARTBEAT_EVERY = Seconds(1);

/**
 * All gateways of a city come to an empty center at once, as after its installation: catalogues, then the state of
 * every point, then a live reading of each. What the bench's own process needs for its side is left out of the CPU.
 */
export async function benchCenter(folder: string, clock: Clock): Promise<readonly BenchLine[]> {
  await mkdir(folder, { recursive: true });
  await using center = await startProgram({
    name: "center",
    command: [
      ENTRY,
      ...["--data", join(folder, "center"), "--operators", "127.0.0.1:0", "--gateways", "127.0.0.1:0"],
    ],
    logFile: join(folder, "center.log"),
    readyWithin: Seconds(60),
    parseReady: (line) => centerReady.parse(line),
    clock,
  });
  const gateways = await enrolAll(folder, center.ready, clock);
  const points = gateways.reduce((count, gateway) => count + gateway.points, 0);
  const lines: BenchLine[] = [];
  const measure = async (name: string, work: (gateway: WireGateway) => Promise<void>): Promise<void> => {
    const before = await cpuOf(center.pid);
    const start = clock.uptime();
    const { slowestMs } = await whileBeating(gateways, clock, () => Promise.all(gateways.map(work)));
    const tookMs = clock.uptime() - start;
    const after = await cpuOf(center.pid);
    const details = {
      points,
      tookMs: Math.round(tookMs),
      centerCpuSeconds: round(after.center - before.center),
      postgresCpuSeconds: round(after.postgres - before.postgres),
      slowestHeartbeatMs: Math.round(slowestMs),
      ...(await memoryOf(center.pid)),
    };
    lines.push(lineOf(name, points, { tookMs, details }));
  };
  for (const gateway of gateways) await gateway.hello();
  for (const gateway of gateways) await gateway.heartbeat();
  await measure("catalogues", (gateway) => gateway.tellCatalogue());
  await measure("state snapshots", (gateway) => gateway.tellSnapshot());
  await measure("live readings", (gateway) => gateway.tellReadings("C", 2));
  lines.push(await completenessLine(center.ready, points, clock));
  return lines;
}

async function enrolAll(folder: string, ready: CenterReady, clock: Clock): Promise<readonly WireGateway[]> {
  const token = (await readFile(ready.tokenFile, "utf8")).trim();
  const client = new CenterClient(ready.operators, token);
  const gateways: WireGateway[] = [];
  for (let index = 0; index < GATEWAYS; index += 1) {
    const id = `gw-${String(index).padStart(2, "0")}`;
    const claim = await client.claimGateway({ id, name: id, centerUrl: ready.gateways });
    const own = join(folder, id);
    await mkdir(own);
    const cabinets = index === 0 ? CABINETS_LARGEST : CABINETS_OTHERS;
    const catalogue = cityCatalogue(`site-${index}`, cabinets, LAMPS_A_CABINET);
    gateways.push(await WireGateway.enrolled(id, { claim, folder: own, catalogue, clock }));
  }
  return gateways;
}

/** Heartbeats go on beside the work: what else the center does must not hold them up. */
async function whileBeating(
  gateways: readonly WireGateway[],
  clock: Clock,
  work: () => Promise<unknown>,
): Promise<{ readonly slowestMs: number }> {
  const ended = new AbortController();
  let slowestMs = 0;
  const beat = async (gateway: WireGateway): Promise<void> => {
    while (!ended.signal.aborted) {
      slowestMs = Math.max(slowestMs, await gateway.heartbeat());
      await clock.sleep(HEARTBEAT_EVERY, ended.signal).catch(() => undefined);
    }
  };
  const beating = Promise.all(gateways.slice(1).map(beat));
  try {
    await work();
  } finally {
    ended.abort();
    await beating;
  }
  return { slowestMs };
}

async function completenessLine(ready: CenterReady, points: number, clock: Clock): Promise<BenchLine> {
  const token = (await readFile(ready.tokenFile, "utf8")).trim();
  const client = new CenterClient(ready.operators, token);
  const tookMs: number[] = [];
  let good = 0;
  for (let index = 0; index < 10; index += 1) {
    const start = clock.uptime();
    const counts = (await client.completeness()).flatMap((gateway) => gateway.counts);
    tookMs.push(clock.uptime() - start);
    good = counts.reduce((sum, count) => sum + count.good, 0);
    await clock.sleep(Millis(50), new AbortController().signal);
  }
  const value = round(tookMs.toSorted((one, other) => one - other)[5] ?? 0);
  const ok = good === points;
  return {
    ...{ bench: "center", name: "completeness, median of 10", unit: "ms", value, baseline: value, ratio: 1 },
    ...{ goal: "every point good", ok, details: { points, good } },
  };
}

function lineOf(
  name: string,
  points: number,
  { tookMs, details }: Pick<BenchLine, "details"> & { readonly tookMs: number },
): BenchLine {
  const value = Math.round((points / tookMs) * 1_000);
  return {
    ...{ bench: "center", name: `${name} of ${GATEWAYS} gateways at once`, unit: "points/s", value },
    ...{ baseline: value, ratio: 1, goal: "reported", ok: true, details },
  };
}

async function cpuOf(pid: number): Promise<{ readonly center: number; readonly postgres: number }> {
  const tree = await processTree(pid);
  const sum = (isOne: (command: string) => boolean): number =>
    tree.filter(({ command }) => isOne(command)).reduce((all, { cpuSeconds }) => all + cpuSeconds, 0);
  return { center: sum((name) => name !== "postgres"), postgres: sum((name) => name === "postgres") };
}

async function memoryOf(pid: number) {
  const tree = await processTree(pid);
  const megabytes = { centerMB: 0, postgresMB: 0 };
  for (const one of tree) {
    const bytes = await processMemoryBytes(one.pid);
    megabytes[one.command === "postgres" ? "postgresMB" : "centerMB"] += bytes / 1_048_576;
  }
  return { centerMB: Math.round(megabytes.centerMB), postgresMB: Math.round(megabytes.postgresMB) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
