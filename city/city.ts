import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { areBundlesFresh } from "./bundle/built-programs.ts";
import { CenterClient } from "./center-client.ts";
import { CityJournal } from "./city-journal.ts";
import type { GatewayProgramPlan } from "./city-plan.ts";
import { holdFolder, LOCK_FILE } from "./folder-lock.ts";
import { freePort } from "./free-port.ts";
import { endLeftovers } from "./leftovers.ts";
import type { Program } from "./program.ts";
import {
  allOf,
  bringClaims,
  type CityOptions,
  type GatewayProgram,
  type PlacedCity,
  startCenter,
  startGateways,
  startSimulators,
} from "./programs.ts";
import type { CenterReady, GatewayReady, SimulatorsReady } from "./ready-lines.ts";
import { SiteHand } from "./site-hand.ts";

interface CityParts {
  /** Of the folder. */
  readonly lock: AsyncDisposable;
  readonly simulators: readonly Program<SimulatorsReady>[];
  readonly center: Program<CenterReady>;
  readonly gateways: readonly GatewayProgram[];
  readonly client: CenterClient;
  readonly token: string;
}

/** Center, gateways and simulated street cabinets, each program a process of its own over real sockets. */
export class City implements AsyncDisposable {
  readonly #options: PlacedCity;
  readonly simulators: readonly Program<SimulatorsReady>[];
  readonly client: CenterClient;
  readonly journal: CityJournal;
  readonly hand: SiteHand;
  readonly #token: string;
  readonly #lock: AsyncDisposable;
  #center: Program<CenterReady>;
  #gateways: readonly GatewayProgram[];

  /** Made by {@link startCity}. */
  constructor(options: PlacedCity, parts: CityParts) {
    this.#options = options;
    this.simulators = parts.simulators;
    const controls = parts.simulators.map(({ ready }) => ready.control);
    this.journal = new CityJournal(controls);
    this.hand = new SiteHand(controls);
    this.client = parts.client;
    this.#token = parts.token;
    this.#lock = parts.lock;
    this.#center = parts.center;
    this.#gateways = parts.gateways;
  }

  get plan(): CityOptions["plan"] {
    return this.#options.plan;
  }

  get folder(): string {
    return this.#options.folder;
  }

  get center(): Program<CenterReady> {
    return this.#center;
  }

