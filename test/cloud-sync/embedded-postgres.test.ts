import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { bootId, readProcess, serverProcessesIn } from "../../cloud-sync/store/embedded/process-table.ts";
import { boundServerLog } from "../../cloud-sync/store/embedded/server-log.ts";
import {
  type EmbeddedPostgresOptions,
  openEmbeddedPostgres,
} from "../../cloud-sync/store/embedded-postgres.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { addressOf, kill, query, spawnCenter, until } from "./spawned-center.ts";

const isRoot = process.getuid?.() === 0;

/** Under the system's folder for such things, which PostgreSQL's user can enter wherever the checkout stands. */
const base = mkdtempSync(join(tmpdir(), "nerve-embedded-"));
chmodSync(base, 0o755);
const main = join(base, "main");
const dataFolder = join(main, "data");
t.teardown(() => {
  // Were a test of a killed center to fail, its server would live on.
  for (const { pid } of serverProcessesIn(dataFolder)) process.kill(pid, "SIGQUIT");
  rmSync(base, { recursive: true, force: true, maxRetries: 5 });
});

const open = (options: Partial<EmbeddedPostgresOptions> = {}) =>
  openEmbeddedPostgres({
    dataFolder: main,
    clock: systemClock,
    logger: pino({ level: "silent" }),
    placementFolders: [join(base, "placed")],
    ...options,
  });

const lamps = async (url: string) =>
  (await query(url, "SELECT name FROM lamp ORDER BY name")).map((row) => row["name"]);
const addLamp = (url: string, name: string) => query(url, `INSERT INTO lamp VALUES ('${name}')`);

t.test("the first start makes a durable server on loopback that only its password opens", async (t) => {
  const start = performance.now();
  await using server = await open();
  t.comment(`first start ${(performance.now() - start).toFixed()} ms`);
  const settings = await query(
    server.connectionString,
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories', 'max_connections', 'server_encoding', 'data_checksums') ORDER BY name",
  );
  t.same(Object.fromEntries(settings.map((row) => [row["name"], row["setting"]])), {
    data_checksums: "on",
    fsync: "on",
    listen_addresses: "127.0.0.1",
    max_connections: "40",
    server_encoding: "UTF8",
    synchronous_commit: "on",
    unix_socket_directories: "",
  });
  t.equal(statSync(join(main, "password")).mode & 0o777, 0o600);
  const wrong = new URL(server.connectionString);
  wrong.password = "x".repeat(32);
  await t.rejects(query(wrong.href, "SELECT 1"), { code: "28P01" });
  await query(server.connectionString, "CREATE TABLE lamp (name text)");
  await addLamp(server.connectionString, "first");
});

t.test("a reopened server has its data, and a stopped one leaves no process", async (t) => {
  t.same(serverProcessesIn(dataFolder), []);
  const start = performance.now();
  const server = await open();
  t.comment(`reopened in ${(performance.now() - start).toFixed()} ms`);
  t.notOk(server.adopted);
  t.same(await lamps(server.connectionString), ["first"]);
  await server[Symbol.asyncDispose]();
  t.same(serverProcessesIn(dataFolder), []);
  t.notOk(existsSync(join(main, "owner.lock")));
});

t.test("a second center on the same folder is refused with the owner's pid", async (t) => {
  await using server = await open();
  t.ok(server.pid);
  await t.rejects(open(), { code: "in-use", message: new RegExp(`process ${process.pid}:`) });
  t.same(await lamps(server.connectionString), ["first"], "the first is not disturbed");
});

t.test("a lock of a dead process, of another boot, or cut short is taken over", async (t) => {
  const live = readProcess(process.pid);
  const stale = [
    JSON.stringify({ pid: process.pid, startTicks: "1", bootId: bootId(), token: "a" }),
    JSON.stringify({ pid: process.pid, startTicks: live?.startTicks, bootId: "another", token: "b" }),
    '{"pid":',
  ];
  for (const content of stale) {
    writeFileSync(join(main, "owner.lock"), content);
    await using server = await open();
    t.ok(server.pid, content);
  }
  t.same(
    readdirSync(main).filter((name) => name.startsWith("owner.lock")),
    [],
    "nothing is left of them",
  );
});

