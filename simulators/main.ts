import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { settleHeap } from "../domain/system/heap.ts";
import { cabinetsOf, takeShare } from "./city/cabinet-config.ts";
import { placeCity } from "./city/placement.ts";
import { DEVICE_KINDS } from "./device-kinds.ts";
import { InvalidField } from "./input-fields.ts";
import { CannotBind, type Simulation, startSimulation } from "./simulation.ts";
import { parseSimulationConfig, type SimulationConfig } from "./simulation-config.ts";

const HELP = `Simulated DALI bridges with street lamps, and whole street cabinets, on real Modbus TCP sockets.

  node simulators/main.ts --bridge 127.0.0.1:0 --lamps 8 --control 127.0.0.1:0
  node simulators/main.ts --city --share 1/2 --control 127.0.0.1:0
  node simulators/main.ts --config FILE

  --bridge HOST:PORT    a bridge; may be repeated. Port 0: the system chooses. Ids are bridge-1, bridge-2, ...
  --lamps N             lamps on each bridge, 0..64 (8)
  --fade-ms N           how long a lamp takes to a new level (50)
  --seed N              same seed, same lamps (1)
  --city                the street cabinets of the 23 municipalities, each on a socket of its own: bridge (unit 1),
                        controller (unit 2) and meter (unit 3); not together with --bridge
  --light-points N      in the whole city, 500..40000 (34000)
  --ageing N            with --city: a lamp fails every N seconds on average, and is repaired after 60 N
  --sky N               with --city: street lamps follow the sun over Dijon by their own photocells, in a sky that runs
                        N times as fast as time, 1..3600; without, they stay as they are told
  --share K/N           with --city or --config: the K-th of N parts of cabinets and devices, for N processes
  --journal FILE        append every write and every effect as a line of JSON
  --control HOST:PORT   HTTP control on loopback: GET /health /journal /lamps /lamps/ID /cabinets /cabinets/ID
                        /faults, POST /faults {"bridge","kind",...}, POST /lamps/ID {"action"},
                        POST /cabinets/ID {"action","feeder"}, DELETE /faults, GET /devices /devices/ID (each tells its
                        actions), POST /devices/ID {"action",...}
  --config FILE         JSON: {"seed","control","journalFile","journalCapacity","bridges":[{"id","listen",
                        "unit","channels","lamps","groups":[{"group","lamps"}],"fadeMs","refreshMs","holes"}],
                        "cabinets":[{"id","listen","feeders":[[short addresses]],"groups":[[short addresses]],
                        "fadeMs","minOnOffSec"}],"devices":[{"id","kind",...}],"ageing":{"failureEverySec","repairAfterSec"},
                        "sky":{"startsAt","speed"}};
                        with no flag above but --share
  --help                this text

Kinds of devices, each with its members beside "id" and "kind" (in [ ]: its default):
${Object.entries(DEVICE_KINDS)
  .map(([kind, { about }]) => `  ${kind.padEnd(21)} ${about}\n`)
  .join("")}
When all is bound it prints one line of JSON: {"event":"ready","bridges":[{"id","host","port","unit"}],
"cabinets":[{"id","host","port","units":{"bridge","controller","meter"}}],
"devices":[{"id","kind", and where it is reached}],"control":{...}}.
It runs until SIGTERM or SIGINT; started with an IPC channel, also until whoever started it is gone.
Exit codes: 0 ended as asked, 1 could not run, 2 wrong arguments or configuration.
`;

settleHeap();
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const ending = endSignal();
  try {
    const config = readArguments(args);
    if (config === "help") {
      process.stdout.write(HELP);
      return 0;
    }
    await using simulation = await startSimulation(config);
    process.stdout.write(`${JSON.stringify(readyLine(simulation))}\n`);
    await ending.promise;
    return 0;
  } catch (cause) {
    process.stderr.write(`${explain(cause)}\n`);
    return cause instanceof CannotBind ? 1 : 2;
  } finally {
    ending.forget();
  }
}

