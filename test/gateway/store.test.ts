import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { CommandId, PointId } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { Instant, Millis } from "../../domain/time.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodePointsBlock } from "../../domain/wire/points-block.ts";
import { decodeEventRecord, decodeEvidenceRecord } from "../../domain/wire/record-kinds.ts";
import { openForWriting } from "../../gateway/store/database.ts";
import type { CommandIntent } from "../../gateway/store/store.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

const WRITER = fileURLToPath(new URL("./store-writer-main.ts", import.meta.url));
const START = 1_800_000_000_000;

t.test("a store gives back what was committed, also after it was opened again", async (t) => {
  const folder = t.testdir();
  let first = "";
  {
    await using store = await openTestStore({ folder });
    first = store.incarnation;
    t.same(store.findings, []);
    const [lamp, other] = numberLamps(store, 2);
    if (lamp === undefined || other === undefined) throw new Error("no points");
    const committed: StoredReading[] = [];
    store.telemetry.onCommit((readings) => committed.push(...readings));
    let hints = 0;
    store.onTelemetry(() => {
      hints += 1;
    });
    store.telemetry.accept([reading(lamp, 40), reading(other, true)]);
    store.telemetry.accept([reading(lamp, 41.5, START + 1)]);
    t.equal(store.telemetry.latest(lamp), undefined, "nothing is latest before it is durable");
    await store.telemetry.flush();
    t.equal(committed.length, 3);
    t.ok(hints > 0);
    t.equal(store.telemetry.latest(lamp)?.value, 41.5);
    t.equal([...store.telemetry.latestAll()].length, 2);
  }
  await using store = await openTestStore({ folder });
  t.not(store.incarnation, first);
  t.same(
    store.lineage.map(({ incarnation, parent }) => [incarnation, parent]),
    [
      [first, null],
      [store.incarnation, first],
    ],
  );
  t.same(store.lineage.at(-1)?.parentLast, { A: 0, B: 2, C: 1, D: 0 });
  const [lamp, other, third] = numberLamps(store, 3);
  t.same([lamp, other, third], [1, 2, 3], "old points keep their numbers, new ones get the next");
  if (lamp === undefined) throw new Error("no point");
  t.equal(store.telemetry.latest(lamp)?.value, 41.5, "the twin survives");
  store.telemetry.accept([reading(lamp, 42, START + 2)]);
  await store.telemetry.flush();
  t.ok((store.telemetry.latest(lamp)?.stateVersion ?? 0) > 3, "state versions grow over the store's life");
  const span = { from: Instant(START), to: Instant(START + 10), limit: 10 };
  t.same(
    store.telemetry.history(lamp, span).map(({ value }) => value),
    [40, 41.5, 42],
  );
  t.same(
    store.telemetry.history(lamp, { ...span, limit: 1 }).map(({ value }) => value),
    [42],
    "the newest are kept",
  );
  t.same(
    store.telemetry.history(lamp, { ...span, to: Instant(START) }).map(({ value }) => value),
    [40],
  );
});

t.test("numbers of unchanged quality go to lane C, all else to lane B", async (t) => {
  await using store = await openTestStore({ folder: t.testdir() });
  const [lamp, door] = numberLamps(store, 2);
  if (lamp === undefined || door === undefined) throw new Error("no points");
  const lost = {
    ...reading(lamp, 0),
    value: null,
    quality: "bad/no-communication",
    cause: "timeout",
  } as const;
  store.telemetry.accept([reading(lamp, 1), reading(lamp, 2), reading(door, true), lost, lost]);
  store.telemetry.accept([reading(lamp, 3), reading(lamp, 4), reading(door, "open")]);
  await store.telemetry.flush();
  const values = (lane: "B" | "C"): readonly unknown[] =>
    entriesOf(store, lane).flatMap(({ frame }) =>
      decodePointsBlock(decodeEntry(frame).body).readings.map(({ value }) => value),
    );
  t.same(values("B"), [1, true, null, null, 3, "open"]);
  t.same(values("C"), [2, 4]);
  t.equal(store.telemetry.latest(lamp)?.value, 4, "I8 order within a point is kept across both lanes");
  store.telemetry.accept([reading(lamp, 5), lost]);
  await store.telemetry.flush();
  t.equal(store.telemetry.latest(lamp)?.value, null, "also where lane B ends the group");
  t.throws(
    () => store.telemetry.accept([{ ...reading(lamp, 1), quality: "bad/device-failure" }]),
    RangeError,
  );
  t.throws(() => store.telemetry.accept([{ ...reading(lamp, 1), point: 99 as typeof lamp }]), RangeError);
});

