import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import type { ServerPlace } from "./embedded-server.ts";
import { spawnOptions } from "./server-account.ts";
import { keepPassword, newPassword, passwordFileOf } from "./server-password.ts";
import { SERVER_ROLE } from "./server-settings.ts";

/** Without these PostgreSQL cannot open a folder, so there is nothing in it that it could lose. */
const ESSENTIAL = ["PG_VERSION", "global/pg_control"] as const;
/** initdb takes half a second on a server disk; a flash card may need a hundred times that. */
const INITDB_LIMIT_MS = 180_000;

/**
 * Sees to a data folder that PostgreSQL can open: makes one where there is none, sets a half-made one
 * aside and makes another. It is made under another name and renamed when it is whole.
 * @throws {EmbeddedPostgresError} `init-failed`, `wrong-version`
 */
export async function ensureCluster(place: ServerPlace, signal: AbortSignal): Promise<void> {
  await removeDrafts(place);
  if (existsSync(place.dataFolder)) setAsideIfUnusable(place);
  if (!existsSync(place.dataFolder)) await makeCluster(place, signal);
  checkVersion(place);
}

/** A draft never held data: it is what a killed initdb left. */
async function removeDrafts({ home, dataFolder, logger }: ServerPlace): Promise<void> {
  const prefix = `${basename(dataFolder)}.making-`;
  for (const name of readdirSync(home).filter((entry) => entry.startsWith(prefix))) {
    await rm(join(home, name), { recursive: true, force: true, maxRetries: 5 });
    logger.warn({ folder: join(home, name) }, "removed a data folder whose making was interrupted");
  }
}

function setAsideIfUnusable({ dataFolder, clock, logger }: ServerPlace): void {
  if (ESSENTIAL.every((name) => existsSync(join(dataFolder, name)))) return;
  if (readdirSync(dataFolder).length === 0) {
    rmdirSync(dataFolder);
    return;
  }
  const stamp = new Date(clock.now()).toISOString().replaceAll(/[:.]/g, "-");
  const aside = `${dataFolder}.unusable-${stamp}-${randomBytes(3).toString("hex")}`;
  renameSync(dataFolder, aside);
  logger.warn(
    { folder: aside },
    "set aside a data folder that PostgreSQL cannot open; look at it, then delete it",
  );
}

async function makeCluster(place: ServerPlace, signal: AbortSignal): Promise<void> {
  const { home, dataFolder, account, nativeFolder } = place;
  const draft = `${dataFolder}.making-${randomBytes(6).toString("hex")}`;
  mkdirSync(draft, { mode: 0o700 });
  if (account.isOther) chownSync(draft, account.uid, account.gid);
  keepPassword(home, account, newPassword());
  const options = [
    `--pgdata=${draft}`,
    `--username=${SERVER_ROLE}`,
    `--pwfile=${passwordFileOf(home)}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // The builtin provider sorts alike on every machine, whatever libc it has.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
  ];
  try {
    await promisify(execFile)(join(nativeFolder, "bin", "initdb"), options, {
      ...spawnOptions(account),
      timeout: INITDB_LIMIT_MS,
      signal,
    });
  } catch (cause) {
    await rm(draft, { recursive: true, force: true, maxRetries: 5 });
    if (signal.aborted) throw signal.reason;
    throw new EmbeddedPostgresError(
      "init-failed",
      `ran initdb for ${dataFolder} as ${account.name}: see that the disk has 100 MB free and is not read-only, then start the center again`,
      { cause },
    );
  }
  renameSync(draft, dataFolder);
  syncFolder(dirname(dataFolder));
}

/** A rename is durable only once its folder is. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function checkVersion({ dataFolder, major }: ServerPlace): void {
  const found = readFileSync(join(dataFolder, "PG_VERSION"), "utf8").trim();
  if (found === String(major)) return;
  throw new EmbeddedPostgresError(
    "wrong-version",
    `${dataFolder} was made by PostgreSQL ${found} and this release brings ${major}: start the release that made it and dump it with pg_dump, or use that release; to begin anew, move ${dataFolder} away`,
  );
}
