import "../node-version.js";
import { parseArgs } from "node:util";
import type { PointDefinition } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import { formatTable } from "./cli/format-table.ts";
import { PRODUCT_SOURCES } from "./site/load-site.ts";
import { readProfile } from "./site/profile/read-profile.ts";
import { findProfiles } from "./site/profile-folders.ts";
import { formatProblem } from "./site/site-file-error.ts";
import { findNearest } from "./site/source/nearest-word.ts";

const HELP = `Device models: checks a profile, lists those there are, shows one. Use: nerve profile check FILE | list | show ID

  --folder DIR   also look for profiles here; may be repeated
  --json         one line of JSON

Exit codes: 0 it can be used (warnings do not change that), 1 the check itself failed, 2 it can not be used, or wrong arguments.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked;
  try {
    asked = parse(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${HELP}`);
    return 2;
  }
  if (asked.what === "check") return await check(asked.name, asked.form);
  return asked.what === "list" ? await list(asked) : await show(asked);
}

interface Asked {
  readonly what: "check" | "list" | "show";
  /** A file to check, or an id to show; empty for a list. */
  readonly name: string;
  readonly folders: readonly string[];
  readonly form: "json" | "text";
}

function parse(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      folder: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
    },
  });
  const [what, name = "", ...more] = positionals;
  if (what !== "check" && what !== "list" && what !== "show") throw new Error("check, list or show?");
  if (what === "check" && name === "") throw new Error("which profile? give its file");
  if (what === "show" && name === "")
    throw new Error("which profile? give its id: nerve profile list tells them");
  if (more.length > 0 || (what === "list" && name !== "")) throw new Error(`too many arguments for ${what}`);
  const folders = [...PRODUCT_SOURCES.profileFolders, ...values.folder];
  return { what, name, folders, form: values.json ? "json" : "text" };
}

async function check(file: string, form: Asked["form"]): Promise<number> {
  const { loaded, problems, warnings } = await readProfile(file, PRODUCT_SOURCES.loadDriver);
  if (form === "json") {
    const profile = loaded === null ? null : summaryOf(loaded.profile);
    process.stdout.write(`${JSON.stringify({ ok: loaded !== null, profile, problems, warnings })}\n`);
  }
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (loaded === null) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    process.stderr.write(`${file} can not be used: ${count}\n`);
    return 2;
  }
  if (form === "json") return 0;
  for (const warning of warnings) process.stdout.write(`warning: ${formatProblem(warning)}\n`);
  const { id, class: deviceClass, driver, points, commanded } = summaryOf(loaded.profile);
  const count = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  process.stdout.write(
    `${file} can be used: ${id}, a ${deviceClass} over ${driver}, ${points} points of which ${commanded} are commanded, ${count}\n`,
  );
  return 0;
}

async function list({ folders, form }: Asked): Promise<number> {
  const profiles: Profile[] = [];
  let broken = 0;
  for (const [, [file = ""]] of await findProfiles(folders)) {
    const { loaded, problems } = await readProfile(file, PRODUCT_SOURCES.loadDriver);
    if (loaded !== null) profiles.push(loaded.profile);
    else broken += 1;
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  }
  const rows = profiles.map(summaryOf).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  if (form === "json") process.stdout.write(`${JSON.stringify({ profiles: rows })}\n`);
  else {
    const cells = rows.map((row) => [
      row.id,
      row.class,
      row.driver,
      `${row.points}`,
      `${row.commanded}`,
      row.title,
    ]);
    process.stdout.write(formatTable(["ID", "CLASS", "DRIVER", "POINTS", "COMMANDED", "TITLE"], cells));
  }
  return broken === 0 ? 0 : 2;
}

async function show({ name, folders, form }: Asked): Promise<number> {
  const found = await findProfiles(folders);
  const [file] = found.get(name) ?? [];
  if (file === undefined) {
    const nearest = findNearest(name, [...found.keys()]);
    const remedy = nearest === undefined ? "nerve profile list tells them all" : `did you mean ${nearest}?`;
    process.stderr.write(`there is no profile ${name}: ${remedy}\n`);
    return 2;
  }
  const { loaded, problems } = await readProfile(file, PRODUCT_SOURCES.loadDriver);
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (loaded === null) return 2;
  const { profile } = loaded;
  if (form === "json") {
    process.stdout.write(`${JSON.stringify({ file, profile })}\n`);
    return 0;
  }
  const probe = (profile.probe ?? []).map(({ point, why }) => `probe      ${point}: ${why}\n`).join("");
  const quirks = profile.quirks
    .map(({ flag, value, why }) => `quirk      ${flag} ${value}: ${why}\n`)
    .join("");
  const parameters = Object.entries(profile.parameters)
    .map(([parameter, { min, max }]) => `parameter  ${parameter}: ${min} … ${max}\n`)
    .join("");
  process.stdout.write(`${profile.title}\n${profile.class} over ${profile.driver}, ${file}\n`);
  process.stdout.write(`${parameters}${probe}${quirks}\n`);
  const heads = ["POINT", "TYPE", "UNIT", "RANGE", "ACCESS", "COMMAND", "POLLED", "SOURCE"];
  process.stdout.write(formatTable(heads, profile.points.map(rowOf)));
  return 0;
}

function summaryOf({ id, title, class: deviceClass, driver, points }: Profile) {
  const commanded = points.filter(({ access }) => access !== "read").length;
  return { id, title, class: deviceClass, driver, points: points.length, commanded };
}

function rowOf(point: PointDefinition): readonly string[] {
  const { name, type, unit, range, access, commandClass = "", pollClass, source } = point;
  const bounds = range === undefined ? "" : `${range.min} … ${range.max}`;
  return [name, type, type === "number" ? unit : "", bounds, access, commandClass, pollClass, source];
}