t.test("every lane counts from 1 without a hole, in blocks of at most 1,000", async (t) => {
  await using store = await openTestStore({ folder: t.testdir() });
  const points = numberLamps(store, 2_500);
  for (let round = 0; round < 3; round += 1)
    store.telemetry.accept(points.map((point) => reading(point, round)));
  store.telemetry.appendEvent("D", { kind: "diagnostic", name: "test", detail: "" });
  store.telemetry.appendEvent("B", { kind: "link", state: "up", detail: "" });
  await store.telemetry.flush();
  store.evidence.append({ kind: "audit", action: "a", actor: "b", detail: "c" });
  for (const [lane, count] of [
    ["A", 1],
    ["B", 2_501],
    ["C", 5_000],
    ["D", 1],
  ] as const) {
    let next = 1;
    for (const { range, frame } of entriesOf(store, lane)) {
      t.equal(range.first, next, `lane ${lane} at ${next}`);
      t.ok(range.count <= 1_000);
      t.same(decodeEntry(frame).range, range);
      next += range.count;
    }
    t.equal(next - 1, count, `lane ${lane}`);
  }
  t.same(store.sync.backlog(), { A: 1, B: 2_501, C: 5_000, D: 1 });
});

t.test("texts of any length and number fit into entries", async (t) => {
  await using store = await openTestStore({ folder: t.testdir() });
  const points = numberLamps(store, 200);
  store.telemetry.accept(points.map((point) => reading(point, "\u0001ü".repeat(4_000))));
  await store.telemetry.flush();
  const readings = entriesOf(store, "B").flatMap(
    ({ frame }) => decodePointsBlock(decodeEntry(frame).body).readings,
  );
  t.equal(readings.length, 200);
  t.ok(readings.every(({ value }) => typeof value === "string" && value.length === 4_096));
});

t.test("lane A is chained by the hash of each record, over all openings", async (t) => {
  const folder = t.testdir();
  for (let opening = 0; opening < 3; opening += 1) {
    await using store = await openTestStore({ folder });
    t.same(store.findings, []);
    let hints = 0;
    const stop = store.onEvidence(() => {
      hints += 1;
    });
    store.evidence.append({
      kind: "audit",
      action: "gateway-started",
      actor: "gateway",
      detail: String(opening),
    });
    stop();
    store.evidence.append({
      kind: "audit",
      action: "gateway-stopped",
      actor: "gateway",
      detail: String(opening),
    });
    t.equal(hints, 1);
  }
  await using store = await openTestStore({ folder });
  let previous = "0".repeat(64);
  const entries = entriesOf(store, "A");
  for (const { frame } of entries) {
    const { body } = decodeEntry(frame);
    t.equal(decodeEvidenceRecord(body).previousHash, previous);
    previous = createHash("sha256").update(body).digest("hex");
  }
  t.equal(entries.length, 6);
});

