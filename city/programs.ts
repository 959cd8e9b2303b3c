import { access, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, Seconds } from "../domain/time.ts";
import { cabinetsOf } from "../simulators/city/cabinet-config.ts";
import { deviceIdOf, equipmentDevices } from "../simulators/city/equipment-config.ts";
import type { PlacedEquipment } from "../simulators/city/place-equipment.ts";
import type { PlacedMunicipality } from "../simulators/city/placement.ts";
import { makeBrokerLogin } from "./broker-login.ts";
import { type ProgramForm, programFile } from "./bundle/built-programs.ts";
import type { CenterClient } from "./center-client.ts";
import type { CityPlan, GatewayProgramPlan } from "./city-plan.ts";
import { type Program, startProgram } from "./program.ts";
import {
  type CabinetSocket,
  type CenterReady,
  centerReady,
  type DeviceReach,
  type GatewayReady,
  parseGatewaysReady,
  type SimulatorsReady,
  simulatorsReady,
} from "./ready-lines.ts";
import { type SimulatorShare, shareOutSimulators } from "./simulator-shares.ts";
import { type DoorKeys, keyFileText, loadDoorKeys } from "./sites/door-keys.ts";
import { keyFileOf } from "./sites/equipment-site.ts";
import { siteFileOf } from "./sites/site-file.ts";
import type { CitySky } from "./sky-option.ts";

const SIMULATOR_PROGRAMS = 2;
/** A move of every lamp of a process, and what else happens meanwhile. */
const JOURNAL_ENTRIES = 60_000;

export interface CityOptions {
  /** Stores, keys, logs; kept between runs. */
  readonly folder: string;
  /** Of the operators' page; 0: given by the system. */
  readonly port: number;
  readonly plan: CityPlan;
  readonly fresh: "fresh" | "keep";
  /** In every simulator process a lamp fails so often on average, s; null: none does. */
  readonly lampFailsEverySec: number | null;
  /** What the sun does to the lamps; null: there is none, and they stay as they are told. */
  readonly sky: CitySky | null;
  readonly clock: Clock;
  /** Ends a start that is under way. */
  readonly signal: AbortSignal;
  /** Where a gateway finds the center; a proxy may be put between. Default: the center itself. */
  readonly centerUrl?: (gateways: string, gatewayId: string) => string;
  /** Told what is being done, for people who wait. */
  readonly onProgress: (what: string) => void;
}

/** A city of which is known where its gateways will find the center, and in which form its programs run. */
export interface PlacedCity extends CityOptions {
  /** The same for the whole run: a center that was killed comes back where its gateways look for it. */
  readonly gatewaysPort: number;
  readonly form: ProgramForm;
}

export async function startSimulators(options: PlacedCity): Promise<readonly Program<SimulatorsReady>[]> {
  await using started = new AsyncDisposableStack();
  const { folder, plan } = options;
  const keys = await loadDoorKeys(folder, plan.equipment);
  const setting = {
    doorKey: (id: string) => keys.get(id),
    pkiFolder: join(folder, "opcua-server"),
  };
  const devices = equipmentDevices(plan.equipment, setting);
  const shares = shareOutSimulators({ cabinets: cabinetsOf(plan), devices }, SIMULATOR_PROGRAMS);
  const starts = await Promise.allSettled(
    shares.map(async (share, at) => started.use(await startShare(options, at + 1, share))),
  );
  const programs = allOf(starts);
  started.move();
  return programs;
}

async function startShare(
  options: PlacedCity,
  number: number,
  { cabinets, devices }: SimulatorShare,
): Promise<Program<SimulatorsReady>> {
  const { folder, lampFailsEverySec: failureEverySec, sky } = options;
  const ageing =
    failureEverySec === null ? {} : { ageing: { failureEverySec, repairAfterSec: 60 * failureEverySec } };
  const config = {
    seed: number,
    cabinets,
    devices,
    control: "127.0.0.1:0",
    journalCapacity: JOURNAL_ENTRIES,
    ...ageing,
    ...(sky !== null && { sky }),
  };
  const file = join(folder, `simulators-${number}.json`);
  await writeFile(file, `${JSON.stringify(config)}\n`);
  return startProgram({
    ...common(options, `simulators-${number}`),
    command: [programFile("simulators", options.form), "--config", file],
    readyWithin: Seconds(60),
    parseReady: (line) => simulatorsReady.parse(line),
  });
}

