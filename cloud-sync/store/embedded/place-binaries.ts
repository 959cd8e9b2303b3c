import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { constants, readFileSync } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, realpath, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "pino";
import { z } from "zod";
import type { BinaryPackage } from "./binary-package.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { findPlacementFolder } from "./placement-folder.ts";
import { isReachable } from "./reachability.ts";
import { type ServerAccount, spawnOptions } from "./server-account.ts";

/** What initdb and postgres need at least; the real proof is that they run. */
const NEEDED = [
  "bin/postgres",
  "bin/initdb",
  "lib",
  "share/postgresql/postgres.bki",
  "share/postgresql/timezonesets",
];
/** Static libraries and build files: nothing of it is read at run time, and it is a sixth of the copy. */
const NOT_COPIED = /(\.a|\/pgxs|\/pkgconfig|^include)$/;

const SymlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** Where a placed copy may go, for a caller that wants another order than the usual one. */
export interface PlaceBinariesOptions {
  readonly account: ServerAccount;
  readonly placementFolders?: readonly string[];
  readonly logger: Logger;
}

/**
 * The folder with `bin`, `lib` and `share` that `account` can run: the package itself, or a copy of it
 * where the package is hidden from that user. The real path, as `/proc` shows it for what runs from there.
 * @throws {EmbeddedPostgresError} `binaries-broken`, `no-place`
 */
export async function placeBinaries(source: BinaryPackage, options: PlaceBinariesOptions): Promise<string> {
  const { account, logger } = options;
  const isVisible = NEEDED.every((name) => isReachable(join(source.nativeFolder, name), account));
  const inPlace = isVisible ? await runsInPlace(source.nativeFolder, account) : new Error("not visible");
  if (inPlace === undefined) return realpath(source.nativeFolder);
  if (!account.isOther) throw broken(source.nativeFolder, account, inPlace);
  const parent = findPlacementFolder(account, options.placementFolders);
  const target = join(parent, `postgresql-${source.version}-${process.arch}`);
  if (!(await isComplete(source.nativeFolder, target))) {
    await copyIntoPlace(source.nativeFolder, target);
    logger.info(
      { from: source.nativeFolder, to: target },
      "copied PostgreSQL's binaries to where its user can run them",
    );
  }
  const failure = await runs(target, account);
  if (failure === undefined) return realpath(target);
  throw broken(target, account, failure);
}

function broken(nativeFolder: string, account: ServerAccount, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    "binaries-broken",
    `ran ${nativeFolder}/bin/postgres --version as ${account.name} and it failed: run npm ci again (PostgreSQL's binaries need glibc, so not on Alpine), or set DATABASE_URL to a PostgreSQL server of your own`,
    { cause },
  );
}

/** After `npm ci --ignore-scripts` the library links are missing: they are made as the package's postinstall does. */
async function runsInPlace(nativeFolder: string, account: ServerAccount): Promise<unknown> {
  const failure = await runs(nativeFolder, account);
  if (failure === undefined) return undefined;
  try {
    for (const link of symlinksOf(nativeFolder)) {
      await symlink(link.to, join(nativeFolder, link.path)).catch(ignoreExisting);
    }
  } catch {
    return failure; // A package we may not write to.
  }
  return runs(nativeFolder, account);
}

/** Loads every shared library, so a missing link or a foreign libc shows here and not in the middle of initdb. */
async function runs(nativeFolder: string, account: ServerAccount): Promise<unknown> {
  try {
    for (const program of ["postgres", "initdb"]) {
      await promisify(execFile)(join(nativeFolder, "bin", program), ["--version"], {
        ...spawnOptions(account),
        timeout: 20_000,
      });
    }
    return undefined;
  } catch (cause) {
    return cause;
  }
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter(
      (name) =>
        !name.split("/").some((_, index, parts) => NOT_COPIED.test(parts.slice(0, index + 1).join("/"))),
    );
}

/** Every file there with its size, and nothing that another user could have changed. */
async function isComplete(source: string, target: string): Promise<boolean> {
  try {
    const top = await lstat(target);
    if (!top.isDirectory() || top.uid !== process.getuid?.() || (top.mode & 0o022) !== 0) return false;
    for (const name of await filesOf(source)) {
      const [asked, found] = await Promise.all([lstat(join(source, name)), lstat(join(target, name))]);
      if (!found.isFile() || asked.size !== found.size) return false;
    }
    for (const link of symlinksOf(source)) await lstat(join(target, link.path));
    return true;
  } catch {
    return false; // Not there, or in part: it is made anew.
  }
}

async function copyIntoPlace(source: string, target: string): Promise<void> {
  const suffix = randomBytes(6).toString("hex");
  const draft = `${target}.making-${suffix}`;
  const broken = `${target}.broken-${suffix}`;
  try {
    await copyTree(source, draft);
    await rename(target, broken).catch(ignoreMissing);
    await rename(draft, target).catch(async (cause: unknown) => {
      // Another center on this machine was faster; what it made serves as well if it is whole.
      if (!(await isComplete(source, target))) throw cause;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(broken, { recursive: true, force: true });
  }
  await removeDrafts(target);
}

function ignoreMissing(cause: unknown): void {
  if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
}

function ignoreExisting(cause: unknown): void {
  if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
}

/** What copies cut short by a kill left behind. An hour tells them from one that is being made. */
async function removeDrafts(target: string): Promise<void> {
  const parent = dirname(target);
  const reference = (await lstat(target)).ctimeMs;
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(target)}.`)) continue;
    const path = join(parent, name);
    const age =
      reference -
      (await lstat(path).then(
        (stats) => stats.ctimeMs,
        () => reference,
      ));
    if (age > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

async function copyTree(source: string, target: string): Promise<void> {
  const folders = new Set<string>();
  for (const name of await filesOf(source)) {
    const to = join(target, name);
    if (!folders.has(dirname(to))) {
      await mkdir(dirname(to), { recursive: true });
      folders.add(dirname(to));
    }
    await copyFile(join(source, name), to, constants.COPYFILE_FICLONE);
    await chmod(to, name.startsWith("bin/") ? 0o755 : 0o644);
  }
  for (const link of symlinksOf(source)) await symlink(link.to, join(target, link.path));
  for (const folder of await foldersOf(target)) await chmod(folder, 0o755);
}

async function foldersOf(target: string): Promise<readonly string[]> {
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  return [
    target,
    ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)),
  ];
}

/** The package's own list, which its postinstall script follows too; paths there start with `native/`. */
function symlinksOf(source: string): readonly { readonly path: string; readonly to: string }[] {
  const list = SymlinkList.parse(JSON.parse(readFileSync(join(source, "pg-symlinks.json"), "utf8")));
  return list.map(({ source: from, target }) => ({
    path: relative("native", target),
    to: relative(dirname(target), from),
  }));
}