t.test("the server of a SIGKILLed center is adopted with its data, and stopped by the adopter", async (t) => {
  const center = spawnCenter(main);
  const address = await addressOf(center);
  await addLamp(address, "orphaned");
  await kill(center);
  const server = await open();
  t.ok(server.adopted);
  t.equal(server.connectionString, address);
  t.same(await lamps(server.connectionString), ["first", "orphaned"]);
  await server[Symbol.asyncDispose]();
  t.same(serverProcessesIn(dataFolder), []);
});

t.test("an orphan with other settings is stopped and started anew", async (t) => {
  const center = spawnCenter(main);
  const address = await addressOf(center);
  await kill(center);
  await using server = await open({ settings: { max_connections: "30" } });
  t.notOk(server.adopted);
  t.not(server.connectionString, address);
  t.same(await query(server.connectionString, "SHOW max_connections"), [{ max_connections: "30" }]);
  t.same(await lamps(server.connectionString), ["first", "orphaned"]);
});

t.test("a postmaster.pid that names a dead process or another program does not stop the start", async (t) => {
  const other = spawn("/bin/sleep", ["60"], isRoot ? { uid: statSync(dataFolder).uid } : {});
  t.teardown(() => kill(other));
  await once(other, "spawn");
  for (const pid of [4_194_303, other.pid]) {
    writeFileSync(
      join(dataFolder, "postmaster.pid"),
      `${pid}\n${dataFolder}\n1\n5432\n\n127.0.0.1\n0 0\nready\n`,
    );
    await using server = await open();
    t.notOk(server.adopted);
    t.same(await lamps(server.connectionString), ["first", "orphaned"]);
  }
  t.equal(other.exitCode, null, "the other program was left alone");
});

t.test("a server that ends unasked is told, and the next start recovers", async (t) => {
  const server = await open();
  await addLamp(server.connectionString, "recovered");
  process.kill(server.pid, "SIGKILL");
  await until(() => server.lost.aborted);
  await server[Symbol.asyncDispose]();
  await using again = await open();
  t.same(await lamps(again.connectionString), ["first", "orphaned", "recovered"]);
});

t.test("a lost password is made anew, a wrong one is told with what to do", async (t) => {
  const password = readFileSync(join(main, "password"), "utf8");
  writeFileSync(join(main, "password"), `${"x".repeat(32)}\n`);
  await t.rejects(open(), { code: "password-lost", message: /delete that file and start the center again/ });
  t.same(serverProcessesIn(dataFolder), [], "the server was stopped again");
  rmSync(join(main, "password"));
  await using server = await open();
  t.same(await lamps(server.connectionString), ["first", "orphaned", "recovered"]);
  t.not(readFileSync(join(main, "password"), "utf8"), password);
});

t.test("an abort while it starts leaves nothing running and no lock", async (t) => {
  const abort = new AbortController();
  const opening = open({ signal: abort.signal });
  const refused = t.rejects(opening, { name: "AbortError" });
  await until(() => serverProcessesIn(dataFolder).length > 0);
  abort.abort();
  await refused;
  t.same(serverProcessesIn(dataFolder), []);
  t.notOk(existsSync(join(main, "owner.lock")));
});

t.test("data of another major version is refused, naming the folder and the remedy", async (t) => {
  const path = join(dataFolder, "PG_VERSION");
  const found = readFileSync(path, "utf8");
  writeFileSync(path, "15\n");
  await t.rejects(open(), {
    code: "wrong-version",
    message: new RegExp(`${dataFolder} was made by PostgreSQL 15 .*pg_dump`),
  });
  writeFileSync(path, found);
});

t.test("the server's log is kept within its bound", async (t) => {
  const home = mkdtempSync(join(base, "log-"));
  writeFileSync(join(home, "server.log"), "x".repeat(2_000));
  writeFileSync(join(home, "server.log.1"), "older");
  boundServerLog(home, 3_000);
  t.equal(statSync(join(home, "server.log")).size, 2_000, "below the bound nothing happens");
  boundServerLog(home, 1_000);
  t.equal(statSync(join(home, "server.log")).size, 0);
  t.equal(statSync(join(home, "server.log.1")).size, 2_000, "one older log is kept");
});
