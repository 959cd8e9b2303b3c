import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Millis } from "../../../domain/time.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import type { RunningServer, ServerPlace } from "./embedded-server.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import { readProcess } from "./process-table.ts";
import { spawnOptions } from "./server-account.ts";
import { boundServerLog, openServerLog, readServerLog, serverLogLength, serverLogOf } from "./server-log.ts";
import { settingArguments } from "./server-settings.ts";
import { stopServer } from "./stop-server.ts";

/** Replaying 512 MB of write-ahead log takes seconds on a server disk and minutes on a flash card. */
const READY_LIMIT = Millis(600_000);
const RECOVERY_NOTICE = Millis(10_000);
const POLL = Millis(10);
/** The port is free when the system names it and may be taken before PostgreSQL binds it. */
const PORT_TRIES = 5;
const PORT_TAKEN = /could not bind IPv4 address|could not create any TCP\/IP sockets/;

/**
 * Starts a postmaster on a port that the system gives, and returns once it accepts connections.
 * It is the leader of its own session: Ctrl-C at the center's terminal reaches the center alone.
 * @throws {EmbeddedPostgresError} `start-failed`
 */
export async function startServer(place: ServerPlace, signal: AbortSignal): Promise<RunningServer> {
  // Whoever it named is gone (see adoptServer), and PostgreSQL would take another program with its pid for a server.
  rmSync(join(place.dataFolder, "postmaster.pid"), { force: true });
  for (let attempt = 1; ; attempt += 1) {
    boundServerLog(place.home);
    const logStart = serverLogLength(place.home);
    const started = await tryStart(place, await freePort(), signal);
    if (started !== undefined) return started;
    const said = readServerLog(place.home, logStart);
    if (PORT_TAKEN.test(said) && attempt < PORT_TRIES) continue;
    throw new EmbeddedPostgresError(
      "start-failed",
      `started PostgreSQL on ${place.dataFolder} and it ended; it said: ${said || "nothing"}: mend what it names (see ${serverLogOf(place.home)}) and start the center again, or set DATABASE_URL`,
    );
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function tryStart(
  place: ServerPlace,
  port: number,
  signal: AbortSignal,
): Promise<RunningServer | undefined> {
  const child = await spawnPostmaster(place, port);
  const entry = child.pid === undefined ? undefined : readProcess(child.pid);
  if (entry === undefined) return undefined;
  const server = { pid: entry.pid, startTicks: entry.startTicks, port };
  try {
    return (await becomesReady(place, child, server, signal)) ? server : undefined;
  } catch (cause) {
    await stopServer(place, server);
    throw cause;
  }
}

async function spawnPostmaster(place: ServerPlace, port: number): Promise<ChildProcess> {
  const log = openServerLog(place.home);
  try {
    const child = spawn(
      join(place.nativeFolder, "bin", "postgres"),
      ["-D", place.dataFolder, "-p", String(port), ...settingArguments(place.settings)],
      { ...spawnOptions(place.account), detached: true, stdio: ["ignore", log.descriptor, log.descriptor] },
    );
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    // The server is watched by its pid, as an adopted one is; it must not hold up our end.
    child.unref();
    return child;
  } catch (cause) {
    throw new EmbeddedPostgresError(
      "start-failed",
      `could not run ${place.nativeFolder}/bin/postgres as ${place.account.name}: run npm ci again, or set DATABASE_URL`,
      { cause },
    );
  } finally {
    log.close();
  }
}

async function becomesReady(
  { clock, logger, dataFolder }: ServerPlace,
  child: ChildProcess,
  server: RunningServer,
  signal: AbortSignal,
): Promise<boolean> {
  const start = clock.uptime();
  let told = start;
  while (clock.uptime() - start < READY_LIMIT) {
    const file = readPostmasterFile(dataFolder);
    if (file?.pid === server.pid && file.isReady) return true;
    if (child.exitCode !== null || child.signalCode !== null) return false;
    if (clock.uptime() - told >= RECOVERY_NOTICE) {
      told = clock.uptime();
      logger.info(
        { serverPid: server.pid },
        "PostgreSQL is still starting; after a power loss it first replays its log",
      );
    }
    await clock.sleep(POLL, signal);
  }
  throw new EmbeddedPostgresError(
    "start-failed",
    `waited 10 min for PostgreSQL on ${dataFolder}: its disk is too slow or full; see server.log beside the data, and start the center again`,
  );
}
