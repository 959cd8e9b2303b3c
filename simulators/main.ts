import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { InvalidField } from "./input-fields.ts";
import { CannotBind, type Simulation, startSimulation } from "./simulation.ts";
import { parseSimulationConfig, type SimulationConfig } from "./simulation-config.ts";

const HELP = `Simulated DALI bridges with street lamps, on real Modbus TCP sockets.

  node simulators/main.ts --bridge 127.0.0.1:0 --lamps 8 --control 127.0.0.1:0
  node simulators/main.ts --config FILE

  --bridge HOST:PORT    a bridge; may be repeated. Port 0: the system chooses. Ids are bridge-1, bridge-2, ...
  --lamps N             lamps on each bridge, 0..64 (8)
  --fade-ms N           how long a lamp takes to a new level (50)
  --seed N              same seed, same lamps (1)
  --journal FILE        append every write and every effect as a line of JSON
  --control HOST:PORT   HTTP control on loopback: GET /health /journal /lamps /lamps/ID /faults,
                        POST /faults {"bridge","kind",...}, POST /lamps/ID {"action"}, DELETE /faults
  --config FILE         JSON: {"seed","control","journalFile","journalCapacity","bridges":[{"id","listen",
                        "unit","channels","lamps","groups":[{"group","lamps"}],"fadeMs","refreshMs","holes"}]};
                        not together with the flags above
  --help                this text

When all is bound it prints one line of JSON: {"event":"ready","bridges":[{"id","host","port"}],"control":{...}}.
It runs until SIGTERM or SIGINT. Exit codes: 0 ended as asked, 1 could not run, 2 wrong arguments or configuration.
`;

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

function readyLine({ bridges, control }: Simulation) {
  return {
    event: "ready",
    bridges: bridges.map(({ id, unit, server }) => ({ id, ...server.address, unit })),
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
      journal: { type: "string" },
      control: { type: "string" },
      config: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const { config, ...flags } = values;
  if (config === undefined) return parseSimulationConfig(fromFlags(flags));
  if (Object.keys(flags).length > 0) throw new InvalidField("--config", "no other flag beside it");
  return parseSimulationConfig(JSON.parse(readFileSync(config, "utf8")));
}

interface Flags {
  readonly bridge?: readonly string[];
  readonly lamps?: string;
  readonly "fade-ms"?: string;
  readonly seed?: string;
  readonly journal?: string;
  readonly control?: string;
}

function fromFlags(flags: Flags): unknown {
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const bridges = (flags.bridge ?? ["127.0.0.1:0"]).map((listen, at) => ({
    id: `bridge-${at + 1}`,
    listen,
    lamps: number(flags.lamps),
    fadeMs: number(flags["fade-ms"]),
  }));
  return { seed: number(flags.seed), bridges, control: flags.control, journalFile: flags.journal };
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
  const forget = (): void => {
    process.off("SIGTERM", end);
    process.off("SIGINT", end);
  };
  return { promise, forget };
}
