import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { findPlacementFolder, makePlacedFolder } from "./placement-folder.ts";
import { isReachable } from "./reachability.ts";
import { chooseAccount, type ServerAccount } from "./server-account.ts";

/** In the asked folder: where its data stands instead. */
export const POINTER_FILE = "data-is-elsewhere.json";
/** In the placed folder: whose data it is. */
const ORIGIN_FILE = "asked-for.json";

const FolderFile = z.object({ folder: z.string() });

/** The folder that holds one embedded server: its data, password, log and lock. */
export interface DataHome {
  readonly folder: string;
  readonly account: ServerAccount;
}

export interface DataHomeOptions {
  /** As the caller named it; made when it is not there. */
  readonly asked: string;
  readonly placementFolders?: readonly string[];
  readonly logger: Logger;
}

/** PGDATA of a home. */
export const dataFolderOf = (home: string): string => join(home, "data");

/**
 * The home for the asked folder: itself, or, where PostgreSQL's user cannot enter it, a folder that
 * user can enter and that the next start finds again, by the pointer left behind and by its name.
 * @throws {EmbeddedPostgresError} `no-account`, `no-place`, `data-not-ours`, `data-unreachable`
 */
export function findDataHome(options: DataHomeOptions): DataHome {
  const asked = makeAskedFolder(options.asked);
  if (existsSync(dataFolderOf(asked))) return standingHome(asked);
  const pointed = followPointer(asked, options.logger);
  if (pointed !== undefined) return standingHome(pointed);
  const account = chooseAccount(undefined);
  if (isReachable(asked, account)) return { folder: asked, account };
  const placed = placeHome(asked, account, options.placementFolders);
  options.logger.info(
    { asked, folder: placed, account: account.name },
    "the data folder is hidden from PostgreSQL's user; its data stands elsewhere",
  );
  return { folder: placed, account: chooseAccount(existing(dataFolderOf(placed))) };
}

/** The real path, so that what is checked here is what PostgreSQL is given. */
function makeAskedFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(path);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      "data-not-ours",
      `cannot make or write the data folder ${path}: make it belong to the user that starts the center, or name another folder`,
      { cause },
    );
  }
}

const existing = (path: string): string | undefined => (existsSync(path) ? path : undefined);

function standingHome(folder: string): DataHome {
  const account = chooseAccount(existing(dataFolderOf(folder)));
  // The folder is ours and root may have made it under a strict umask; what is above it is not ours to open.
  if (!isReachable(folder, account)) {
    throw new EmbeddedPostgresError(
      "data-unreachable",
      `${folder} holds the center's data, and ${account.name}, whom PostgreSQL runs as, cannot enter: make it and the folders above it enterable (chmod o+x), or move the clone with its data to where others may enter`,
    );
  }
  return { folder, account };
}

/** A pointer that came along when the clone was copied must not share the original's data. */
function followPointer(asked: string, logger: Logger): string | undefined {
  const target = readFolder(join(asked, POINTER_FILE));
  if (target === undefined) return undefined;
  if (!existsSync(target)) {
    logger.warn(
      { asked, folder: target },
      "the folder with the data is gone; put it back, or go on with an empty one",
    );
    return undefined;
  }
  const origin = readFolder(join(target, ORIGIN_FILE));
  if (origin === asked) return target;
  const originalStands = origin !== undefined && readFolder(join(origin, POINTER_FILE)) === target;
  if (originalStands) return undefined;
  writeFolder(join(target, ORIGIN_FILE), asked);
  return target;
}

function placeHome(asked: string, account: ServerAccount, candidates: readonly string[] | undefined): string {
  const hash = createHash("sha256").update(asked).digest("hex").slice(0, 16);
  const folder = makePlacedFolder(findPlacementFolder(account, candidates), hash);
  writeFolder(join(folder, ORIGIN_FILE), asked);
  writeFolder(join(asked, POINTER_FILE), folder);
  return folder;
}

function readFolder(path: string): string | undefined {
  try {
    return FolderFile.parse(JSON.parse(readFileSync(path, "utf8"))).folder;
  } catch {
    return undefined; // Not there, or cut short: the folder is then found by its name.
  }
}

function writeFolder(path: string, folder: string): void {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, `${JSON.stringify({ folder })}\n`);
  chmodSync(draft, 0o644);
  renameSync(draft, path);
}
