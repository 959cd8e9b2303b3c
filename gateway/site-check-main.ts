import "../node-version.js";
import { parseArgs } from "node:util";
import { loadSite } from "./site/load-site.ts";
import { SiteFileError } from "./site/site-file-error.ts";

const HELP = `Checks a site file with its profiles; nothing is opened or connected. Use: nerve gateway check --site FILE

  --site FILE   the site file
  --json        one line of JSON: {"ok","dataFolder","buses","devices","points","problems"}

Exit codes: 0 it can be used, 1 the check itself failed, 2 it can not be used, or wrong arguments.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let settings: { readonly site: string; readonly json: "json" | "text" };
  try {
    settings = parse(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${HELP}`);
    return 2;
  }
  try {
    const { dataFolder, gatewayId, buses, devices } = await loadSite(settings.site);
    const points = devices.reduce((sum, device) => sum + device.points.length, 0);
    const counts = { buses: buses.length, devices: devices.length, points };
    const answer = { ok: true, gatewayId, dataFolder, ...counts, problems: [] };
    const text = `${settings.site} can be used: gateway ${gatewayId}, ${counts.buses} buses, ${counts.devices} devices, ${points} points, data in ${dataFolder}`;
    process.stdout.write(`${settings.json === "json" ? JSON.stringify(answer) : text}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof SiteFileError)) throw error;
    if (settings.json === "json")
      process.stdout.write(`${JSON.stringify({ ok: false, problems: error.problems })}\n`);
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { site: { type: "string" }, json: { type: "boolean", default: false } },
  });
  if (values.site === undefined) throw new Error("which site? give --site FILE");
  return { site: values.site, json: values.json ? "json" : "text" } as const;
}
