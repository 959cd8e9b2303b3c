import "../node-version.js";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { runServices } from "../domain/service.ts";
import { settleHeap } from "../domain/system/heap.ts";
import { systemClock } from "../domain/system-clock.ts";
import { systemRandom } from "../domain/system-random.ts";
import { parseClaim } from "../domain/wire/enrolment.ts";
import { type Gateway, openGateway } from "./gateway.ts";
import { loadSite, PRODUCT_SOURCES } from "./site/load-site.ts";
import type { UnnumberedSite } from "./site/site.ts";
import { TelemetryThread } from "./store/writing/telemetry-thread.ts";
import { enrol } from "./uplink/enrol.ts";
import { findIdentity, type GatewayIdentity } from "./uplink/identity.ts";

const HELP = `The gateway of a site: polls its buses, keeps their history, obeys and tells.

  node gateway/main.ts --site FILE [--claim CLAIM]

  --site FILE     the site file; given several times, each site's gateway runs in this one process
  --claim CLAIM   enrol with the center first, and end if that fails; only needed once
  --in-process    no field host processes (fewer processes, no isolation between services)
  --log LEVEL     trace, debug, info, warn or error (info); logs go to standard error as JSON lines

A gateway that is not enrolled polls and obeys on site all the same. It looks for a claim in the file "claim" of its data
folder, enrols as soon as the center can be reached, and removes the file then: a box can be provisioned without network.

When all is bound it prints one line of JSON: {"event":"ready","gateways":[{"id","socket","mqtt":{"host","port"}}]}.
It runs until SIGTERM or SIGINT; started with an IPC channel, also until whoever started it is gone.
Exit codes: 0 ended as asked, 1 could not go on, 2 wrong arguments or site file.
`;

settleHeap();
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error("asked to stop"));
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
  process.once("disconnect", onSignal);
  process.channel?.unref();
  let sites: UnnumberedSite[];
  let settings: Settings;
  try {
    settings = parse(args);
    if (settings.help) {
      process.stdout.write(HELP);
      return 0;
    }
    sites = await loadSites(settings.sites);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
  try {
    await run(sites, settings, stop.signal);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

/** A function of its own: what it shares between sites goes with it, where {@link main} would hold it to the end. */
async function loadSites(files: readonly string[]): Promise<UnnumberedSite[]> {
  const sources = { ...PRODUCT_SOURCES, loaded: new Map() };
  const sites: UnnumberedSite[] = [];
  for (const file of files) sites.push(await loadSite(file, sources));
  return sites;
}

interface Settings {
  readonly sites: readonly string[];
  readonly claim: string | undefined;
  readonly hosting: "processes" | "in-process";
  readonly log: string;
  readonly help: boolean;
}

async function run(sites: UnnumberedSite[], settings: Settings, signal: AbortSignal): Promise<void> {
  const logger = pino({ level: settings.log, base: null }, pino.destination(2));
  const { hosting } = settings;
  const gateways: Gateway[] = [];
  const shared = {
    hosting,
    software: `nerve ${versionOf()}`,
    telemetryThread: new TelemetryThread(),
    clock: systemClock,
    random: systemRandom,
  };
  try {
    // Taken from the list, so that what each gateway numbers anew is not held twice.
    for (let site = sites.shift(); site !== undefined; site = sites.shift()) {
      const identity = await identityOf(site, settings.claim);
      const own = { site, identity, logger: logger.child({ gateway: site.gatewayId }) };
      gateways.push(await openGateway({ ...shared, ...own }));
    }
  } catch (error) {
    // Those that are open already are put away as they would be at their end.
    await runServices(gateways, AbortSignal.abort(error));
    throw error;
  }
  const told = gateways.map(({ name, socketPath, mqtt }) => ({ id: name, socket: socketPath, mqtt }));
  process.stdout.write(`${JSON.stringify({ event: "ready", gateways: told })}\n`);
  await runServices(gateways, signal);
}

/** `null`: not enrolled yet; the gateway looks for a claim while it works. */
async function identityOf(site: UnnumberedSite, claim: string | undefined): Promise<GatewayIdentity | null> {
  if (claim !== undefined && (await findIdentity(site.dataFolder)) === undefined)
    await enrol(parseClaim(claim), site.dataFolder);
  const known = await findIdentity(site.dataFolder);
  if (known === undefined || known.gatewayId === site.gatewayId) return known ?? null;
  throw new Error(
    `${site.dataFolder} is enrolled as ${known.gatewayId}, the site file says ${site.gatewayId}: mend \`gateway\` in the site file, or give it another dataFolder`,
  );
}

function parse(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      site: { type: "string", multiple: true, default: [] },
      claim: { type: "string" },
      "in-process": { type: "boolean", default: false },
      log: { type: "string", default: "info" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.site.length === 0 && !values.help) throw new Error("which site? give --site FILE; see --help");
  if (values.site.length > 1 && values.claim !== undefined) {
    throw new Error(
      "one --claim can not be for several sites: put each into the file `claim` of its data folder",
    );
  }
  return {
    sites: values.site,
    claim: values.claim,
    hosting: values["in-process"] ? "in-process" : "processes",
    log: values.log,
    help: values.help,
  };
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

/** The message with its causes: what was tried, then why it did not work. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n  because ${messageOf(error.cause)}`;
}
