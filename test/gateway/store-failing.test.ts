import { join } from "node:path";
import t from "tap";
import { CommandId, PointId } from "../../domain/ids.ts";
import { Instant } from "../../domain/time.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodePointsBlock } from "../../domain/wire/points-block.ts";
import { decodeEventRecord } from "../../domain/wire/record-kinds.ts";
import { openForWriting } from "../../gateway/store/database.ts";
import type { CommandIntent, Store } from "../../gateway/store/store.ts";
import { TelemetryThread } from "../../gateway/store/writing/telemetry-thread.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

/** Makes every insert of an entry fail until it is called with `mend`: SQLite itself refuses the commit. */
function disk(folder: string, file: "critical" | "telemetry", order: "break" | "mend"): void {
  const database = openForWriting(join(folder, `${file}.db`));
  for (const lane of file === "critical" ? ["a"] : ["b", "c"]) {
    const name = `broken_${lane}`;
    const trigger = `create trigger ${name} before insert on entries_${lane} begin select raise(abort, 'broken'); end`;
    database.exec(order === "break" ? trigger : `drop trigger ${name}`);
  }
  database.close();
}

t.test("I16 a command whose intent the disk refused is not begun", async (t) => {
  const folder = t.testdir();
  const intent = intentOf(1);
  {
    await using store = await openTestStore({ folder });
    store.evidence.append({ kind: "audit", action: "before", actor: "test", detail: "" });
    disk(folder, "critical", "break");
    t.throws(() => store.commands.begin(intent), { code: "not-durable", message: /nothing was done/ });
    t.throws(() => store.evidence.append({ kind: "audit", action: "lost", actor: "test", detail: "" }), {
      code: "not-durable",
    });
    t.equal(store.commands.find(intent.command.id), undefined);
    t.equal(store.commands.lastFence(intent.command.pointId, "local"), null, "I30 all or nothing");
    t.equal(store.health().critical, "failing");
    disk(folder, "critical", "mend");
    store.commands.begin(intent);
    t.equal(store.health().critical, "durable");
    t.same(
      entriesOf(store, "A").map(({ range }) => range.first),
      [1, 2],
      "no sequence is skipped or used twice",
    );
  }
  await using store = await openTestStore({ folder });
  t.same(store.findings, [], "the chain holds");
});

t.test(
  "I16 readings that the disk refused are not acknowledged, and are written once it takes them",
  async (t) => {
    const folder = t.testdir();
    const clock = new SimulatedClock();
    await using store = await openTestStore({ folder }, { clock });
    const [lamp] = numberLamps(store, 1);
    if (lamp === undefined) throw new Error("no point");
    store.telemetry.accept([reading(lamp, 1)]);
    await store.telemetry.flush();
    const told: number[] = [];
    store.telemetry.onCommit((readings) => told.push(...readings.map(({ value }) => Number(value))));
    disk(folder, "telemetry", "break");
    store.telemetry.accept([reading(lamp, 2)]);
    await t.rejects(store.telemetry.flush(), { code: "not-durable" });
    await t.rejects(store.telemetry.flush(), { code: "not-durable" }, "asked again, it says so at once");
    store.telemetry.accept([reading(lamp, 3)]);
    t.equal(store.telemetry.latest(lamp)?.value, 1);
    t.same(told, []);
    t.match(store.health(), { telemetry: "failing", detail: /check space and the disk/ });
    disk(folder, "telemetry", "mend");
    await healed(store, clock);
    await store.telemetry.flush();
    t.same(told, [2, 3]);
    t.same(valuesOf(store), [1, 2, 3]);
    t.equal(store.health().telemetry, "durable");
  },
);

