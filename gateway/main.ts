import "../node-version.js";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { systemClock } from "../domain/system-clock.ts";
import { systemRandom } from "../domain/system-random.ts";
import { parseClaim } from "../domain/wire/enrolment.ts";
import { openGateway } from "./gateway.ts";
import { loadSite } from "./site/load-site.ts";
import type { UnnumberedSite } from "./site/site.ts";
import { enrol } from "./uplink/enrol.ts";
import { findIdentity, type GatewayIdentity } from "./uplink/identity.ts";

const HELP = `The gateway of one site: polls its buses, keeps their history, obeys and tells.

  node gateway/main.ts --site FILE [--claim CLAIM]

  --site FILE     the site file
  --claim CLAIM   enrol with the center first; only needed once
  --in-process    no field host processes (fewer processes, no isolation between services)
  --log LEVEL     trace, debug, info, warn or error (info); logs go to standard error as JSON lines

When all is bound it prints one line of JSON: {"event":"ready","socket":PATH,"mqtt":{"host","port"}}.
It runs until SIGTERM or SIGINT. Exit codes: 0 ended as asked, 1 could not go on, 2 wrong arguments or site file.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error("asked to stop"));
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
  let site: UnnumberedSite;
  let settings: Settings;
  try {
    settings = parse(args);
    if (settings.help) {
      process.stdout.write(HELP);
      return 0;
    }
    site = await loadSite(settings.site);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
  try {
    await run(site, settings, stop.signal);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

interface Settings {
  readonly site: string;
  readonly claim: string | undefined;
  readonly hosting: "processes" | "in-process";
  readonly log: string;
  readonly help: boolean;
}

async function run(site: UnnumberedSite, settings: Settings, signal: AbortSignal): Promise<void> {
  const logger = pino({ level: settings.log, base: { gateway: site.gatewayId } }, pino.destination(2));
  const gateway = await openGateway({
    site,
    identity: await identityOf(site, settings.claim),
    hosting: settings.hosting,
    software: `nerve ${versionOf()}`,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  const { socketPath, mqtt } = gateway;
  process.stdout.write(`${JSON.stringify({ event: "ready", socket: socketPath, mqtt })}\n`);
  await gateway.run(signal);
}

async function identityOf(site: UnnumberedSite, claim: string | undefined): Promise<GatewayIdentity | null> {
  const known = await findIdentity(site.dataFolder);
  if (known === undefined && claim !== undefined) {
    await enrol(parseClaim(claim), site.dataFolder);
    return await identityOf(site, undefined);
  }
  if (known !== undefined && known.gatewayId !== site.gatewayId) {
    throw new Error(
      `${site.dataFolder} is enrolled as ${known.gatewayId}, the site file says ${site.gatewayId}: mend \`gateway\` in the site file, or give it another dataFolder`,
    );
  }
  return known ?? null;
}

function parse(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      site: { type: "string" },
      claim: { type: "string" },
      "in-process": { type: "boolean", default: false },
      log: { type: "string", default: "info" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.site === undefined && !values.help) throw new Error("which site? give --site FILE; see --help");
  return {
    site: values.site ?? "",
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
