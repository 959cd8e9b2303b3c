import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CenterClient } from "./center-client.ts";
import type { Program } from "./program.ts";
import { type CityOptions, startCenter, startGateway, startSimulators } from "./programs.ts";
import type { CenterReady, GatewayReady, SimulatorsReady } from "./ready-lines.ts";

/** Center, one gateway and simulated lamps behind a DALI bridge, each a process of its own over real sockets. */
export class City implements AsyncDisposable {
  readonly #options: CityOptions;
  readonly simulators: Program<SimulatorsReady>;
  readonly client: CenterClient;
  readonly #token: string;
  #center: Program<CenterReady>;
  #gateway: Program<GatewayReady>;

  /** Made by {@link startCity}. */
  constructor(
    options: CityOptions,
    parts: {
      readonly simulators: Program<SimulatorsReady>;
      readonly center: Program<CenterReady>;
      readonly gateway: Program<GatewayReady>;
      readonly client: CenterClient;
      readonly token: string;
    },
  ) {
    this.#options = options;
    this.simulators = parts.simulators;
    this.client = parts.client;
    this.#token = parts.token;
    this.#center = parts.center;
    this.#gateway = parts.gateway;
  }

  get center(): Program<CenterReady> {
    return this.#center;
  }

  get gateway(): Program<GatewayReady> {
    return this.#gateway;
  }

  /** Page of the operators, with the token in its fragment, which no server and no log ever sees. */
  get address(): string {
    return `${this.#center.ready.operators}/#token=${this.#token}`;
  }

  /** Resolves with the name of the first program that ends by itself. */
  get failed(): Promise<string> {
    const programs: readonly Program<unknown>[] = [this.simulators, this.#center, this.#gateway];
    return Promise.race(programs.map((program) => program.ended.then(() => program.name)));
  }

  /** Ends the gateway in this way and brings it back on the same store. */
  async restartGateway(how: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#gateway.kill(how);
    await this.#gateway.ended;
    const { simulators, client } = this;
    const peers = { simulators: simulators.ready, center: this.#center.ready, client };
    this.#gateway = await startGateway(this.#options, peers);
  }

  /** Ends the center in this way and brings it back on the same data and addresses. */
  async restartCenter(how: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#center.kill(how);
    await this.#center.ended;
    this.#center = await startCenter(this.#options);
    this.client.moveTo(this.#center.ready.operators);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway[Symbol.asyncDispose]();
    await this.#center[Symbol.asyncDispose]();
    await this.simulators[Symbol.asyncDispose]();
  }
}

/** Starts all programs, or none: what came up is put away if a later one does not. @throws {ProgramError} */
export async function startCity(options: CityOptions): Promise<City> {
  const { folder, onProgress } = options;
  if (options.fresh === "fresh") await rm(folder, { recursive: true, force: true });
  // Others may enter but find nothing to read: as root, PostgreSQL runs as another user and must reach its data.
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await mkdir(join(folder, "logs"), { recursive: true, mode: 0o700 });
  await using started = new AsyncDisposableStack();
  onProgress("simulated lamps");
  const simulators = started.use(await startSimulators(options));
  onProgress("center with its PostgreSQL");
  const center = started.use(await startCenter(options));
  const token = (await readFile(center.ready.tokenFile, "utf8")).trim();
  const client = new CenterClient(center.ready.operators, token);
  onProgress("gateway");
  const peers = { simulators: simulators.ready, center: center.ready, client };
  const gateway = started.use(await startGateway(options, peers));
  started.move();
  return new City(options, { simulators, center, gateway, client, token });
}
