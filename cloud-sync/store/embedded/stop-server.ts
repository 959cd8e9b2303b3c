import { type Clock, Millis } from "../../../domain/time.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import type { ServerPlace } from "./embedded-server.ts";
import { isRunning, type ProcessIdentity, serverProcessesIn } from "./process-table.ts";

/** Fast shutdown ends sessions and writes a checkpoint, at worst `max_wal_size` of it. */
const FAST_LIMIT = Millis(10_000);
/** Immediate shutdown only ends processes; the next start recovers from the log. */
const IMMEDIATE_LIMIT = Millis(5_000);
const POLL = Millis(20);

/**
 * Ends a postmaster: fast shutdown, then immediate. Not abortable: it is what an abort leads to.
 * @throws {EmbeddedPostgresError} `stop-failed`
 */
export async function stopServer(
  place: Pick<ServerPlace, "clock" | "logger" | "dataFolder">,
  server: ProcessIdentity,
): Promise<void> {
  const { clock, logger } = place;
  // PostgreSQL 18 manual, §18.5: SIGINT is fast, SIGQUIT immediate; SIGKILL would leave children behind.
  if (await endsAfter(clock, server, "SIGINT", FAST_LIMIT)) return;
  logger.warn(
    { serverPid: server.pid },
    "PostgreSQL did not end within 10 s; ending it at once, it recovers at the next start",
  );
  if (await endsAfter(clock, server, "SIGQUIT", IMMEDIATE_LIMIT)) return;
  throw new EmbeddedPostgresError(
    "stop-failed",
    `asked PostgreSQL, process ${server.pid} on ${place.dataFolder}, to end, twice: its disk may hang; see dmesg, then restart the machine`,
  );
}

async function endsAfter(
  clock: Clock,
  server: ProcessIdentity,
  name: NodeJS.Signals,
  limit: Millis,
): Promise<boolean> {
  if (!signalProcess(server, name)) return true;
  return waitUntil(clock, limit, () => !isRunning(server));
}

/**
 * Children that outlived a killed postmaster notice within moments and end; those that do not are ended.
 * PostgreSQL itself refuses to start beside them.
 * @throws {EmbeddedPostgresError} `stop-failed`
 */
export async function endLeftovers(place: Pick<ServerPlace, "clock" | "dataFolder">): Promise<void> {
  const { clock, dataFolder } = place;
  const areGone = () => serverProcessesIn(dataFolder).length === 0;
  if (await waitUntil(clock, IMMEDIATE_LIMIT, areGone)) return;
  for (const leftover of serverProcessesIn(dataFolder)) signalProcess(leftover, "SIGQUIT");
  if (await waitUntil(clock, IMMEDIATE_LIMIT, areGone)) return;
  const pids = serverProcessesIn(dataFolder).map((entry) => entry.pid);
  throw new EmbeddedPostgresError(
    "stop-failed",
    `processes ${pids.join(", ")} of an earlier PostgreSQL still work in ${dataFolder} and do not end: see what they wait for (ps, dmesg), end them, and start the center again`,
  );
}

function signalProcess(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isRunning(target)) return false;
  try {
    process.kill(target.pid, name);
    return true;
  } catch {
    return isRunning(target); // Ended in between, or not ours: the wait tells.
  }
}

async function waitUntil(clock: Clock, limit: Millis, holds: () => boolean): Promise<boolean> {
  const never = new AbortController().signal;
  const start = clock.uptime();
  while (!holds()) {
    if (clock.uptime() - start >= limit) return false;
    await clock.sleep(POLL, never);
  }
  return true;
}
