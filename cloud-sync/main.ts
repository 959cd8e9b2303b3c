import "../node-version.js";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Logger, pino } from "pino";
import { settleHeap } from "../domain/system/heap.ts";
import { systemClock } from "../domain/system-clock.ts";
import { systemRandom } from "../domain/system-random.ts";
import { type CenterOptions, openCenter } from "./center.ts";
import { isPortTaken } from "./chosen-ports.ts";

const HELP = `The center: takes what the gateways tell, and the operators' orders.

  node cloud-sync/main.ts --data .nerve/center
  DATABASE_URL=postgres://nerve:…@db/nerve node cloud-sync/main.ts --data /var/lib/nerve-center \\
    --gateways 0.0.0.0:8443 --public-name center.example.org

  --data DIR              keys, first token, generation, embedded database (.nerve/center)
  --fresh                 begin with nothing: removes all of that first; not with DATABASE_URL
  --operators HOST:PORT   console and HTTP interface (127.0.0.1:8080); docs at /docs
  --operators-certificate FILE, --operators-key FILE
                          PEM; needed where --operators is not on loopback
  --gateways HOST:PORT    mutual TLS for gateways (127.0.0.1:8443)
  --public-name NAME      name or address under which gateways reach this center; may be repeated
  --log-level LEVEL       fatal, error, warn, info, debug, trace (info); logs go to standard error
  --help                  this text

Port 0: the system chooses. What it chose stands in ports.json of the data folder and is taken again at the next start
if it is still free, so that gateways find the center again; for good, name a port.

DATABASE_URL: a PostgreSQL of your own. Without it the center brings one and keeps it in the data folder.
After a restore of the database from a backup, raise the number in the file "generation" of the data folder by one
before the start: what was ordered before is then never sent again.

When all is ready it prints one line of JSON: {"event":"ready","operators":"http://…","gateways":"https://…",
"tokenFile":"…"}. It runs until SIGTERM or SIGINT; started with an
IPC channel, also until whoever started it is gone.
Exit codes: 0 ended as asked, 1 could not run or go on, 2 wrong arguments.
`;

class ArgumentFault extends Error {
  override readonly name = "ArgumentFault";
}

settleHeap();
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const ending = endSignal();
  try {
    const options = readArguments(args);
    if (options === "help") {
      process.stdout.write(HELP);
      return 0;
    }
    await using center = await openCenter(options, ending.signal);
    const { operatorsUrl: operators, gatewaysUrl: gateways, tokenFile } = center;
    process.stdout.write(`${JSON.stringify({ event: "ready", operators, gateways, tokenFile })}\n`);
    await center.run(ending.signal);
    options.logger.info("ending");
    return 0;
  } catch (cause) {
    if (ending.signal.aborted) return 0;
    process.stderr.write(`${explain(cause)}\n`);
    return cause instanceof ArgumentFault ? 2 : 1;
  } finally {
    ending.forget();
  }
}

function readArguments(args: readonly string[]): (CenterOptions & { readonly logger: Logger }) | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const operators = endpoint("--operators", values.operators);
  const tls = readTls(values["operators-certificate"], values["operators-key"]);
  if (tls === null && !isLoopback(operators.host)) {
    throw new ArgumentFault(
      `--operators ${values.operators} is not on loopback, and tokens must not cross a network in the clear: give --operators-certificate and --operators-key, or listen on 127.0.0.1 behind a proxy that speaks TLS`,
    );
  }
  const databaseUrl = process.env["DATABASE_URL"] || null;
  if (values.fresh && databaseUrl !== null) {
    throw new ArgumentFault(
      "--fresh does not empty a PostgreSQL of your own: make another database for DATABASE_URL, or leave --fresh out",
    );
  }
  return {
    dataFolder: resolve(values.data),
    begin: values.fresh ? "empty" : "kept",
    databaseUrl,
    operators: { ...operators, tls },
    gateways: endpoint("--gateways", values.gateways),
    publicNames: values["public-name"],
    clock: systemClock,
    random: systemRandom,
    logger: pino({ level: logLevel(values["log-level"]) }, pino.destination({ fd: 2, sync: true })),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: "string", default: ".nerve/center" },
        fresh: { type: "boolean", default: false },
        operators: { type: "string", default: "127.0.0.1:8080" },
        "operators-certificate": { type: "string" },
        "operators-key": { type: "string" },
        gateways: { type: "string", default: "127.0.0.1:8443" },
        "public-name": { type: "string", multiple: true, default: [] },
        "log-level": { type: "string", default: "info" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (cause) {
    throw new ArgumentFault(`${cause instanceof Error ? cause.message : String(cause)}\nsee --help`);
  }
}

function endpoint(setting: string, text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535))
    throw new ArgumentFault(`${setting} takes HOST:PORT, e.g. 127.0.0.1:8080, not ${JSON.stringify(text)}`);
  return { host, port };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function readTls(
  certificate: string | undefined,
  key: string | undefined,
): { readonly key: string; readonly certificate: string } | null {
  if (certificate === undefined && key === undefined) return null;
  if (certificate === undefined || key === undefined)
    throw new ArgumentFault("--operators-certificate and --operators-key go together");
  return {
    certificate: readPem("--operators-certificate", certificate),
    key: readPem("--operators-key", key),
  };
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ArgumentFault(`${setting}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function logLevel(text: string): string {
  if (Object.hasOwn(pino.levels.values, text)) return text;
  throw new ArgumentFault(`--log-level takes ${Object.keys(pino.levels.values).join(", ")}, not ${text}`);
}

/** The chain of causes, and which setting changes a port that is taken. */
function explain(cause: unknown): string {
  const texts: string[] = [];
  for (let each = cause; each instanceof Error; each = each.cause) texts.push(each.message);
  const text = texts.length === 0 ? String(cause) : texts.join(": ");
  if (!isPortTaken(cause)) return text;
  const setting = text.includes("for operators") ? "--operators" : "--gateways";
  return `${text}\nanother program has this port: choose another one with ${setting} HOST:PORT`;
}

function endSignal(): { readonly signal: AbortSignal; forget(): void } {
  const ending = new AbortController();
  const end = (): void => ending.abort(new Error("asked to end"));
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.once("disconnect", end);
  process.channel?.unref();
  return {
    signal: ending.signal,
    forget: () => {
      process.off("SIGTERM", end);
      process.off("SIGINT", end);
      process.off("disconnect", end);
    },
  };
}
