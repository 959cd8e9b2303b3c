import "../node-version.js";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { DeviceFault } from "../domain/errors.ts";
import { systemClock } from "../domain/system-clock.ts";
import { Seconds } from "../domain/time.ts";
import { giveKey, isKeyRefusal } from "./field/give-key.ts";
import { loadSite } from "./site/load-site.ts";
import { SiteFileError } from "./site/site-file-error.ts";

const HELP = `Gives a unit on a bus a key of its own. Use: nerve unit-key BUS UNIT --site FILE

  --site FILE   the site file; the gateway has to be stopped, as the line is needed
  --replace     the unit has a key of its own already: change it for a new one
  --json        one line of JSON: {"bus","unit"}

Exit codes: 0 the unit has its key, 1 it refused or is silent, 2 wrong arguments, site file or key file.
`;

/** A key is set in some tenths of a second; a silent unit is given up after this. */
const PATIENCE = Seconds(30);

/** What the person at the door mends. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const { site, bus, unit, before, json } = parse(args);
    await setKey({ site, bus, unit, before });
    const text = `unit ${unit} on ${bus} has a key of its own now; start the gateway`;
    process.stdout.write(`${json ? JSON.stringify({ bus, unit }) : text}\n`);
    return 0;
  } catch (error) {
    const code = exitOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    process.stderr.write(`${chainOf(error)}\n`);
    return code;
  }
}

async function setKey(asked: {
  readonly site: string;
  readonly bus: string;
  readonly unit: string;
  readonly before: "install" | "own";
}): Promise<void> {
  const { buses } = await loadSite(asked.site);
  const bus = buses.find(({ id }) => id === asked.bus);
  if (bus === undefined)
    throw new UsageError(
      `${asked.site} has no bus ${asked.bus}; it has ${buses.map(({ id }) => id).join(", ")}`,
    );
  const logger = pino({ enabled: false });
  const { unit: address, before } = asked;
  const giveUp = new AbortController();
  const late = new DeviceFault("timeout", `give unit ${address} a key`);
  const cancel = systemClock.schedule(PATIENCE, () => giveUp.abort(late));
  try {
    await giveKey(bus, { address, before }, { clock: systemClock, logger }, giveUp.signal);
  } finally {
    cancel();
  }
}

function exitOf(error: unknown): number | undefined {
  if (error instanceof DeviceFault) return 1;
  const isUsage = error instanceof UsageError || error instanceof SiteFileError || isKeyRefusal(error);
  return isUsage ? 2 : undefined;
}

/** What was tried, and why it failed. */
function chainOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${chainOf(error.cause)}` : error.message;
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        site: { type: "string" },
        replace: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const [bus, unit, ...more] = positionals;
    const { site, replace, json } = values;
    if (site === undefined || bus === undefined || unit === undefined || more.length > 0)
      throw new Error("give a bus, a unit and --site FILE");
    return { site, bus, unit, json, before: replace ? "own" : "install" } as const;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}\n${HELP}`, { cause });
  }
}