  get programs(): readonly Program<unknown>[] {
    return [...this.simulators, this.#center, ...this.#gateways];
  }

  /** The program that carries this gateway. */
  gatewayProgram(gatewayId: string): GatewayProgram {
    const found = this.#gateways.find(({ ready }) => ready.some(({ id }) => id === gatewayId));
    if (found === undefined) throw new RangeError(`this city has no gateway ${gatewayId}`);
    return found;
  }

  gateway(gatewayId: string): GatewayReady {
    const found = this.gatewayProgram(gatewayId).ready.find(({ id }) => id === gatewayId);
    if (found === undefined) throw new RangeError(`this city has no gateway ${gatewayId}`);
    return found;
  }

  /** Page of the operators, with the token in its fragment, which no server and no log ever sees. */
  get address(): string {
    return `${this.#center.ready.operators}/#token=${this.#token}`;
  }

  /** Resolves with the name of the first program that ends by itself. */
  get failed(): Promise<string> {
    return Promise.race(this.programs.map((program) => program.ended.then(() => program.name)));
  }

  /** Ends the program of this gateway in this way and brings it back on the same stores. */
  async restartGateway(gatewayId: string, how: "SIGKILL" | "SIGTERM"): Promise<void> {
    const old = this.gatewayProgram(gatewayId);
    old.kill(how);
    await old.ended;
    const plan = this.plan.gatewayPrograms.find(({ name }) => name === old.name);
    if (plan === undefined) throw new RangeError(`this city has no program ${old.name}`);
    const back = await startGateways(this.#options, plan, reachedOf(this.simulators));
    this.#gateways = this.#gateways.map((program) => (program === old ? back : program));
  }

  /** Ends the center in this way and brings it back on the same data and addresses. */
  async restartCenter(how: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#center.kill(how);
    await this.#center.ended;
    this.#center = await startCenter(this.#options);
    this.client.moveTo(this.#center.ready.operators);
  }

  /** Gateways first, while the center still takes their last words; the devices last. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await this.#center[Symbol.asyncDispose]();
    await Promise.all(this.simulators.map((simulator) => simulator[Symbol.asyncDispose]()));
    await this.#lock[Symbol.asyncDispose]();
  }
}

/**
 * Starts all programs, or none: what came up is put away if a later one does not. The gateways wait for their devices only:
 * they work without a center, and find it when it is there. @throws {ProgramError}
 */
export async function startCity(options: CityOptions): Promise<City> {
  const { folder, plan, onProgress } = options;
  await using started = new AsyncDisposableStack();
  const lock = started.use(await holdFolder(folder));
  await endLeftovers(folder, options);
  await prepareFolder(options);
  const form = areBundlesFresh() ? "bundle" : "source";
  if (form === "source")
    onProgress("programs run from their sources; bundled by `npm run build` they start sooner");
  const placed = { ...options, gatewaysPort: await freePort(), form } as const;
  onProgress(`${plan.lamps} lamps in ${plan.cabinets.length} cabinets; center with its PostgreSQL`);
  const [street, office] = await Promise.allSettled([
    openStreet(placed, started),
    openOffice(placed, started),
  ]);
  if (street.status === "rejected") throw street.reason;
  if (office.status === "rejected") throw office.reason;
  started.move();
  onProgress(`all programs run; their logs are in ${join(folder, "logs")}`);
  return new City(placed, { lock, ...street.value, ...office.value });
}

/** Devices, then their gateways. */
async function openStreet(
  options: PlacedCity,
  started: AsyncDisposableStack,
): Promise<Pick<CityParts, "simulators" | "gateways">> {
  const { plan, onProgress } = options;
  const simulators = (await startSimulators(options)).map((program) => started.use(program));
  onProgress(`${plan.municipalities.length} gateways in ${plan.gatewayPrograms.length} programs`);
  const peers = reachedOf(simulators);
  const start = async (program: GatewayProgramPlan): Promise<GatewayProgram> => {
    const gateways = started.use(await startGateways(options, program, peers));
    onProgress(`${program.name} is up with ${gateways.ready.length} of them`);
    return gateways;
  };
  // Whoever has most to read and to tell is known last: it gets the machine first.
  const [largest, ...others] = plan.gatewayPrograms;
  const first = largest === undefined ? [] : [await start(largest)];
  const rest = await Promise.allSettled(others.map(start));
  return { simulators, gateways: [...first, ...allOf(rest)] };
}

/** The center, with a claim for each gateway that it does not know yet. */
async function openOffice(
  options: PlacedCity,
  started: AsyncDisposableStack,
): Promise<Pick<CityParts, "center" | "client" | "token">> {
  const center = started.use(await startCenter(options, options.fresh));
  const token = (await readFile(center.ready.tokenFile, "utf8")).trim();
  const client = new CenterClient(center.ready.operators, token);
  options.onProgress("the center is up");
  await bringClaims(options, client);
  return { center, client, token };
}

/** Where all that is simulated is reached. */
function reachedOf(simulators: readonly Program<SimulatorsReady>[]) {
  const byId = <Told extends { readonly id: string }>(told: readonly Told[]) =>
    new Map(told.map((each) => [each.id, each] as const));
  return {
    sockets: byId(simulators.flatMap(({ ready }) => ready.cabinets)),
    devices: byId(simulators.flatMap(({ ready }) => ready.devices)),
  };
}

async function prepareFolder({ folder, fresh }: CityOptions): Promise<void> {
  // The center empties its own data: as root, PostgreSQL may have put it elsewhere.
  if (fresh === "fresh") {
    const inside = await readdir(folder).catch(() => []);
    for (const name of inside.filter((name) => name !== "center" && name !== LOCK_FILE))
      await rm(join(folder, name), { recursive: true, force: true });
  }
  await mkdir(join(folder, "logs"), { recursive: true, mode: 0o700 });
}
