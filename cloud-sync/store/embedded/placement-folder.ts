import { chmodSync, existsSync, lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { isReachable } from "./reachability.ts";
import type { ServerAccount } from "./server-account.ts";

/**
 * Where root puts what PostgreSQL's user must reach, the best first. `/tmp` is not among them: it is
 * emptied at boot, and this is the center's data.
 */
const PLACEMENT_FOLDERS = ["/var/lib/nerve", "/opt/nerve", "/srv/nerve", "/var/tmp/nerve"] as const;

/**
 * The first folder that is ours alone to write and that `account` can enter; made when it is not there.
 * @throws {EmbeddedPostgresError} `no-place`
 */
export function findPlacementFolder(
  account: ServerAccount,
  candidates: readonly string[] = PLACEMENT_FOLDERS,
): string {
  const refusals: string[] = [];
  for (const folder of candidates) {
    const refusal = tryFolder(folder, account);
    if (refusal === undefined) return folder;
    refusals.push(`${folder}: ${refusal}`);
  }
  throw new EmbeddedPostgresError(
    "no-place",
    `${account.name} cannot enter the clone, and no other folder will do (${refusals.join("; ")}): move the clone where other users may enter (chmod o+x on the folders above it), or set DATABASE_URL to a PostgreSQL server of your own`,
  );
}

function tryFolder(folder: string, account: ServerAccount): string | undefined {
  const isNew = !existsSync(folder);
  try {
    if (isNew) makeFolder(folder);
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
  const stats = lstatSync(folder);
  // Someone else's folder under /var/tmp could swap the binaries below a root process.
  if (!stats.isDirectory() || stats.uid !== process.getuid?.()) return "not a folder of ours";
  if ((stats.mode & 0o022) !== 0) return "others may write there";
  if (isReachable(folder, account)) return undefined;
  if (isNew) rmdirSync(folder);
  return `${account.name} may not enter`;
}

/** Makes `<root-owned folder>/<name>` that everybody may enter and only we may write. */
export function makePlacedFolder(placementFolder: string, name: string): string {
  const folder = join(placementFolder, name);
  if (!existsSync(folder)) makeFolder(folder);
  return folder;
}

/** The umask must not hide it, so the mode is set apart. */
function makeFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
  chmodSync(folder, 0o755);
}