function readyLine({ bridges, cabinets, devices, control }: Simulation) {
  const inCabinets = new Set(cabinets.map(({ id }) => id));
  const standalone = bridges.filter(({ id }) => !inCabinets.has(id));
  return {
    event: "ready",
    bridges: standalone.map(({ id, unit, server }) => ({ id, ...server.address, unit })),
    cabinets: cabinets.map(({ id, units, server }) => ({ id, ...server.address, units })),
    devices: devices.map(({ id, kind, device }) => ({ id, kind, ...device.reach })),
    control: control ?? null,
  };
}

function readArguments(args: readonly string[]): SimulationConfig | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bridge: { type: "string", multiple: true },
      lamps: { type: "string" },
      "fade-ms": { type: "string" },
      seed: { type: "string" },
      city: { type: "boolean" },
      "light-points": { type: "string" },
      ageing: { type: "string" },
      sky: { type: "string" },
      share: { type: "string" },
      journal: { type: "string" },
      control: { type: "string" },
      config: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const { config, share, ...flags } = values;
  if (config === undefined) return ofShare(parseSimulationConfig(fromFlags(flags)), share);
  if (Object.keys(flags).length > 0)
    throw new InvalidField("--config", "no other flag beside it but --share");
  return ofShare(parseSimulationConfig(JSON.parse(readFileSync(config, "utf8"))), share);
}

function ofShare(config: SimulationConfig, text: string | undefined): SimulationConfig {
  if (text === undefined) return config;
  const [share, shares] = (/^(\d)\/(\d)$/.exec(text) ?? []).slice(1).map(Number);
  if (share === undefined || shares === undefined || share < 1 || share > shares) {
    throw new InvalidField("--share", "a part of the cabinets, like 1/2");
  }
  const part = { share, shares };
  return { ...config, cabinets: takeShare(config.cabinets, part), devices: takeShare(config.devices, part) };
}

interface Flags {
  readonly bridge?: readonly string[];
  readonly lamps?: string;
  readonly "fade-ms"?: string;
  readonly seed?: string;
  readonly city?: boolean;
  readonly "light-points"?: string;
  readonly ageing?: string;
  readonly sky?: string;
  readonly journal?: string;
  readonly control?: string;
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function fromFlags(flags: Flags): unknown {
  const common = { seed: number(flags.seed), control: flags.control, journalFile: flags.journal };
  if (flags.city === true) return { ...common, ...cityFromFlags(flags) };
  for (const flag of ["light-points", "ageing", "sky"] as const) {
    if (flags[flag] !== undefined) throw new InvalidField(`--${flag}`, "--city beside it");
  }
  const bridges = (flags.bridge ?? ["127.0.0.1:0"]).map((listen, at) => ({
    id: `bridge-${at + 1}`,
    listen,
    lamps: number(flags.lamps),
    fadeMs: number(flags["fade-ms"]),
  }));
  return { ...common, bridges };
}

function cityFromFlags(flags: Flags): object {
  if (flags.bridge !== undefined) throw new InvalidField("--city", "no --bridge beside it");
  const city = placeCity({ seed: number(flags.seed) ?? 1, lightPoints: number(flags["light-points"]) });
  const every = number(flags.ageing);
  const ageing = every === undefined ? undefined : { failureEverySec: every, repairAfterSec: 60 * every };
  const sky = flags.sky === undefined ? undefined : { speed: number(flags.sky) };
  return { cabinets: cabinetsOf(city), ageing, sky };
}

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const reason = cause.cause instanceof Error ? ` (${cause.cause.message})` : "";
  return `${cause.message}${reason}. Run with --help for what can be given.`;
}

function endSignal() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.once("disconnect", end);
  process.channel?.unref();
  const forget = (): void => {
    process.off("SIGTERM", end);
    process.off("SIGINT", end);
    process.off("disconnect", end);
  };
  return { promise, forget };
}
