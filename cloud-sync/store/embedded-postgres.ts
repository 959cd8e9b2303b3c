import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { type Clock, Millis } from "../../domain/time.ts";
import { adoptServer } from "./embedded/adopt-server.ts";
import { findBinaryPackage } from "./embedded/binary-package.ts";
import { dataFolderOf, findDataHome } from "./embedded/data-home.ts";
import { EmbeddedPostgresError } from "./embedded/embedded-postgres-error.ts";
import type { RunningServer, ServerPlace } from "./embedded/embedded-server.ts";
import { ensureCluster } from "./embedded/make-cluster.ts";
import { takeOwnerLock } from "./embedded/owner-lock.ts";
import { placeBinaries } from "./embedded/place-binaries.ts";
import { isRunning } from "./embedded/process-table.ts";
import { resetPassword } from "./embedded/reset-password.ts";
import { connectionString, ensureDatabase } from "./embedded/server-connection.ts";
import { boundServerLog } from "./embedded/server-log.ts";
import { readPassword } from "./embedded/server-password.ts";
import type { ServerSettings } from "./embedded/server-settings.ts";
import { startServer } from "./embedded/start-server.ts";
import { stopServer } from "./embedded/stop-server.ts";

const WATCH_PERIOD = Millis(1_000);

export interface EmbeddedPostgresOptions {
  /** The center's own folder for its database, e.g. `.nerve/center/postgres`. Made when it is not there. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends a start that is under way; what was begun is stopped again. Afterwards it means nothing. */
  readonly signal?: AbortSignal;
  /** The platform package with the binaries; default: the one npm installed for this machine. */
  readonly packageFolder?: string;
  /** Where root may put what PostgreSQL's user cannot reach in the clone; default: `/var/lib/nerve` and others. */
  readonly placementFolders?: readonly string[];
  /** `empty`: what the folder held is removed first, wherever it stands. Default `kept`. */
  readonly begin?: "kept" | "empty";
  /** Overrides, for throw-away servers. */
  readonly settings?: ServerSettings;
}

/** A PostgreSQL server on 127.0.0.1 that lives as long as this object, and, if we are killed, until the next start. */
export interface EmbeddedPostgres {
  /** Carries the password: never log it. */
  readonly connectionString: string;
  /** Where the data, its password and its log stand; another folder than asked for where that one is hidden. */
  readonly dataFolder: string;
  /** Whether a killed center had left the server running. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Aborts if the server ends unasked; the center cannot go on without it. */
  readonly lost: AbortSignal;
  /** Stops the server: fast, and after 10 s immediately. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens the embedded server on a folder, as an ordinary user or as root, first time or again.
 * Ready after 1 s the first time and 0.2 s later; after a power loss it replays its log first (limit 10 min).
 * @throws {EmbeddedPostgresError} see `EMBEDDED_POSTGRES_PROBLEMS`
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { clock, logger } = options;
  await using begun = new AsyncDisposableStack();
  const binaries = findBinaryPackage(options.packageFolder);
  const home = findDataHome({ ...options, asked: options.dataFolder });
  const lock = await takeOwnerLock(join(home.folder, "owner.lock"), clock, signal);
  if (!("release" in lock)) throw inUse(home.folder, lock.pid);
  begun.defer(() => lock.release());
  const place: ServerPlace = {
    home: home.folder,
    dataFolder: dataFolderOf(home.folder),
    account: home.account,
    nativeFolder: await placeBinaries(binaries, { ...options, account: home.account }),
    major: binaries.major,
    settings: options.settings ?? {},
    clock,
    logger,
  };
  if (options.begin === "empty") await removeCluster(place);
  const { server, password, adopted } = await adoptOrStart(place, signal, begun);
  const lost = watch(place, server, begun);
  logger.info(
    { dataFolder: place.dataFolder, serverPid: server.pid, port: server.port, adopted },
    "PostgreSQL is ready",
  );
  const held = begun.move();
  return {
    connectionString: connectionString(server, password),
    dataFolder: place.home,
    adopted,
    pid: server.pid,
    lost,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function inUse(folder: string, pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    "in-use",
    `${folder} belongs to the center that runs as process ${pid}: stop that one first, or give this one a data folder of its own`,
  );
}

function noAnswer(home: string, cause: unknown): EmbeddedPostgresError {
  // 28P01 is invalid_password (PostgreSQL 18 manual, appendix A).
  if (cause instanceof Error && "code" in cause && cause.code === "28P01") {
    return new EmbeddedPostgresError(
      "password-lost",
      `logged in with the password in ${home}/password and PostgreSQL refused it: put the right one back, or delete that file and start the center again, which then makes a new one`,
      { cause },
    );
  }
  return new EmbeddedPostgresError(
    "start-failed",
    `started PostgreSQL in ${home} and could not use it: see server.log there, and start the center again`,
    { cause },
  );
}

interface OpenServer {
  readonly server: RunningServer;
  readonly password: string;
  readonly adopted: boolean;
}

async function adoptOrStart(
  place: ServerPlace,
  signal: AbortSignal,
  begun: AsyncDisposableStack,
): Promise<OpenServer> {
  const known = readPassword(place.home);
  const orphan = existsSync(place.dataFolder) ? await adoptServer(place, known) : undefined;
  if (orphan !== undefined && known !== undefined) {
    begun.defer(() => stopServer(place, orphan));
    return { server: orphan, password: known, adopted: true };
  }
  await ensureCluster(place, signal);
  const password = readPassword(place.home) ?? (await resetPassword(place, signal));
  const server = await startServer(place, signal);
  begun.defer(() => stopServer(place, server));
  await ensureDatabase(server, password).catch((cause: unknown) => {
    throw noAnswer(place.home, cause);
  });
  return { server, password, adopted: false };
}

/** Only for the holder of the owner lock: a server that an earlier center left running on the data is stopped first. */
async function removeCluster(place: ServerPlace): Promise<void> {
  if (!existsSync(place.dataFolder)) return;
  await adoptServer(place, undefined);
  await rm(place.dataFolder, { recursive: true, force: true });
  place.logger.info({ dataFolder: place.dataFolder }, "removed the database to begin with an empty one");
}

/** Sees that the server lives and that its log keeps its bound; one look a second. */
function watch(place: ServerPlace, server: RunningServer, begun: AsyncDisposableStack): AbortSignal {
  const ended = new AbortController();
  const lost = new AbortController();
  const watching = (async () => {
    while (isRunning(server)) {
      boundServerLog(place.home);
      await place.clock.sleep(WATCH_PERIOD, ended.signal);
    }
    lost.abort(
      new EmbeddedPostgresError(
        "start-failed",
        `PostgreSQL, process ${server.pid}, ended unasked: see server.log in ${place.home} and the kernel's log (out of memory?), and start the center again`,
      ),
    );
  })().catch((cause: unknown) => {
    if (!ended.signal.aborted) place.logger.error({ err: cause }, "PostgreSQL is no longer watched");
  });
  begun.defer(async () => {
    ended.abort();
    await watching;
  });
  return lost.signal;
}
