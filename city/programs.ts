import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, Seconds } from "../domain/time.ts";
import { makeBrokerLogin } from "./broker-login.ts";
import type { CenterClient } from "./center-client.ts";
import { type Program, startProgram } from "./program.ts";
import {
  type CenterReady,
  centerReady,
  type GatewayReady,
  parseGatewayReady,
  type SimulatorsReady,
  simulatorsReady,
} from "./ready-lines.ts";
import { siteFileOf } from "./site-file.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const GATEWAY_ID = "gw-dijon-centre";

export interface CityOptions {
  /** Stores, keys, logs; kept between runs. */
  readonly folder: string;
  /** Of the operators' page; 0: given by the system. */
  readonly port: number;
  readonly lamps: number;
  readonly fresh: "fresh" | "keep";
  readonly clock: Clock;
  /** Where the gateway finds the center; tests put a proxy of theirs between. Default: the center itself. */
  readonly centerUrl?: (gateways: string) => string;
  /** Told what is being done, for people who wait. */
  readonly onProgress: (what: string) => void;
}

export async function startSimulators(options: CityOptions): Promise<Program<SimulatorsReady>> {
  const journal = join(options.folder, "journal.jsonl");
  const lamps = ["--bridge", "127.0.0.1:0", "--lamps", String(options.lamps), "--seed", "1"];
  return startProgram({
    name: "simulators",
    command: [join(ROOT, "simulators/main.ts"), ...lamps, "--control", "127.0.0.1:0", "--journal", journal],
    logFile: logFileOf(options, "simulators"),
    readyWithin: Seconds(20),
    parseReady: (line) => simulatorsReady.parse(line),
    clock: options.clock,
  });
}

/** It keeps its addresses between runs, so a center that was killed comes back where its gateways look for it. */
export async function startCenter(options: CityOptions): Promise<Program<CenterReady>> {
  const data = join(options.folder, "center");
  const listeners = ["--operators", `127.0.0.1:${options.port}`, "--gateways", "127.0.0.1:0"];
  return startProgram({
    name: "center",
    command: [join(ROOT, "cloud-sync/main.ts"), "--data", data, ...listeners],
    logFile: logFileOf(options, "center"),
    readyWithin: Seconds(60),
    parseReady: (line) => centerReady.parse(line),
    clock: options.clock,
  });
}

/** Enrols it first, if it never was. */
export async function startGateway(
  options: CityOptions,
  peers: {
    readonly simulators: SimulatorsReady;
    readonly center: CenterReady;
    readonly client: CenterClient;
  },
): Promise<Program<GatewayReady>> {
  const folder = gatewayFolder(options);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const siteFile = join(folder, "site.yaml");
  const { passwordFile } = await makeBrokerLogin(folder);
  const centerUrl = options.centerUrl?.(peers.center.gateways) ?? peers.center.gateways;
  const { lamps } = options;
  const { simulators } = peers;
  await writeFile(
    siteFile,
    siteFileOf({ gatewayId: GATEWAY_ID, lamps, simulators, centerUrl, passwordFile }),
  );
  const claim = (await isEnrolled(folder)) ? [] : ["--claim", await claimOf(peers.client, centerUrl)];
  return startProgram({
    name: "gateway",
    command: [join(ROOT, "gateway/main.ts"), "--site", siteFile, ...claim],
    logFile: logFileOf(options, "gateway"),
    readyWithin: Seconds(30),
    parseReady: parseGatewayReady,
    clock: options.clock,
  });
}

export function gatewayFolder(options: Pick<CityOptions, "folder">): string {
  return join(options.folder, "gateways", GATEWAY_ID);
}

function claimOf(client: CenterClient, centerUrl: string): Promise<string> {
  return client.claimGateway({ id: GATEWAY_ID, name: "Dijon centre", centerUrl });
}

async function isEnrolled(folder: string): Promise<boolean> {
  return access(join(folder, "data/identity/certificate.pem")).then(
    () => true,
    () => false,
  );
}

function logFileOf({ folder }: CityOptions, name: string): string {
  return join(folder, "logs", `${name}.log`);
}
