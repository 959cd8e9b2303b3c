import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { z } from "zod";
import { takeOwnerLock } from "../../cloud-sync/store/embedded/owner-lock.ts";
import { isRunning } from "../../cloud-sync/store/embedded/process-table.ts";
import { systemClock } from "../../domain/system-clock.ts";

/** What the keeper tells once its server answers. */
export const KeptServer = z.object({ pid: z.int(), startTicks: z.string(), connectionString: z.string() });
export type KeptServer = z.infer<typeof KeptServer>;

/** Files of the one server that all test files of one checkout share. */
export interface SharedServerFiles {
  readonly folder: string;
  readonly server: string;
  /** Touched while a test holds a database; the keeper stops a minute after the last touch. */
  readonly heartbeat: string;
  /** Held to start, to stop, and to join the server: so nobody joins one that is ending. */
  readonly lock: string;
  readonly log: string;
}

export function sharedServerFiles(folder: string): SharedServerFiles {
  const at = (name: string) => join(folder, name);
  return {
    folder,
    server: at("server.json"),
    heartbeat: at("heartbeat"),
    lock: at("shared.lock"),
    log: at("keeper.log"),
  };
}

/** A database made once, say by running the migrations, from which the tests' databases are then copied. */
export interface DatabaseTemplate {
  /** Changes whenever `prepare` would make something else: a hash of the migrations. */
  readonly key: string;
  prepare(connectionString: string): Promise<void>;
}

export interface TestDatabaseOptions {
  readonly template?: DatabaseTemplate;
  /** Another shared server than this checkout's: for the tests of this very file. */
  readonly folder?: string;
  /** How long the keeper waits after the last touch, in ms; default 60,000. */
  readonly idleMs?: number;
}

/** What is needed of a tap test. */
export interface TearsDown {
  teardown(action: () => Promise<void>): void;
}

const START_LIMIT_MS = 60_000;

/**
 * The connection string of a fresh database that is dropped when `t` ends. The server is the one of
 * `NERVE_TEST_DATABASE_URL` (a role that may create databases), or an embedded one that the first test
 * to ask starts, all share, and its keeper ends when none has asked for a minute.
 */
export async function openTestDatabase(t: TearsDown, options: TestDatabaseOptions = {}): Promise<string> {
  const given = process.env["NERVE_TEST_DATABASE_URL"];
  const admin = given === undefined || given === "" ? await joinSharedServer(t, options) : given;
  const template =
    options.template === undefined ? "template0" : await ensureTemplate(admin, options.template);
  const name = `test_${process.pid}_${randomBytes(6).toString("hex")}`;
  await withClient(admin, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  t.teardown(async () => {
    await withClient(admin, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  });
  return databaseUrl(admin, name);
}

async function joinSharedServer(t: TearsDown, options: TestDatabaseOptions): Promise<string> {
  const files = sharedServerFiles(options.folder ?? sharedFolder());
  mkdirSync(files.folder, { recursive: true });
  // PostgreSQL's user must get in, whatever the umask; what is secret in there has its own mode.
  chmodSync(files.folder, 0o755);
  const idleMs = options.idleMs ?? 60_000;
  const lock = await holdLock(files.lock);
  try {
    touch(files.heartbeat);
    const server = readKeptServer(files.server) ?? (await startKeeper(files, idleMs));
    const beat = setInterval(() => touch(files.heartbeat), idleMs / 10);
    beat.unref();
    t.teardown(async () => clearInterval(beat));
    return server.connectionString;
  } finally {
    lock.release();
  }
}

/** One for each user and checkout, so that two never meet on one server. */
function sharedFolder(): string {
  const hash = createHash("sha256")
    .update(import.meta.dirname)
    .digest("hex")
    .slice(0, 12);
  return join(tmpdir(), `nerve-test-postgres-${process.getuid?.() ?? 0}-${hash}`);
}

/** Waits its turn: another test file may be starting the server. */
export async function holdLock(path: string): Promise<{ release(): void }> {
  const end = performance.now() + START_LIMIT_MS;
  for (;;) {
    const lock = await takeOwnerLock(path, systemClock, new AbortController().signal);
    if ("release" in lock) return lock;
    if (performance.now() > end) throw new Error(`waited a minute for ${path}, held by process ${lock.pid}`);
    await wait(20);
  }
}

function touch(path: string): void {
  if (!existsSync(path)) writeFileSync(path, "");
  const now = Date.now() / 1_000;
  utimesSync(path, now, now);
}

/** Undefined when its keeper is gone, killed or not: the next one takes up what it left. */
export function readKeptServer(path: string): KeptServer | undefined {
  try {
    const server = KeptServer.parse(JSON.parse(readFileSync(path, "utf8")));
    return isRunning(server) ? server : undefined;
  } catch {
    return undefined;
  }
}

async function startKeeper(files: SharedServerFiles, idleMs: number): Promise<KeptServer> {
  const log = openSync(files.log, "w", 0o600);
  const keeper = spawn(
    "/usr/bin/env",
    [
      "-u",
      "NODE_OPTIONS",
      process.execPath,
      join(import.meta.dirname, "keep-test-postgres.ts"),
      files.folder,
      String(idleMs),
    ],
    // Its own session: it outlives this file's process and an interrupt at the terminal. No tap hooks in it.
    { detached: true, stdio: ["ignore", log, log], env: { PATH: process.env["PATH"] ?? "" } },
  );
  closeSync(log);
  keeper.unref();
  const end = performance.now() + START_LIMIT_MS;
  while (performance.now() < end && keeper.exitCode === null && keeper.signalCode === null) {
    const server = readKeptServer(files.server);
    if (server?.pid === keeper.pid && server !== undefined) return server;
    await wait(20);
  }
  throw new Error(`the tests' PostgreSQL did not start: ${readFileSync(files.log, "utf8").slice(-2_000)}`);
}

/** Made once a server, under a lock in the database that dies with its session. */
async function ensureTemplate(admin: string, template: DatabaseTemplate): Promise<string> {
  const name = `template_${createHash("sha256").update(template.key).digest("hex").slice(0, 24)}`;
  await withClient(admin, async (client) => {
    await client.query("SELECT pg_advisory_lock(hashtext($1))", [name]);
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    if (rowCount !== 0) return;
    const draft = `making_${randomBytes(6).toString("hex")}`;
    await client.query(`CREATE DATABASE ${draft} TEMPLATE template0`);
    try {
      await template.prepare(databaseUrl(admin, draft));
      await client.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
    } catch (cause) {
      await client.query(`DROP DATABASE ${draft} WITH (FORCE)`);
      throw cause;
    }
  });
  return name;
}

async function withClient<Result>(
  connectionString: string,
  action: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await action(client);
  } finally {
    await client.end();
  }
}

function databaseUrl(connectionString: string, database: string): string {
  const url = new URL(connectionString);
  url.pathname = `/${database}`;
  return url.href;
}
