import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Test } from "tap";
import { type Program, startProgram } from "../../city/program.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Millis, Seconds, since } from "../../domain/time.ts";
import { openTestDatabase } from "../cloud-sync/postgres-for-tests.ts";

export const GATEWAY = "gw-cabinet";
const ROOT = join(import.meta.dirname, "../..");

/** One simulated street cabinet, its gateway and a center: the real programs in processes of their own. */
export interface CabinetScenario {
  readonly center: Program<unknown>;
  readonly gateway: Program<unknown>;
  /** Asks the center as its admin. */
  ask(method: "GET" | "POST", path: string, body?: object): Promise<Answer>;
  /** A hand in the cabinet. */
  treat(action: string, feeder?: number): Promise<void>;
  /** Disturbs the line; undone by `clearFaults`. */
  disturb(fault: object): Promise<void>;
  clearFaults(): Promise<void>;
  /** Every change of demands and contacts since the start, as the device itself has it: `contactor-1: 0 → 1`. */
  effects(): Promise<readonly string[]>;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export async function openCabinetScenario(t: Test): Promise<CabinetScenario> {
  const folder = t.testdir();
  process.env["DATABASE_URL"] = await openTestDatabase(t);
  const simulators = await startSimulators(t, folder);
  const center = await start(t, folder, {
    name: "center",
    args: [
      "cloud-sync/main.ts",
      "--data",
      join(folder, "center"),
      "--operators",
      "127.0.0.1:0",
      "--gateways",
      "127.0.0.1:0",
    ],
  });
  const { operators, gateways, tokenFile } = center.ready as Record<
    "operators" | "gateways" | "tokenFile",
    string
  >;
  const token = (await readFile(tokenFile, "utf8")).trim();
  const ask: CabinetScenario["ask"] = (method, path, body) =>
    askJson(`${operators}${path}`, { method, token, body });
  const claim = (await ask("POST", "/api/v1/gateways", { id: GATEWAY, name: "Cabinet", centerUrl: gateways }))
    .body["claim"];
  const siteFile = await writeSite(folder, { port: simulators.port, centerUrl: gateways });
  const gateway = await start(t, folder, {
    name: "gateway",
    args: ["gateway/main.ts", "--site", siteFile, "--claim", String(claim)],
  });
  const control = (method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Answer> =>
    askJson(`${simulators.control}${path}`, { method, body });
  return {
    center,
    gateway,
    ask,
    treat: async (action, feeder) => {
      await control("POST", "/cabinets/cabinet-1", { action, ...(feeder !== undefined && { feeder }) });
    },
    disturb: async (fault) => {
      await control("POST", "/faults", { bridge: "cabinet-1", ...fault });
    },
    clearFaults: async () => {
      await control("DELETE", "/faults");
    },
    effects: async () => {
      const { body } = await control("GET", "/journal?kind=effect&limit=10000");
      const entries = body["entries"] as readonly Record<"device" | "what" | "from" | "to", string>[];
      return entries
        .filter(({ device }) => device === "cabinet-1")
        .map(({ what, from, to }) => `${what}: ${from} → ${to}`);
    },
  };
}

async function startSimulators(t: Test, folder: string) {
  const file = join(folder, "simulators.json");
  const feeders = [[0], [1], [2], [3], [4], [5], [6], [7]];
  const cabinet = { id: "cabinet-1", feeders, minOnOffSec: 0 };
  await writeFile(file, JSON.stringify({ control: "127.0.0.1:0", cabinets: [cabinet] }));
  const program = await start(t, folder, {
    name: "simulators",
    args: ["simulators/main.ts", "--config", file],
  });
  const { cabinets, control } = program.ready as {
    readonly cabinets: readonly { readonly port: number }[];
    readonly control: { readonly host: string; readonly port: number };
  };
  return { port: cabinets[0]?.port ?? 0, control: `http://${control.host}:${control.port}` };
}

async function writeSite(folder: string, more: { readonly port: number; readonly centerUrl: string }) {
  const home = join(folder, "gateway");
  await mkdir(home, { mode: 0o700 });
  const site = {
    site: { id: "cabinet-site", name: "One cabinet" },
    gateway: GATEWAY,
    dataFolder: "data",
    center: { url: more.centerUrl, reconnectMin: "1 s", reconnectMax: "2 s" },
    broker: { host: "127.0.0.1", port: 0 },
    buses: [
      {
        id: "cabinet-bus",
        driver: "modbus",
        transport: "tcp",
        host: "127.0.0.1",
        port: more.port,
        requestTimeout: "3 s",
        pollIntervals: { normal: "1 s", meter: "5 s" },
      },
    ],
    devices: [
      { id: "cabinet-1", name: "Cabinet 1", profile: "neutral-segment-cabinet", bus: "cabinet-bus", unit: 2 },
    ],
  };
  const file = join(home, "site.yaml");
  await writeFile(file, JSON.stringify(site));
  return file;
}

async function start(
  t: Test,
  folder: string,
  { name, args: [file = "", ...args] }: { readonly name: string; readonly args: readonly string[] },
): Promise<Program<unknown>> {
  const program = await startProgram<unknown>({
    name,
    command: [join(ROOT, file), ...args],
    logFile: join(folder, `${name}.log`),
    readyWithin: Seconds(60),
    parseReady: (line) => line,
    clock: systemClock,
  });
  t.teardown(() => program[Symbol.asyncDispose]());
  return program;
}

async function askJson(
  url: string,
  {
    method,
    token,
    body,
  }: { readonly method: string; readonly token?: string; readonly body?: object | undefined },
): Promise<Answer> {
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Asks again until the answer is not `undefined`. @throws after `within`, with what was waited for. */
export async function eventually<Found>(
  what: string,
  ask: () => Promise<Found | undefined>,
  within: Millis = Seconds(30),
): Promise<Found> {
  const start = systemClock.uptime();
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (since(start, systemClock.uptime()) > within)
      throw new Error(`${what}: not within ${within / 1_000} s`);
    await pause(Millis(50));
  }
}

export async function pause(duration: Millis): Promise<void> {
  await systemClock.sleep(duration, new AbortController().signal);
}
