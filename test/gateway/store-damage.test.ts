import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodeEventRecord, decodeEvidenceRecord, type EventBody } from "../../domain/wire/record-kinds.ts";
import { openForWriting } from "../../gateway/store/database.ts";
import { openStoreReadOnly } from "../../gateway/store/opening/look-only.ts";
import type { Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

/** A store with three entries in lane C (100 readings each), one in lane B and two of evidence, closed. */
async function fillStore(folder: string): Promise<string> {
  await using store = await openTestStore({ folder });
  const points = numberLamps(store, 100);
  for (let round = 0; round < 4; round += 1) {
    store.telemetry.accept(points.map((point) => reading(point, round)));
    await store.telemetry.flush();
  }
  store.evidence.append({ kind: "audit", action: "one", actor: "test", detail: "" });
  store.evidence.append({ kind: "audit", action: "two", actor: "test", detail: "" });
  return store.incarnation;
}

function gapsOf(store: Store): readonly EventBody[] {
  return entriesOf(store, "B")
    .map(({ frame }) => decodeEntry(frame))
    .filter(({ kind }) => kind === "record")
    .map(({ body }) => decodeEventRecord(body).body)
    .filter(({ kind }) => kind === "gap");
}

function auditOf(store: Store): readonly string[] {
  return entriesOf(store, "A")
    .map(({ frame }) => decodeEvidenceRecord(decodeEntry(frame).body).body)
    .flatMap((body) => (body.kind === "audit" ? [body.action] : []));
}

t.test(
  "I15 a flipped bit in a stored entry is found before it is told, and its records lie in a gap",
  async (t) => {
    const folder = t.testdir();
    const incarnation = await fillStore(folder);
    const database = openForWriting(join(folder, "telemetry.db"));
    const row = database.prepare("select frame from entries_c where first_seq = 101").get() as {
      frame: Buffer;
    };
    const update = database.prepare("update entries_c set frame = ? where first_seq = 101");
    const frame = Buffer.from(row.frame);
    frame[300] = (frame[300] ?? 0) ^ 4;
    update.run(frame);
    database.close();
    await using store = await openTestStore({ folder });
    t.same(store.findings, [], "one bad entry does not cost the whole file");
    t.same(
      entriesOf(store, "C").map(({ range }) => range.first),
      [1, 201],
    );
    t.match(gapsOf(store), [{ lane: "C", incarnation, first: 101, count: 100, reason: /changed/ }]);
    t.equal(store.health().quarantined, 1);
    t.equal(store.sync.backlog().C, 200, "what lies in a gap is not waited for");
  },
);

t.test(
  "I15 a row that names other records than its frame is set aside too, while the gateway runs",
  async (t) => {
    const folder = t.testdir();
    await using store = await openTestStore({ folder });
    const points = numberLamps(store, 10);
    for (let round = 0; round < 3; round += 1) {
      store.telemetry.accept(points.map((point) => reading(point, round)));
      await store.telemetry.flush();
    }
    const database = openForWriting(join(folder, "telemetry.db"));
    database.exec("update entries_c set count = 9 where first_seq = 1");
    database.close();
    t.same(
      entriesOf(store, "C").map(({ range }) => range.first),
      [11],
    );
    await store.telemetry.flush();
    t.match(gapsOf(store), [{ lane: "C", first: 1, count: 9 }]);
    t.same(
      entriesOf(store, "C").map(({ range }) => range.first),
      [11],
      "and is told once",
    );
    t.equal(gapsOf(store).length, 1);
  },
);

t.test("a broken audit chain is found at opening; the ledger stays in use", async (t) => {
  const edits = [
    {
      name: "edited",
      sql: "update entries_a set frame = (select frame from entries_a where first_seq = 1) where first_seq = 2",
    },
    { name: "cut off at its end", sql: "delete from entries_a where first_seq = 2" },
    { name: "cut off at its start", sql: "delete from entries_a where first_seq = 1" },
    { name: "emptied", sql: "delete from entries_a" },
  ];
  for (const { name, sql } of edits) {
    const folder = t.testdir({ [name.replaceAll(" ", "-")]: {} });
    await fillStore(folder);
    const database = openForWriting(join(folder, "critical.db"));
    database.exec(sql);
    database.close();
    await using store = await openTestStore({ folder });
    t.match(store.findings, [{ file: "critical", setAsideAs: null, reason: /audit chain/ }], name);
    t.equal(store.lineage.length, 2, "the file is kept");
    t.equal(auditOf(store).at(-1), "store-set-aside", name);
  }
});

t.test("a file that is no database is set aside, kept, and declared lost", async (t) => {
  for (const file of ["critical", "telemetry"] as const) {
    const folder = t.testdir({ [file]: {} });
    const incarnation = await fillStore(folder);
    const garbage = Buffer.alloc(8_192, 7);
    writeFileSync(join(folder, `${file}.db`), garbage);
    await using store = await openTestStore({ folder });
    const [finding] = store.findings;
    t.equal(finding?.file, file);
    t.same(readFileSync(join(folder, finding?.setAsideAs ?? "")), garbage, "never deleted");
    t.equal(store.lineage.length, 2, "the other file knows the lineage");
    t.equal(store.lineage[0]?.incarnation, incarnation);
    const lanes = file === "critical" ? ["A"] : ["B", "C", "D"];
    t.same(
      gapsOf(store).map((gap) => (gap.kind === "gap" ? [gap.lane, gap.incarnation, gap.count] : [])),
      lanes.map((lane) => [lane, incarnation, null]),
      `I2 ${file}: open-ended gaps`,
    );
    t.equal(auditOf(store).at(-1), "store-set-aside");
    const [point] = numberLamps(store, 1);
    if (point === undefined) throw new Error("no point");
    store.telemetry.accept([reading(point, 1)]);
    await store.telemetry.flush();
    t.equal(store.telemetry.latest(point)?.value, 1, "the new store works");
  }
});

t.test("a torn page is found by the check at opening", async (t) => {
  const folder = t.testdir();
  await fillStore(folder);
  const path = join(folder, "telemetry.db");
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4_096, 12_288);
  writeFileSync(path, bytes);
  await using store = await openTestStore({ folder });
  t.equal(store.findings[0]?.file, "telemetry");
  t.ok(readdirSync(folder).some((name) => name.startsWith("telemetry.db.set-aside-")));
});

t.test("a look into the store changes nothing", async (t) => {
  const folder = t.testdir();
  const context = { clock: new SimulatedClock(), logger: pino({ level: "silent" }) };
  t.throws(() => openStoreReadOnly(folder, context), { code: "unusable", message: /dataFolder/ });
  t.notOk(existsSync(join(folder, "critical.db")));
  await fillStore(folder);
  {
    using look = openStoreReadOnly(folder, context);
    t.equal(look.lineage.length, 1);
    t.same(look.sync.backlog(), { A: 2, B: 100, C: 300, D: 0 });
    t.equal([...look.telemetry.latestAll()].length, 100);
    t.equal(look.telemetry.numberedPoints().size, 100);
    t.same(look.commands.recent(10), []);
  }
  await using store = await openTestStore({ folder });
  t.equal(store.lineage.length, 2);
});
