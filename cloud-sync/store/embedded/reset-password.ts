import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import type { ServerPlace } from "./embedded-server.ts";
import { spawnOptions } from "./server-account.ts";
import { openServerLog, readServerLog, serverLogLength } from "./server-log.ts";
import { keepPassword, newPassword } from "./server-password.ts";
import { SERVER_ROLE } from "./server-settings.ts";

/**
 * Gives the role a new password where the file beside the data is gone: a single-user server asks for
 * none (PostgreSQL 18 manual, postgres, "Single-User Mode"). Nothing else may run on the data.
 * @throws {EmbeddedPostgresError} `password-lost`
 */
export async function resetPassword(place: ServerPlace, signal: AbortSignal): Promise<string> {
  const password = newPassword();
  const before = serverLogLength(place.home);
  const log = openServerLog(place.home);
  const child = spawn(
    join(place.nativeFolder, "bin", "postgres"),
    [
      "--single",
      "-D",
      place.dataFolder,
      "-c",
      "password_encryption=scram-sha-256",
      "-c",
      "log_statement=none",
      "postgres",
    ],
    { ...spawnOptions(place.account), stdio: ["pipe", "ignore", log.descriptor], signal },
  );
  try {
    child.stdin?.on("error", () => {}); // It ended early; its exit code tells.
    child.stdin?.end(`ALTER ROLE ${SERVER_ROLE} PASSWORD '${password}'\n`);
    await once(child, "exit");
  } finally {
    log.close();
  }
  const said = readServerLog(place.home, before);
  if (child.exitCode === 0 && !/ERROR|FATAL/.test(said)) {
    // Kept only now: a kill in between leaves no file, so the next start does this again.
    keepPassword(place.home, place.account, password);
    place.logger.warn(
      { folder: place.home },
      "the password beside the data was gone; PostgreSQL has a new one",
    );
    return password;
  }
  throw new EmbeddedPostgresError(
    "password-lost",
    `gave PostgreSQL on ${place.dataFolder} a new password, the file beside the data being gone, and it said: ${said}: put the file back from a copy, or move ${place.home} away to begin anew`,
  );
}