export async function startCenter(
  options: PlacedCity,
  begin: CityOptions["fresh"] = "keep",
): Promise<Program<CenterReady>> {
  const data = join(options.folder, "center");
  const gateways = `127.0.0.1:${options.gatewaysPort}`;
  const listeners = ["--operators", `127.0.0.1:${options.port}`, "--gateways", gateways];
  const fresh = begin === "fresh" ? ["--fresh"] : [];
  return startProgram({
    ...common(options, "center"),
    command: [programFile("center", options.form), "--data", data, ...listeners, ...fresh],
    readyWithin: Seconds(60),
    parseReady: (line) => centerReady.parse(line),
  });
}

export interface GatewayPeers {
  /** By id. */
  readonly sockets: ReadonlyMap<string, CabinetSocket>;
  readonly devices: ReadonlyMap<string, DeviceReach>;
}

export type GatewayProgram = Program<readonly GatewayReady[]>;

/** Writes the site file of each of its gateways and starts them. They need no center; they enrol once they get a claim. */
export async function startGateways(
  options: PlacedCity,
  program: GatewayProgramPlan,
  peers: GatewayPeers,
): Promise<GatewayProgram> {
  const sites: string[] = [];
  for (const municipality of program.municipalities) sites.push(await prepare(options, municipality, peers));
  const hosting = program.hosting === "in-process" ? ["--in-process"] : [];
  return startProgram({
    ...common(options, program.name),
    command: [programFile("gateway", options.form), ...sites.flatMap((site) => ["--site", site]), ...hosting],
    readyWithin: Seconds(120),
    parseReady: parseGatewaysReady,
  });
}

/** Gives the site file. */
async function prepare(
  options: PlacedCity,
  municipality: PlacedMunicipality,
  { sockets, devices }: GatewayPeers,
): Promise<string> {
  const { gatewayId } = municipality;
  const folder = gatewayFolder(options, gatewayId);
  await mkdir(join(folder, "data"), { recursive: true, mode: 0o700 });
  const { passwordFile } = await makeBrokerLogin(folder);
  const centerUrl = centerUrlOf(options, gatewayId);
  const siteFile = join(folder, "site.json");
  const reachOf = (each: PlacedEquipment): unknown => devices.get(deviceIdOf(each));
  await writeFile(siteFile, siteFileOf({ municipality, sockets, reachOf, centerUrl, passwordFile }));
  await writeKeyFiles(folder, municipality, await loadDoorKeys(options.folder, municipality.equipment));
  return siteFile;
}

/** Brings a claim to each gateway that never was enrolled, as an installer would. */
export async function bringClaims(options: PlacedCity, client: CenterClient): Promise<void> {
  for (const { gatewayId, name } of options.plan.municipalities) {
    const folder = join(gatewayFolder(options, gatewayId), "data");
    if (await isEnrolled(folder)) continue;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const claim = await client.claimGateway({
      id: gatewayId,
      name,
      centerUrl: centerUrlOf(options, gatewayId),
    });
    // Whole at once: the gateway may be looking.
    await writeFile(join(folder, "claim.new"), `${claim}\n`, { mode: 0o600 });
    await rename(join(folder, "claim.new"), join(folder, "claim"));
  }
}

function centerUrlOf({ gatewaysPort, centerUrl }: PlacedCity, gatewayId: string): string {
  const gateways = `https://127.0.0.1:${gatewaysPort}`;
  return centerUrl?.(gateways, gatewayId) ?? gateways;
}

async function writeKeyFiles(
  folder: string,
  { equipment }: PlacedMunicipality,
  keys: DoorKeys,
): Promise<void> {
  for (const { id } of equipment.filter(({ kind }) => kind === "entrance"))
    await writeFile(join(folder, keyFileOf(id)), keyFileText(id, keys), { mode: 0o600 });
}

export function gatewayFolder({ folder }: Pick<CityOptions, "folder">, gatewayId: string): string {
  return join(folder, "gateways", gatewayId);
}

/** The values, once all have settled. @throws what the first of them was rejected with */
export function allOf<Value>(settled: readonly PromiseSettledResult<Value>[]): readonly Value[] {
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

async function isEnrolled(dataFolder: string): Promise<boolean> {
  return access(join(dataFolder, "identity/certificate.pem")).then(
    () => true,
    () => false,
  );
}

function common({ folder, clock, signal }: CityOptions, name: string) {
  return { name, logFile: join(folder, "logs", `${name}.log`), clock, signal };
}
