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
import { pino } from "pino";
import t from "tap";
import { findBinaryPackage } from "../../cloud-sync/store/embedded/binary-package.ts";
import { findDataHome } from "../../cloud-sync/store/embedded/data-home.ts";
import { placeBinaries } from "../../cloud-sync/store/embedded/place-binaries.ts";
import { serverProcessesIn } from "../../cloud-sync/store/embedded/process-table.ts";
import { isReachable } from "../../cloud-sync/store/embedded/reachability.ts";
import { chooseAccount } from "../../cloud-sync/store/embedded/server-account.ts";
import {
  type EmbeddedPostgresOptions,
  openEmbeddedPostgres,
} from "../../cloud-sync/store/embedded-postgres.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { addressOf, kill, query, spawnCenter, until } from "./spawned-center.ts";

const isRoot = process.getuid?.() === 0;
const nobody = { name: "nobody", uid: 65_534, gid: 65_534, isOther: true };
const platformPackage = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`)),
);

/** Under the system's folder for such things, which PostgreSQL's user can enter wherever the checkout stands. */
const base = mkdtempSync(join(tmpdir(), "nerve-places-"));
chmodSync(base, 0o755);
/** Folders whose center is killed: were a test to fail, its server would live on. */
const ofCenters = ["killed", "ordinary/postgres"].map((name) => join(base, name, "data"));
t.teardown(() => {
  for (const { pid } of ofCenters.flatMap(serverProcessesIn)) process.kill(pid, "SIGQUIT");
  rmSync(base, { recursive: true, force: true, maxRetries: 5 });
});

const told: string[] = [];
const logger = pino({ level: "info" }, { write: (line: string) => void told.push(line) });
const open = (options: Partial<EmbeddedPostgresOptions> = {}) =>
  openEmbeddedPostgres({
    dataFolder: join(base, "default"),
    clock: systemClock,
    logger,
    placementFolders: [join(base, "placed")],
    ...options,
  });

const lamps = async (url: string) =>
  (await query(url, "SELECT name FROM lamp ORDER BY name")).map((row) => row["name"]);

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
