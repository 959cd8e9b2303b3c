import { readFileSync, statSync } from "node:fs";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";

/** The user PostgreSQL runs as: ourselves, or somebody else when we are root, whom PostgreSQL refuses. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Whether processes must be started as, and files given to, another user than ours. */
  readonly isOther: boolean;
}

/** Users that exist on nearly every machine, the better first. We never make one. */
const PREFERRED = ["postgres", "nobody"] as const;

/**
 * @param dataFolder the data that already stands, if any: its owner goes on owning it.
 * @throws {EmbeddedPostgresError} `no-account`, `data-not-ours`
 */
export function chooseAccount(dataFolder: string | undefined): ServerAccount {
  const uid = process.getuid?.() ?? -1;
  const owner = dataFolder === undefined ? undefined : statSync(dataFolder);
  if (uid !== 0) {
    if (owner !== undefined && owner.uid !== uid) {
      throw new EmbeddedPostgresError(
        "data-not-ours",
        `${dataFolder} belongs to user ${owner.uid} and this is user ${uid}: start the center as the user it was first started as, or as root`,
      );
    }
    return { name: `user ${uid}`, uid, gid: process.getgid?.() ?? -1, isOther: false };
  }
  if (owner !== undefined && owner.uid !== 0) {
    return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid, isOther: true };
  }
  return knownAccount();
}

function knownAccount(): ServerAccount {
  const rows = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of PREFERRED) {
    const [, , uid, gid] = rows.find((row) => row.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined && Number(uid) > 0) {
      return { name, uid: Number(uid), gid: Number(gid), isOther: true };
    }
  }
  throw new EmbeddedPostgresError(
    "no-account",
    "PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: start the center as an ordinary user, or set DATABASE_URL to a server of your own",
  );
}

/** Options for `spawn`: who runs it, from a folder that everybody may enter, with nothing inherited. */
export function spawnOptions(account: ServerAccount): {
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd: string;
  readonly env: Record<string, string>;
} {
  const env = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/local/bin:/usr/bin:/bin" };
  return account.isOther ? { uid: account.uid, gid: account.gid, cwd: "/", env } : { cwd: "/", env };
}
