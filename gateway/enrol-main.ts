import "../node-version.js";
import { parseArgs } from "node:util";
import { parseClaim } from "../domain/wire/enrolment.ts";
import { WireError } from "../domain/wire/wire-error.ts";
import { loadSite } from "./site/load-site.ts";
import { SiteFileError } from "./site/site-file-error.ts";
import { TransportError } from "./uplink/center-transport.ts";
import { enrol } from "./uplink/enrol.ts";
import { findIdentity } from "./uplink/identity.ts";

const HELP = `Turns a claim into this gateway's identity. Use: nerve gateway enrol --site FILE --claim CLAIM

  --site FILE     the site file
  --claim CLAIM   the line that the center shows for this gateway
  --json          one line of JSON: {"gatewayId","dataFolder"}

Exit codes: 0 enrolled, 1 the center refused or can not be reached, 2 wrong arguments, claim or site file.
`;

/** What the person at the cabinet mends; everything else is a fault of ours. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const { site, claim, json } = parse(args);
    const { gatewayId, dataFolder } = await enrolSite(site, claim);
    const text = `${gatewayId} is enrolled; start it with: nerve gateway run --site ${site}`;
    process.stdout.write(`${json === "json" ? JSON.stringify({ gatewayId, dataFolder }) : text}\n`);
    return 0;
  } catch (error) {
    const code = exitOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return code;
  }
}

async function enrolSite(path: string, text: string) {
  const claim = parseClaim(text);
  const { gatewayId, dataFolder } = await loadSite(path);
  if (claim.gatewayId !== gatewayId)
    throw new UsageError(
      `the claim is for ${claim.gatewayId}, the site file says ${gatewayId}: have the center show the claim of ${gatewayId}, or mend \`gateway\` in the site file`,
    );
  const known = await findIdentity(dataFolder);
  if (known !== undefined)
    throw new UsageError(
      `${dataFolder} is enrolled as ${known.gatewayId} already: nothing is left to do, start it with nerve gateway run --site ${path}`,
    );
  await enrol(claim, dataFolder);
  return { gatewayId, dataFolder };
}

function exitOf(error: unknown): number | undefined {
  if (error instanceof TransportError) return 1;
  const isUsage = [UsageError, SiteFileError, WireError].some((kind) => error instanceof kind);
  return isUsage ? 2 : undefined;
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        site: { type: "string" },
        claim: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const { site, claim, json } = values;
    if (site === undefined || claim === undefined) throw new Error("give --site FILE and --claim CLAIM");
    return { site, claim, json: json ? "json" : "text" } as const;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}\n${HELP}`, { cause });
  }
}
