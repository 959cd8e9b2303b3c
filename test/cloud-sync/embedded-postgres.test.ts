import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { pino } from "pino";
import t from "tap";
import { findBinaryPackage } from "../../cloud-sync/store/embedded/binary-package.ts";
import { findDataHome } from "../../cloud-sync/store/embedded/data-home.ts";
import { placeBinaries } from "../../cloud-sync/store/embedded/place-binaries.ts";
import { bootId, readProcess, serverProcessesIn } from "../../cloud-sync/store/embedded/process-table.ts";
import { isReachable } from "../../cloud-sync/store/embedded/reachability.ts";
import { chooseAccount } from "../../cloud-sync/store/embedded/server-account.ts";
import { boundServerLog } from "../../cloud-sync/store/embedded/server-log.ts";
import {
  type EmbeddedPostgresOptions,
  openEmbeddedPostgres,
} from "../../cloud-sync/store/embedded-postgres.ts";
import { systemClock } from "../../domain/system-clock.ts";

const isRoot = process.getuid?.() === 0;
const nobody = { name: "nobody", uid: 65_534, gid: 65_534, isOther: true };
const platformPackage = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`)),
);

/** Under the system's folder for such things, which PostgreSQL's user can enter wherever the checkout stands. */
const base = mkdtempSync(join(tmpdir(), "nerve-embedded-"));
chmodSync(base, 0o755);
/** Folders whose center is killed: were a test to fail, its server would live on. */
const ofCenters = ["main", "killed", "ordinary/postgres"].map((name) => join(base, name, "data"));
t.teardown(() => {
  for (const { pid } of ofCenters.flatMap(serverProcessesIn)) process.kill(pid, "SIGQUIT");
  rmSync(base, { recursive: true, force: true, maxRetries: 5 });
});

const told: string[] = [];
const logger = pino({ level: "info" }, { write: (line: string) => void told.push(line) });
const main = join(base, "main");
const dataFolder = join(main, "data");

const open = (options: Partial<EmbeddedPostgresOptions> = {}) =>
  openEmbeddedPostgres({
    dataFolder: main,
    clock: systemClock,
    logger,
    placementFolders: [join(base, "placed")],
    ...options,
  });

async function query(connectionString: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const lamps = async (url: string) =>
  (await query(url, "SELECT name FROM lamp ORDER BY name")).map((row) => row["name"]);
const addLamp = (url: string, name: string) => query(url, `INSERT INTO lamp VALUES ('${name}')`);

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("waited 20 s in vain");
    await wait(5);
  }
}

/** A center in a process of its own, that opens the server, tells its address, and goes on for ever. */
function spawnCenter(folder: string, account?: { readonly uid: number; readonly gid: number }): ChildProcess {
  const root = new URL("../../", import.meta.url);
  const program = `
    const { openEmbeddedPostgres } = await import("${new URL("cloud-sync/store/embedded-postgres.ts", root)}");
    const { systemClock } = await import("${new URL("domain/system-clock.ts", root)}");
    const { pino } = await import("${import.meta.resolve("pino")}");
    const server = await openEmbeddedPostgres({
      dataFolder: ${JSON.stringify(folder)}, clock: systemClock, logger: pino({ level: "silent" }),
    });
    process.stdout.write(server.connectionString + "\\n");
    process.once("SIGTERM", async () => { await server[Symbol.asyncDispose](); process.exit(0); });
    setInterval(() => {}, 1000);`;
  // Without tap's hooks: they would write into the checkout, where another user may not.
  return spawn(
    "/usr/bin/env",
    ["-u", "NODE_OPTIONS", process.execPath, "--input-type=module", "-e", program],
    {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "" },
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    },
  );
}

async function addressOf(center: ChildProcess): Promise<string> {
  for await (const chunk of center.stdout ?? []) return String(chunk).trim();
  throw new Error("the center ended without an address");
}

async function kill(center: ChildProcess): Promise<void> {
  const ended = once(center, "exit");
  center.kill("SIGKILL");
  await ended;
}

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

t.test(
  "an initdb killed in the middle is begun anew; a half-made folder is set aside, never deleted",
  async (t) => {
    const folder = join(base, "killed");
    const center = spawnCenter(folder);
    const drafts = () =>
      existsSync(folder) ? readdirSync(folder).filter((name) => name.includes(".making-")) : [];
    await until(() => drafts().some((name) => existsSync(join(folder, name, "PG_VERSION"))));
    await kill(center);
    t.notOk(existsSync(join(folder, "data")), "it was interrupted");
    mkdirSync(join(folder, "data", "base"), { recursive: true });
    writeFileSync(join(folder, "data", "base", "note"), "kept");
    await using server = await open({ dataFolder: folder });
    t.same(await query(server.connectionString, "SELECT 1 AS one"), [{ one: 1 }]);
    t.same(drafts(), []);
    const aside = readdirSync(folder).find((name) => name.startsWith("data.unusable-")) ?? "";
    t.equal(readFileSync(join(folder, aside, "base", "note"), "utf8"), "kept");
  },
);

t.test("the library links that --ignore-scripts leaves out are made at the first start", async (t) => {
  const packageFolder = join(base, "no-scripts");
  cpSync(platformPackage, packageFolder, { recursive: true, verbatimSymlinks: true });
  for (const name of readdirSync(join(packageFolder, "native", "lib"), { withFileTypes: true })) {
    if (name.isSymbolicLink()) rmSync(join(name.parentPath, name.name));
  }
  const nativeFolder = join(packageFolder, "native");
  const binaries = findBinaryPackage(packageFolder);
  t.equal(await placeBinaries(binaries, { account: chooseAccount(undefined), logger }), nativeFolder);
  t.ok(existsSync(join(nativeFolder, "lib", "libicuuc.so.60")));
});

t.test("a missing platform package is told with both remedies", async (t) => {
  const refused = open({ packageFolder: join(base, "not-there") });
  await t.rejects(refused, {
    code: "binaries-missing",
    message: /npm ci on linux x64 or arm64.*DATABASE_URL/,
  });
});

t.test(
  "root's clone that nobody else can enter: binaries and data are placed, and found again",
  async (t) => {
    if (!isRoot) {
      t.comment("not run: only root can have PostgreSQL run by a user who may not enter its clone");
      return;
    }
    const clone = join(base, "hidden");
    mkdirSync(clone, { mode: 0o700 });
    const packageFolder = join(clone, "node_modules", "linux");
    cpSync(platformPackage, packageFolder, { recursive: true, verbatimSymlinks: true });
    const asked = join(clone, ".nerve", "center", "postgres");
    t.notOk(isReachable(packageFolder, nobody));
    const options = { dataFolder: asked, packageFolder };
    const placed = join(base, "placed");
    const first = await open(options);
    t.equal(dirname(first.dataFolder), placed);
    t.ok(
      told.some((line) => line.includes(first.dataFolder) && line.includes("stands elsewhere")),
      "the log says where",
    );
    t.match(
      readFileSync(join(asked, "data-is-elsewhere.json"), "utf8"),
      first.dataFolder,
      "and so does a file",
    );
    await query(first.connectionString, "CREATE TABLE lamp (name text)");
    await first[Symbol.asyncDispose]();

    const copy = readdirSync(placed).find((name) => name.startsWith("postgresql-")) ?? "";
    rmSync(join(placed, copy, "share", "postgresql", "postgres.bki"));
    const second = await open(options);
    t.equal(second.dataFolder, first.dataFolder, "found again");
    t.same(await lamps(second.connectionString), []);
    t.ok(
      existsSync(join(placed, copy, "share", "postgresql", "postgres.bki")),
      "a damaged copy was made anew",
    );
    await second[Symbol.asyncDispose]();

    cpSync(asked, join(clone, "copied"), { recursive: true });
    const copied = findDataHome({ asked: join(clone, "copied"), placementFolders: [placed], logger });
    t.not(copied.folder, first.dataFolder, "a copied clone has data of its own");
    t.same(
      readdirSync(placed).filter((name) => /making|broken/.test(name)),
      [],
      "nothing half-made is left",
    );
  },
);

t.test("an ordinary user runs it as himself", async (t) => {
  if (!isRoot) {
    t.comment("not run apart: every other test of this file has just run as an ordinary user");
    return;
  }
  const needed = [process.execPath, import.meta.filename, join(platformPackage, "native", "bin", "postgres")];
  const hidden = needed.find((path) => !isReachable(path, nobody));
  if (hidden !== undefined) {
    t.comment(`not run: nobody cannot reach ${hidden}, and so cannot run a center from this checkout`);
    return;
  }
  const folder = join(base, "ordinary");
  mkdirSync(folder);
  chownSync(folder, nobody.uid, nobody.gid);
  const center = spawnCenter(join(folder, "postgres"), nobody);
  t.teardown(() => center.kill("SIGKILL"));
  const address = await addressOf(center);
  t.same(await query(address, "SELECT 1 AS one"), [{ one: 1 }]);
  t.equal(statSync(join(folder, "postgres", "data")).uid, nobody.uid);
  const ended = once(center, "exit");
  center.kill("SIGTERM");
  t.same(await ended, [0, null]);
  t.same(serverProcessesIn(join(folder, "postgres", "data")), []);
});
