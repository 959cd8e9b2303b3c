import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import t, { type Test } from "tap";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodeEvidenceRecord } from "../../domain/wire/record-kinds.ts";
import type { Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

const BALLAST = 3 * 1024 ** 2;

/** A disk of 24 MiB of its own, or `undefined` where this machine does not allow one. */
function smallDisk(t: Test): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "nerve-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], {
    encoding: "utf8",
  });
  t.teardown(() => {
    if (mounted.status === 0) spawnSync("umount", ["-l", folder]);
    rmdirSync(folder);
  });
  if (mounted.status !== 0) return undefined;
  return folder;
}

/** Another program that writes until nothing goes any more. */
function fillDisk(folder: string): void {
  const file = openSync(join(folder, "filler"), "a");
  for (const bytes of [1024 ** 2, 4_096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(bytes, 7));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(file);
}

function audit(store: Store, action: string): void {
  store.evidence.append({ kind: "audit", action, actor: "test", detail: "x".repeat(1_000) });
}

function actionsOf(store: Store): readonly string[] {
  return entriesOf(store, "A")
    .map(({ frame }) => decodeEvidenceRecord(decodeEntry(frame).body).body)
    .flatMap((body) => (body.kind === "audit" ? [body.action] : []));
}

t.test("I13 a full disk: the ballast is given to lane A, and only to it, until there is room", async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return void t.pass("skipped: no tmpfs can be mounted here, root is needed");
  const clock = new SimulatedClock();
  const options = { folder: join(folder, "store"), ballastBytes: BALLAST };
  const ballast = join(options.folder, "ballast");
  await using store = await openTestStore(options, { clock });
  const points = numberLamps(store, 100);
  store.telemetry.accept(points.map((point) => reading(point, 0)));
  await store.telemetry.flush();
  await store.runRetention(clock.now());
  t.ok(existsSync(ballast), "made by the first housekeeping");
  fillDisk(folder);
  for (let count = 0; count < 100; count += 1) audit(store, "kept");
  t.notOk(existsSync(ballast));
  t.match(store.health(), { critical: "durable", ballastReleased: true });
  t.equal(actionsOf(store).filter((action) => action === "store-ballast-released").length, 1);
  store.telemetry.accept(points.map((point) => reading(point, 1)));
  await t.rejects(store.telemetry.flush(), { code: "not-durable", message: /for evidence/ });
  await store.runRetention(clock.now()).catch(() => undefined);
  t.notOk(existsSync(ballast), "not made of the last room");
  rmSync(join(folder, "filler"));
  await store.runRetention(clock.now()).catch(() => undefined);
  t.ok(existsSync(ballast), "made again");
  t.equal(store.health().ballastReleased, false);
  for (let tries = 0; store.health().telemetry !== "durable" && tries < 10_000; tries += 1) {
    await clock.advance(1_000);
    await turn();
  }
  await store.telemetry.flush();
  t.equal(store.sync.backlog().C, 100, "what waited is written");
  t.equal(actionsOf(store).filter((action) => action === "kept").length, 100, "I13");
  await store[Symbol.asyncDispose]();
  fillDisk(folder);
  await using again = await openTestStore(options, { clock });
  audit(again, "kept");
  t.equal(actionsOf(again).at(-2), "store-ballast-released", "it also opens a store on a full disk");
  t.same(again.findings, [], "the chain holds");
});

t.test("without ballast a full disk refuses evidence, and takes it when there is room", async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return void t.pass("skipped: no tmpfs can be mounted here, root is needed");
  const clock = new SimulatedClock();
  await using store = await openTestStore({ folder: join(folder, "store") }, { clock });
  audit(store, "before");
  fillDisk(folder);
  const refused = { code: "not-durable", message: /check space and the disk/ };
  t.throws(() => {
    for (let count = 0; count < 500; count += 1) audit(store, "kept");
  }, refused);
  for (let count = 0; count < 10; count += 1) t.throws(() => audit(store, "kept"), refused);
  t.equal(store.health().critical, "failing", "a full disk is not a broken one, however often");
  rmSync(join(folder, "filler"));
  audit(store, "after");
  t.equal(store.health().critical, "durable");
  t.equal(actionsOf(store).at(-1), "after");
});

t.test("a store is no larger than its disk: the quota is what there is", async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return void t.pass("skipped: no tmpfs can be mounted here, root is needed");
  await using store = await openTestStore({ folder: join(folder, "store") });
  const { quotaBytes, usedBytes } = store.sync.disk();
  t.ok(quotaBytes < 24 * 1024 ** 2 && usedBytes < quotaBytes, `${usedBytes} of ${quotaBytes}`);
});
