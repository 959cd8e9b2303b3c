import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, Seconds } from "../domain/time.ts";
import { CenterClient } from "./center-client.ts";
import { type Program, startProgram } from "./program.ts";
import {
  type CenterReady,
  centerReady,
  type GatewayReady,
  gatewayReady,
  type SimulatorsReady,
  simulatorsReady,
} from "./ready-lines.ts";
import { siteFileOf } from "./site-file.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface CityOptions {
  /** Stores, keys, logs; kept between runs. */
  readonly folder: string;
  /** Of the operators' page; 0: given by the system. */
  readonly port: number;
  readonly lamps: number;
  readonly fresh: "fresh" | "keep";
  readonly clock: Clock;
  /** Told what is being done, for people who wait. */
  readonly onProgress: (what: string) => void;
}

/** Center, one gateway and simulated lamps behind a DALI bridge, each a process of its own over real sockets. */
export interface City extends AsyncDisposable {
  readonly simulators: Program<SimulatorsReady>;
  readonly center: Program<CenterReady>;
  readonly gateway: Program<GatewayReady>;
  readonly client: CenterClient;
  /** Page of the operators, with the token in its fragment, which no server and no log ever sees. */
  readonly address: string;
  /** Resolves with the name of the first program that ends by itself. */
  readonly failed: Promise<string>;
}

export const GATEWAY_ID = "gw-dijon-centre";

/** Starts all programs, or none: what came up is put away if a later one does not. @throws {ProgramError} */
export async function startCity(options: CityOptions): Promise<City> {
  const { folder, clock, onProgress } = options;
  if (options.fresh === "fresh") await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "logs"), { recursive: true, mode: 0o700 });
  await using started = new AsyncDisposableStack();
  const logOf = (name: string): string => join(folder, "logs", `${name}.log`);

  onProgress("simulated lamps");
  const simulators = started.use(
    await startProgram({
      name: "simulators",
      command: [join(ROOT, "simulators/main.ts"), ...simulatorArguments(options)],
      logFile: logOf("simulators"),
      readyWithin: Seconds(20),
      parseReady: (line) => simulatorsReady.parse(line),
      clock,
    }),
  );
  onProgress("center with its PostgreSQL");
  const center = started.use(await startCenter(options, logOf("center")));
  onProgress("gateway");
  const client = new CenterClient(center.ready.operators, center.ready.token);
  const gateway = started.use(
    await startGateway(options, { simulators, center, client, logFile: logOf("gateway") }),
  );

  const owned = started.move();
  const gone = (program: Program<unknown>): Promise<string> => program.ended.then(() => program.name);
  return {
    simulators,
    center,
    gateway,
    client,
    address: `${center.ready.operators}/#token=${center.ready.token}`,
    failed: Promise.race([gone(simulators), gone(center), gone(gateway)]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Also used to bring a killed center back on the same addresses. */
export async function startCenter(
  options: CityOptions,
  logFile: string,
  gateways = "127.0.0.1:0",
): Promise<Program<CenterReady>> {
  const data = join(options.folder, "center");
  return startProgram({
    name: "center",
    command: [
      join(ROOT, "cloud-sync/main.ts"),
      "--data",
      data,
      "--operators",
      `127.0.0.1:${options.port}`,
      "--gateways",
      gateways,
    ],
    logFile,
    readyWithin: Seconds(60),
    parseReady: (line) => centerReady.parse(line),
    clock: options.clock,
  });
}

/** Also used to bring a killed gateway back on the same store. */
export async function startGateway(
  options: CityOptions,
  parts: {
    readonly simulators: Program<SimulatorsReady>;
    readonly center: Program<CenterReady>;
    readonly client: CenterClient;
    readonly logFile: string;
  },
): Promise<Program<GatewayReady>> {
  const folder = join(options.folder, "gateways", GATEWAY_ID);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const siteFile = join(folder, "site.yaml");
  await writeFile(
    siteFile,
    siteFileOf({
      gatewayId: GATEWAY_ID,
      lamps: options.lamps,
      simulators: parts.simulators.ready,
      centerUrl: parts.center.ready.gateways,
    }),
  );
  const enrolled = await readFile(join(folder, "data/identity/certificate.pem")).then(
    () => true,
    () => false,
  );
  const claim = enrolled ? [] : ["--claim", await parts.client.claimGateway(GATEWAY_ID, "Dijon centre")];
  return startProgram({
    name: "gateway",
    command: [join(ROOT, "gateway/main.ts"), "--site", siteFile, ...claim],
    logFile: parts.logFile,
    readyWithin: Seconds(30),
    parseReady: (line) => gatewayReady.parse(line),
    clock: options.clock,
  });
}

function simulatorArguments(options: CityOptions): readonly string[] {
  const journal = join(options.folder, "journal.jsonl");
  return [
    "--bridge",
    "127.0.0.1:0",
    "--lamps",
    String(options.lamps),
    "--control",
    "127.0.0.1:0",
    "--journal",
    journal,
    "--seed",
    "1",
  ];
}
