import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import t from "tap";
import { readPostmasterFile } from "../../cloud-sync/store/embedded/postmaster-file.ts";
import { isRunning, readProcess } from "../../cloud-sync/store/embedded/process-table.ts";
import { openTestDatabase, readKeptServer, sharedServerFiles } from "./postgres-for-tests.ts";

const given = process.env["NERVE_TEST_DATABASE_URL"];
delete process.env["NERVE_TEST_DATABASE_URL"]; // These tests are about the server that is used without it.
t.teardown(() => {
  if (given !== undefined) process.env["NERVE_TEST_DATABASE_URL"] = given;
});

const folder = mkdtempSync(join(tmpdir(), "nerve-shared-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

async function query(connectionString: string, sql: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

t.test(
  "tests share one server, each with a database of its own, copied from a template made once",
  async (t) => {
    let made = 0;
    const template = {
      key: "one table",
      async prepare(connectionString: string) {
        made += 1;
        await query(connectionString, "CREATE TABLE lamp (name text)");
      },
    };
    const databases: string[] = [];
    await t.test("while they run", async (t) => {
      const options = { folder, idleMs: 1_500, template };
      databases.push(...(await Promise.all([openTestDatabase(t, options), openTestDatabase(t, options)])));
      const [first = "", second = ""] = databases;
      t.equal(new URL(first).port, new URL(second).port, "one server");
      await query(first, "INSERT INTO lamp VALUES ('lamp-0001')");
      t.same(await query(first, "SELECT name FROM lamp"), [{ name: "lamp-0001" }]);
      t.same(await query(second, "SELECT name FROM lamp"), [], "a database of its own");
      t.equal(made, 1, "the template was made once");
    });
    await t.rejects(
      query(databases[0] ?? "", "SELECT 1"),
      { code: "3D000" },
      "dropped at the end of its test",
    );
  },
);

t.test("the keeper ends its server and clears up once no test has asked for a while", async (t) => {
  const files = sharedServerFiles(folder);
  const keeper = readKeptServer(files.server);
  t.ok(keeper, "the keeper of the test before still waits");
  const postmaster = readPostmasterFile(join(folder, "postgres", "data"));
  t.ok(postmaster?.isReady, "and so does its server");
  const end = performance.now() + 10_000;
  while (keeper !== undefined && isRunning(keeper) && performance.now() < end) await wait(50);
  t.notOk(keeper !== undefined && readProcess(keeper.pid), "the keeper is gone");
  t.notOk(readProcess(postmaster?.pid ?? 1), "its server is gone");
  t.notOk(existsSync(join(folder, "postgres")), "its data is gone");
  t.notOk(existsSync(files.server), "nobody is told of it any more");
});
