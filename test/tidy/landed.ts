import { createHash } from "node:crypto";
import type { Finding, ProjectFile } from "./project-file.ts";

const DECISION_PARTS = ["## Forces", "## What it is not", "## Consequences", "## Rejected"];
/** One printed page (STYLE, Decisions). */
const DECISION_LINES = 60;

/** Decisions are numbered without gap, on one page, in one form. */
export function findDecisionFaults(files: readonly ProjectFile[]): readonly Finding[] {
  const decisions = files.filter(({ path }) => /^docs\/decisions\/[^/]+\.md$/.test(path));
  const named = decisions.filter(({ path }) => /\/\d{4}-[a-z0-9-]+\.md$/.test(path));
  const unnamed = decisions
    .filter((file) => !named.includes(file))
    .map(({ path }) => ({
      at: path,
      says: "is no decision name",
      remedy: "name it NNNN-what-was-decided.md",
    }));
  const numbers = named.map(({ path }) => ({
    at: path,
    number: path.slice("docs/decisions/".length).slice(0, 4),
  }));
  return [...unnamed, ...findNumberFaults(numbers), ...named.flatMap(findFormFaults)];
}

function findFormFaults({ path, text }: ProjectFile): readonly Finding[] {
  const lacks = DECISION_PARTS.filter((part) => !text.includes(`\n${part}`));
  const states = /^Status: (proposed|accepted|superseded by \d{4}) · Date: \d{4}-\d{2}-\d{2}$/m.test(text);
  const says = [
    ...(states ? [] : ["lacks its `Status: accepted · Date: YYYY-MM-DD` line"]),
    ...lacks.map((part) => `lacks the part ${part}`),
    ...(text.split("\n").length > DECISION_LINES ? [`is longer than ${DECISION_LINES} lines`] : []),
  ];
  return says.map((fault) => ({ at: path, says: fault, remedy: "write it like docs/decisions/0001" }));
}

/** Each number once, starting at 1, none left out. */
function findNumberFaults(
  entries: readonly { readonly at: string; readonly number: string }[],
): readonly Finding[] {
  const sorted = entries.toSorted((a, b) => a.number.localeCompare(b.number));
  return sorted.flatMap(({ at, number }, index): readonly Finding[] => {
    if (Number(number) === index + 1) return [];
    const wanted = String(index + 1).padStart(4, "0");
    return [
      {
        at,
        says: `has number ${number} where ${wanted} is next`,
        remedy: "number it after the last that landed",
      },
    ];
  });
}

/** What `hashes.json` of each migrations folder must hold once all that is there has landed; what it holds stays. */
export function landMigrations(files: readonly ProjectFile[]): readonly ProjectFile[] {
  return migrationFolders(files).map((folder) => {
    const hashes = Object.entries(landedHashes(folder, files));
    const known = new Set(hashes.map(([name]) => name));
    const added = migrationsIn(folder, files)
      .map(({ path, text }) => [path.slice(folder.length), hashOf(text)] as const)
      .filter(([name]) => !known.has(name));
    const all = Object.fromEntries([...hashes, ...added].sort(([a], [b]) => a.localeCompare(b)));
    return { path: `${folder}hashes.json`, text: `${JSON.stringify(all, null, 2)}\n` };
  });
}

/**
 * A migration that has landed ran somewhere, so it never changes. `hashes.json` beside the migrations holds
 * the SHA-256 of each landed file, by its path from that folder.
 */
export function findMigrationFaults(files: readonly ProjectFile[]): readonly Finding[] {
  return migrationFolders(files).flatMap((folder) => inMigrations(folder, files));
}

function migrationFolders(files: readonly ProjectFile[]): readonly string[] {
  const folders = files.flatMap(
    ({ path }) => path.match(/^.*\/migrations\/(?=.*\.sql$|hashes\.json$)/)?.[0] ?? [],
  );
  return [...new Set(folders)];
}

function migrationsIn(folder: string, files: readonly ProjectFile[]): readonly ProjectFile[] {
  return files.filter(({ path }) => path.startsWith(folder) && path.endsWith(".sql"));
}

function landedHashes(folder: string, files: readonly ProjectFile[]): Readonly<Record<string, string>> {
  const listed = files.find(({ path }) => path === `${folder}hashes.json`);
  return JSON.parse(listed?.text ?? "{}") as Record<string, string>;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function inMigrations(folder: string, files: readonly ProjectFile[]): readonly Finding[] {
  const hashes = new Map(Object.entries(landedHashes(folder, files)));
  const migrations = migrationsIn(folder, files);
  const changed = migrations.flatMap(({ path, text }): readonly Finding[] => {
    const name = path.slice(folder.length);
    const hash = hashOf(text);
    const landed = hashes.get(name);
    if (landed === hash) return [];
    if (landed === undefined)
      return [
        { at: path, says: "is not in hashes.json", remedy: "land it with `node test/land-migrations.ts`" },
      ];
    return [
      {
        at: path,
        says: "changed after it landed",
        remedy: "put it back, and write what you want as the next migration",
      },
    ];
  });
  const gone = [...hashes.keys()].filter(
    (name) => !migrations.some(({ path }) => path === `${folder}${name}`),
  );
  return [
    ...changed,
    ...gone.map((name) => ({ at: `${folder}${name}`, says: "landed and is gone", remedy: "put it back" })),
    ...migrations
      .filter(({ path }) => !/\/\d{4}-[a-z]+-[a-z0-9-]+\.sql$/.test(path))
      .map(({ path }) => ({ at: path, says: "is no migration name", remedy: "name it NNNN-verb-noun.sql" })),
    ...[...groupByFolder(migrations).values()].flatMap(findNumberFaults),
  ];
}

function groupByFolder(
  files: readonly ProjectFile[],
): ReadonlyMap<string, readonly { readonly at: string; readonly number: string }[]> {
  const groups = new Map<string, { readonly at: string; readonly number: string }[]>();
  for (const { path } of files) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const group = groups.get(folder) ?? [];
    groups.set(folder, [...group, { at: path, number: path.slice(folder.length + 1, folder.length + 5) }]);
  }
  return groups;
}