t.test("a second gateway is refused and told whose store it is; a dead owner is no owner", async (t) => {
  const folder = t.testdir();
  const child = spawn(process.execPath, [WRITER, folder, "1"], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.stdout.resume();
  await t.rejects(openTestStore({ folder }), {
    code: "owned-by-another",
    message: new RegExp(`process ${child.pid} .*store-writer-main`),
  });
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  await using store = await openTestStore({ folder });
  await t.rejects(openTestStore({ folder }), { code: "owned-by-another" }, "also in the same process");
  t.equal(store.lineage.length, 2);
  t.equal(JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")).pid, process.pid);
});

t.test("an old SQLite and a newer schema are refused before anything is written", async (t) => {
  const folder = t.testdir();
  for (const sqliteVersion of ["3.51.2", "3.50.9", "2.99.99", "unknown"]) {
    await t.rejects(openTestStore({ folder }, { sqliteVersion }), {
      code: "sqlite-too-old",
      message: /npm ci/,
    });
  }
  await (await openTestStore({ folder }, { sqliteVersion: "3.51.3" }))[Symbol.asyncDispose]();
  for (const file of ["critical", "telemetry"]) {
    const database = openForWriting(join(folder, `${file}.db`));
    const version = Number(database.pragma("user_version", { simple: true }));
    database.pragma("user_version = 999");
    await t.rejects(openTestStore({ folder }), { code: "newer-schema", message: /start that version/ });
    database.pragma(`user_version = ${version}`);
    database.close();
  }
  await using store = await openTestStore({ folder });
  t.equal(store.lineage.length, 2, "what was refused made no incarnation");
});

t.test("desired values, session and safe time outlive an opening and never go back", async (t) => {
  const folder = t.testdir();
  const lamp = PointId("lamp-1/dim-level");
  const desired = {
    value: 40,
    commandId: commandId(1),
    commandClass: "K1",
    issuedBy: "crew/root",
    at: Instant(5),
  } as const;
  {
    await using store = await openTestStore({ folder });
    store.desired.set(lamp, { ...desired, value: 20 });
    store.desired.set(lamp, desired);
    store.sync.rememberSession("2.9");
    store.sync.rememberSession("2.10");
    store.sync.rememberSession("1.99");
    store.sync.rememberSafeTime(Instant(START));
    store.sync.rememberSafeTime(Instant(0));
  }
  await using store = await openTestStore({ folder });
  t.same(store.desired.find(lamp), desired);
  t.equal(store.desired.all().size, 1);
  t.equal(store.sync.highestSession(), "2.10");
  t.equal(store.sync.safeTime(), START);
});

t.test("records carry the time quality that was told, and holdover before", async (t) => {
  await using store = await openTestStore({ folder: t.testdir() });
  store.telemetry.appendEvent("B", { kind: "link", state: "down", detail: "" });
  await store.telemetry.flush();
  store.useTimeQuality(() => "synced");
  store.telemetry.appendEvent("B", { kind: "link", state: "up", detail: "" });
  await store.telemetry.flush();
  const records = entriesOf(store, "B").map(({ frame }) => decodeEventRecord(decodeEntry(frame).body));
  t.same(
    records.map(({ tq }) => tq),
    ["holdover", "synced"],
  );
  t.ok(records.every(({ tMono }) => tMono >= 0 && tMono < 60_000));
});

t.test("I30 intent, fence and evidence of a command are one commit", async (t) => {
  const folder = t.testdir();
  const lamp = PointId("lamp-1/dim-level");
  {
    await using store = await openTestStore({ folder });
    const { commands } = store;
    t.equal(commands.lastFence(lamp, "center"), null);
    commands.begin(intentOf(1, { generation: 1, counter: 5 }));
    t.same(commands.lastFence(lamp, "center"), { generation: 1, counter: 5 });
    t.equal(commands.lastFence(lamp, "local"), null, "center and local have their own");
    t.equal(entriesOf(store, "A").length, 1);
    commands.settle(commandId(1), succeeded, Instant(9));
    t.same(commands.find(commandId(1))?.state, succeeded);
    t.throws(() => commands.settle(commandId(1), succeeded, Instant(9)), RangeError, "I27 an end is final");
    t.throws(
      () => commands.begin(intentOf(1, { generation: 1, counter: 6 })),
      RangeError,
      "I22 one id, one effect",
    );
    t.throws(
      () => commands.begin(intentOf(2, { generation: 1, counter: 5 })),
      RangeError,
      "I23 the fence holds",
    );
    t.equal(entriesOf(store, "A").length, 2, "what was refused here left no trace");
    commands.refuse(intentOf(2, { generation: 1, counter: 4 }), { name: "superseded", by: "1.5" });
    t.same(commands.lastFence(lamp, "center"), { generation: 1, counter: 5 }, "a refusal moves no fence");
    commands.begin(intentOf(3, { generation: 1, counter: 6 }));
    t.same(commands.unsettled(), [], "this opening's own are control's to settle");
    t.same(
      commands.recent(2).map(({ command }) => command.id),
      [commandId(3), commandId(2)],
    );
  }
  await using store = await openTestStore({ folder });
  const [left, ...others] = store.commands.unsettled();
  t.equal(left?.command.id, commandId(3));
  t.same(others, []);
  store.commands.settle(commandId(3), { name: "outcome-unknown", evidence: succeeded.evidence }, Instant(20));
  t.same(store.commands.unsettled(), []);
  const bodies = entriesOf(store, "A").map(({ frame }) => decodeEvidenceRecord(decodeEntry(frame).body).body);
  t.same(
    bodies.map((body) => (body.kind === "command" ? [body.commandId, body.state.name] : [])),
    [
      [commandId(1), "executing"],
      [commandId(1), "succeeded"],
      [commandId(2), "superseded"],
      [commandId(3), "executing"],
      [commandId(3), "outcome-unknown"],
    ],
  );
});

const succeeded = {
  name: "succeeded",
  evidence: {
    target: 40,
    acknowledged: true,
    readBacks: [],
    took: Millis(12),
    detail: "read back 40 % of 40 %",
  },
} as const;

function commandId(count: number): CommandId {
  return CommandId(`01890a5d-ac96-774b-bcce-${String(count).padStart(12, "0")}`);
}

function intentOf(count: number, sequence: CommandIntent["sequence"]): CommandIntent {
  return {
    command: {
      id: commandId(count),
      pointId: PointId("lamp-1/dim-level"),
      value: 40,
      args: [],
      commandClass: "K1",
      issuedBy: "operator/anna",
    },
    origin: "center",
    session: "1.1",
    sequence,
    at: Instant(START),
  };
}
