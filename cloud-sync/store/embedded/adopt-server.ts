import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { RunningServer, ServerPlace } from "./embedded-server.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import {
  commandLine,
  type ProcessEntry,
  programOf,
  readProcess,
  serverProcessesIn,
  workingFolder,
} from "./process-table.ts";
import { ensureDatabase } from "./server-connection.ts";
import { settingArguments } from "./server-settings.ts";
import { endLeftovers, stopServer } from "./stop-server.ts";

/**
 * What an earlier center left running on this data: a postmaster of this release with these settings that
 * takes our password is adopted; any other is stopped. Afterwards either it is ours, or nothing runs there.
 * Only for the holder of the owner lock.
 * @throws {EmbeddedPostgresError} `stop-failed`
 */
export async function adoptServer(
  place: ServerPlace,
  password: string | undefined,
): Promise<RunningServer | undefined> {
  const orphan = findPostmaster(place.dataFolder);
  if (orphan !== undefined) {
    const adopted = await tryAdopt(place, orphan, password);
    if (adopted !== undefined) return adopted;
    place.logger.warn(
      { serverPid: orphan.pid },
      "stopping a PostgreSQL that an earlier center left and that cannot be taken over",
    );
    await stopServer(place, orphan);
  }
  if (serverProcessesIn(place.dataFolder).length > 0) await endLeftovers(place);
  return undefined;
}

/** A stale file may name a dead process or, by now, another program: only one that works in this folder counts. */
function findPostmaster(dataFolder: string): ProcessEntry | undefined {
  const file = readPostmasterFile(dataFolder);
  const entry = file === undefined ? undefined : readProcess(file.pid);
  if (entry?.name !== "postgres" || workingFolder(entry.pid) !== realpathSync(dataFolder)) return undefined;
  return entry;
}

async function tryAdopt(
  place: ServerPlace,
  orphan: ProcessEntry,
  password: string | undefined,
): Promise<RunningServer | undefined> {
  const file = readPostmasterFile(place.dataFolder);
  if (password === undefined || file?.port === undefined || !isAsWeWouldStart(place, orphan, file.port))
    return undefined;
  const server = { pid: orphan.pid, startTicks: orphan.startTicks, port: file.port };
  try {
    await ensureDatabase(server, password);
    return server;
  } catch (cause) {
    place.logger.warn(
      { err: cause, serverPid: orphan.pid },
      "the PostgreSQL that an earlier center left does not answer us",
    );
    return undefined;
  }
}

/** An older release's server has other binaries or settings: it is restarted, not adopted. */
function isAsWeWouldStart(place: ServerPlace, orphan: ProcessEntry, port: number): boolean {
  const wanted = [
    join(place.nativeFolder, "bin", "postgres"),
    ...["-D", place.dataFolder, "-p", String(port)],
    ...settingArguments(place.settings),
  ];
  // A program that was replaced while it runs is shown with " (deleted)": its libraries are no longer its own.
  if (programOf(orphan.pid) !== wanted[0]) return false;
  return commandLine(orphan.pid).join("\0") === wanted.join("\0");
}
