import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { CliError } from "./cli-error.ts";
import type { GlobalOptions } from "./global-options.ts";
import { askProgram, PROGRAMS } from "./run-program.ts";
import type { Shell } from "./shell.ts";

/** Where `npm start` keeps the gateways of the city. */
const CITY_GATEWAYS = join(".nerve", "gateways");
const MARKS = ["nerve.sock", "nerve.sock.path", "critical.db"];

/** The data folder of the gateway that is meant, and why this one. */
export interface FoundGateway {
  readonly dataFolder: string;
  /** For messages: `--data-folder`, `NERVE_DATA`, `./data`. */
  readonly because: string;
}

/**
 * In this order: `--data-folder`, the site file, `NERVE_DATA`, `./data`, the only gateway of a city here.
 * @throws {CliError} `usage` when several are meant.
 */
export async function findGateway(options: GlobalOptions, shell: Shell): Promise<FoundGateway> {
  const { workingFolder, dataVariable } = shell;
  if (options.dataFolder !== undefined)
    return { dataFolder: resolve(workingFolder, options.dataFolder), because: "--data-folder" };
  if (options.site !== undefined) return await folderOfSite(options.site);
  if (dataVariable !== undefined && dataVariable !== "")
    return { dataFolder: resolve(workingFolder, dataVariable), because: "NERVE_DATA" };
  const here = join(workingFolder, "data");
  if (isData(here)) return { dataFolder: here, because: "./data" };
  const [first, ...others] = cityFolders(workingFolder);
  if (first === undefined) return { dataFolder: here, because: "./data" };
  if (others.length === 0) return { dataFolder: first, because: "the only one under .nerve/gateways" };
  const list = [first, ...others].map((folder) => `  --data-folder ${folder}`).join("\n");
  throw new CliError("usage", `several gateways are here: say which one with\n${list}`);
}

function isData(folder: string): boolean {
  return MARKS.some((mark) => existsSync(join(folder, mark)));
}

function cityFolders(workingFolder: string): readonly string[] {
  const folder = join(workingFolder, CITY_GATEWAYS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name, "data"))
    .filter(isData);
}

/** Read and checked by the program that knows site files: its checks cost more than all else, so it is asked only here. */
async function folderOfSite(site: string): Promise<FoundGateway> {
  const { code, output, errors } = await askProgram(PROGRAMS.siteCheck, ["--site", site, "--json"]);
  const answer: unknown = code === 0 ? JSON.parse(output) : null;
  const dataFolder: unknown = Object(answer).dataFolder;
  if (typeof dataFolder === "string") return { dataFolder, because: `site file ${site}` };
  throw new CliError("usage", `${errors.trim()}\nor name the gateway with --data-folder DIR`);
}
