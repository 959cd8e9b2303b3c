import { chmodSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { pino } from "pino";
import { readProcess } from "../../cloud-sync/store/embedded/process-table.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "../../cloud-sync/store/embedded-postgres.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { holdLock, sharedServerFiles } from "./postgres-for-tests.ts";

/**
 * Keeps the tests' shared PostgreSQL: `node keep-test-postgres.ts FOLDER IDLE_MS`. Started by the first
 * test that needs it; ends when no test has touched the heartbeat for IDLE_MS and none is connected, and
 * after ten times that even then, so it is never left behind. A killed keeper's server is adopted by the next.
 */
const [folder = "", idleText = ""] = process.argv.slice(2);
const idleMs = Number(idleText);
const files = sharedServerFiles(folder);
const interrupted = new AbortController();
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => interrupted.abort());

/** Nothing in it outlives the run, so it need not survive a power loss; many files connect at once. */
const settings = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "100" };

const server = await openEmbeddedPostgres({
  dataFolder: join(folder, "postgres"),
  clock: systemClock,
  logger: pino({ level: "warn" }),
  signal: interrupted.signal,
  settings,
});
tell(server);
while (!interrupted.signal.aborted && !server.lost.aborted) {
  await wait(Math.min(1_000, idleMs / 4), undefined, { signal: interrupted.signal }).catch(() => {});
  if (await isIdle()) {
    const lock = await holdLock(files.lock);
    // Somebody may have joined while we waited for the lock.
    if (await isIdle()) {
      await putAway();
      // The folder with the lock stays: somebody may be waiting for it.
      for (const path of [server.dataFolder, join(folder, "postgres")])
        rmSync(path, { recursive: true, force: true });
      lock.release();
      process.exit(0);
    }
    lock.release();
  }
}
await putAway();
process.exit(0);

async function putAway(): Promise<void> {
  for (const path of [files.server, files.heartbeat]) rmSync(path, { force: true });
  await server[Symbol.asyncDispose]();
}

function tell({ connectionString }: EmbeddedPostgres): void {
  const draft = `${files.server}.draft`;
  const self = readProcess(process.pid);
  writeFileSync(draft, JSON.stringify({ ...self, connectionString }), { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, files.server);
}

async function isIdle(): Promise<boolean> {
  const idle = Date.now() - (statSync(files.heartbeat, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (idle < idleMs) return false;
  return idle > 10 * idleMs || (await countSessions()) === 0;
}

/** Sessions besides our own; 0 when the server does not answer, for then nobody uses it. */
async function countSessions(): Promise<number> {
  const client = new Client({ connectionString: server.connectionString, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    return rows[0]?.count ?? 0;
  } catch {
    return 0;
  } finally {
    await client.end().catch(() => {});
  }
}
