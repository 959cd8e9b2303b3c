import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Test } from "tap";
import { type Program, startProgram } from "../../city/program.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis, Seconds, since } from "../../domain/time.ts";
import { passwordLine } from "../../gateway/broker/password-file.ts";
import { openTestDatabase } from "../cloud-sync/postgres-for-tests.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Who may order over MQTT. */
export const PANEL = { username: "panel", password: "a panel's password" } as const;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Where the simulators' devices are reached, by their ids. */
export type Reach = Readonly<Record<string, { readonly port: number; readonly url: string }>>;

export interface StreetOptions {
  readonly gatewayId: string;
  /** Of `simulators/main.ts --config`, without `control`. */
  readonly simulated: object;
  /** Buses and devices of the site file. */
  readonly site: (reach: Reach) => { readonly buses: readonly object[]; readonly devices: readonly object[] };
}

/** Simulated devices of any kind, their gateway and a center: the real programs in processes of their own. */
export interface StreetScenario {
  readonly center: Program<unknown>;
  readonly gateway: Program<unknown>;
  /** Of the site file; the CLI finds its gateway from there. */
  readonly home: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly connectionString: string;
  /** The console, signed in. */
  readonly consoleAddress: string;
  /** Asks the center as its admin. */
  ask(method: "GET" | "POST", path: string, body?: object): Promise<Answer>;
  /** Asks the simulators. */
  control(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Answer>;
  /** Every effect on a device since the start, as the device itself has it: `contactor-1: 0 → 1`. */
  effects(device: string): Promise<readonly string[]>;
}

export async function openStreetScenario(t: Test, options: StreetOptions): Promise<StreetScenario> {
  const folder = t.testdir();
  const connectionString = await openTestDatabase(t);
  process.env["DATABASE_URL"] = connectionString;
  const simulators = await startSimulators(t, folder, options.simulated);
  const own = ["--operators", "127.0.0.1:0", "--gateways", "127.0.0.1:0"];
  const center = await start(t, folder, {
    name: "center",
    args: ["cloud-sync/main.ts", "--data", join(folder, "center"), ...own],
  });
  const { operators, gateways, tokenFile } = center.ready as Record<
    "operators" | "gateways" | "tokenFile",
    string
  >;
  const token = (await readFile(tokenFile, "utf8")).trim();
  const ask: StreetScenario["ask"] = (method, path, body) =>
    askJson(`${operators}${path}`, { method, token, body });
  const { gatewayId } = options;
  const wanted = { id: gatewayId, name: gatewayId, centerUrl: gateways };
  const claim = (await ask("POST", "/api/v1/gateways", wanted)).body["claim"];
  const home = join(folder, "gateway");
  await writeSite(home, { ...options.site(simulators.reach), gatewayId, centerUrl: gateways });
  const gateway = await start(t, folder, {
    name: "gateway",
    args: ["gateway/main.ts", "--site", join(home, "site.yaml"), "--claim", String(claim)],
  });
  const ready = gateway.ready as {
    readonly gateways: readonly { readonly mqtt: StreetScenario["mqtt"] }[];
  };
  const control: StreetScenario["control"] = (method, path, body) =>
    askJson(`${simulators.control}${path}`, { method, body });
  return {
    ...{ center, gateway, home, connectionString, ask, control },
    mqtt: ready.gateways[0]?.mqtt ?? { host: "", port: 0 },
    consoleAddress: `${operators}/#token=${token}`,
    effects: async (device) => {
      const { body } = await control("GET", "/journal?kind=effect&limit=10000");
      const entries = body["entries"] as readonly Record<"device" | "what" | "from" | "to", string>[];
      return entries
        .filter((entry) => entry.device === device)
        .map(({ what, from, to }) => `${what}: ${from} → ${to}`);
    },
  };
}

async function startSimulators(t: Test, folder: string, simulated: object) {
  const file = join(folder, "simulators.json");
  await writeFile(file, JSON.stringify({ control: "127.0.0.1:0", ...simulated }));
  const program = await start(t, folder, {
    name: "simulators",
    args: ["simulators/main.ts", "--config", file],
  });
  const { bridges, cabinets, devices, control } = program.ready as Record<
    "bridges" | "cabinets" | "devices",
    readonly { readonly id: string; readonly port: number; readonly url: string }[]
  > & { readonly control: { readonly host: string; readonly port: number } };
  const reached = [...bridges, ...cabinets, ...devices];
  const reach: Reach = Object.fromEntries(reached.map((each) => [each.id, each]));
  return { reach, control: `http://${control.host}:${control.port}` };
}

async function writeSite(
  home: string,
  more: {
    readonly gatewayId: string;
    readonly centerUrl: string;
    readonly buses: readonly object[];
    readonly devices: readonly object[];
  },
): Promise<void> {
  await mkdir(home, { mode: 0o700 });
  const site = {
    site: { id: "street", name: "One street" },
    gateway: more.gatewayId,
    dataFolder: "data",
    center: { url: more.centerUrl, reconnectMin: "1 s", reconnectMax: "2 s" },
    broker: { host: "127.0.0.1", port: 0, passwordFile: "passwords" },
    buses: more.buses,
    devices: more.devices,
  };
  const user = { name: PANEL.username, role: "operator" } as const;
  const line = await passwordLine(user, PANEL.password, systemRandom);
  await writeFile(join(home, "passwords"), `${line}\n`, { mode: 0o600 });
  await writeFile(join(home, "site.yaml"), JSON.stringify(site));
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