t.test(
  "I14 what is given up while the disk refuses lies in a declared gap, to the last reading",
  async (t) => {
    const folder = t.testdir();
    const clock = new SimulatedClock();
    await using store = await openTestStore({ folder }, { clock });
    const points = numberLamps(store, 100);
    store.telemetry.accept(points.map((point) => reading(point, 0)));
    await store.telemetry.flush();
    disk(folder, "telemetry", "break");
    let accepted = 0;
    for (let round = 1; round <= 1_300; round += 1) {
      store.telemetry.accept(points.map((point) => reading(point, round)));
      accepted += points.length;
      if (round === 1) await t.rejects(store.telemetry.flush(), { code: "not-durable" });
    }
    disk(folder, "telemetry", "mend");
    await healed(store, clock);
    await store.telemetry.flush();
    const gaps = entriesOf(store, "B")
      .map(({ frame }) => decodeEntry(frame))
      .flatMap((entry) => (entry.kind === "record" ? [decodeEventRecord(entry.body).body] : []))
      .flatMap((body) => (body.kind === "gap" && body.lane === "C" ? [body] : []));
    const lost = gaps.reduce((sum, { count }) => sum + (count ?? 0), 0);
    const kept = entriesOf(store, "C").reduce((sum, { range }) => sum + range.count, 0);
    t.ok(lost > 0 && kept <= 60_000, `${kept} kept, ${lost} in gaps`);
    t.equal(kept + lost, accepted);
    t.equal(store.sync.backlog().C, kept, "a gap is not waited for");
    t.ok(
      points.every((point) => store.telemetry.latest(point)?.value === 1_300),
      "the newest of each point is kept",
    );
  },
);

t.test("a store whose disk stays broken still closes, and says nothing was durable", async (t) => {
  const folder = t.testdir();
  const store = await openTestStore({ folder });
  const [lamp] = numberLamps(store, 1);
  if (lamp === undefined) throw new Error("no point");
  await store.telemetry.flush();
  disk(folder, "telemetry", "break");
  store.telemetry.accept([reading(lamp, 1)]);
  await store[Symbol.asyncDispose]();
  disk(folder, "telemetry", "mend");
  await using again = await openTestStore({ folder });
  t.equal(again.telemetry.latest(lamp), undefined);
});

t.test(
  "stores that share a thread: one disk that refuses holds up no other, nor does one that closes",
  async (t) => {
    const folder = t.testdir({ broken: {}, sound: {} });
    const telemetryThread = new TelemetryThread();
    const [broken, sound] = [join(folder, "broken"), join(folder, "sound")];
    const refused = await openTestStore({ folder: broken }, { telemetryThread });
    const durable = await openTestStore({ folder: sound }, { telemetryThread });
    const [one] = numberLamps(refused, 1);
    const [other] = numberLamps(durable, 1);
    if (one === undefined || other === undefined) throw new Error("no point");
    await Promise.all([refused.telemetry.flush(), durable.telemetry.flush()]);
    disk(broken, "telemetry", "break");
    refused.telemetry.accept([reading(one, 1)]);
    durable.telemetry.accept([reading(other, 2)]);
    await t.rejects(refused.telemetry.flush(), { code: "not-durable" });
    await durable.telemetry.flush();
    await refused[Symbol.asyncDispose]();
    durable.telemetry.accept([reading(other, 3)]);
    await durable.telemetry.flush();
    t.same(valuesOf(durable), [2, 3], "each file has its own readings");
    await durable[Symbol.asyncDispose]();
    const again = await openTestStore({ folder: sound }, { telemetryThread });
    t.same(valuesOf(again), [2, 3], "the thread comes back with the next store");
    disk(broken, "telemetry", "mend");
    const third = await openTestStore({ folder: broken }, { telemetryThread });
    await Promise.all([third[Symbol.asyncDispose](), again[Symbol.asyncDispose]()]);
    t.pass("stores that close at once both come to their end");
  },
);

/** Lets the retries run until one succeeds. */
async function healed(store: Store, clock: SimulatedClock): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    const stop = store.onTelemetry(() => {
      stop();
      resolve();
    });
  });
  await clock.advance(30_000);
  await answered;
}

function valuesOf(store: Store): readonly unknown[] {
  return (["B", "C"] as const)
    .flatMap((lane) => entriesOf(store, lane))
    .flatMap(({ frame }) => decodePointsBlock(decodeEntry(frame).body).readings.map(({ value }) => value));
}

function intentOf(count: number): CommandIntent {
  return {
    command: {
      id: CommandId(`01890a5d-ac96-774b-bcce-${String(count).padStart(12, "0")}`),
      pointId: PointId("lamp-1/dim-level"),
      value: 40,
      args: [],
      commandClass: "K1",
      issuedBy: "crew/root",
    },
    origin: "local",
    session: null,
    sequence: { generation: 0, counter: count },
    at: Instant(1_800_000_000_000),
  };
}
