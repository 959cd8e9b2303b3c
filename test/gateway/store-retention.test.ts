import t from "tap";
import { CommandId, PointId } from "../../domain/ids.ts";
import { LANES, type Lane } from "../../domain/lane.ts";
import { Days, Hours, Instant, Millis } from "../../domain/time.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodeEventRecord, type EventBody } from "../../domain/wire/record-kinds.ts";
import type { Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

const START = 1_800_000_000_000;

/** One group of 100 readings an hour, `hours` times, with one diagnostic each. */
async function fill(store: Store, clock: SimulatedClock, hours: number): Promise<void> {
  const points = numberLamps(store, 100);
  for (let hour = 0; hour < hours; hour += 1) {
    clock.setWall(Instant(START + hour * Hours(1)));
    store.telemetry.accept(points.map((point) => reading(point, hour, clock.now())));
    store.telemetry.appendEvent("D", { kind: "diagnostic", name: "test", detail: "x".repeat(1_000) });
    await store.telemetry.flush();
  }
}

function acknowledgeAll(store: Store, session: string, lanes: readonly Lane[] = LANES): void {
  for (const { incarnation, lane, highestWritten } of store.sync.heads()) {
    if (lanes.includes(lane)) {
      store.sync.acknowledge(incarnation, lane, [{ first: 1, count: highestWritten }], session);
    }
  }
}

function counts(store: Store): Readonly<Record<Lane, number>> {
  const sum = (lane: Lane): number =>
    entriesOf(store, lane).reduce((total, { range }) => total + range.count, 0);
  return { A: sum("A"), B: sum("B"), C: sum("C"), D: sum("D") };
}

function gapsOf(store: Store, lane: Lane): readonly Extract<EventBody, { kind: "gap" }>[] {
  return entriesOf(store, "B")
    .map(({ frame }) => decodeEntry(frame))
    .flatMap((entry) => (entry.kind === "record" ? [decodeEventRecord(entry.body).body] : []))
    .filter((body) => body.kind === "gap")
    .filter((body) => body.lane === lane);
}

t.test("what the center holds goes only after a later session said so too, and when it is old", async (t) => {
  const folder = t.testdir();
  const clock = new SimulatedClock(Instant(START));
  const options = { folder, keepHistory: Days(2) };
  {
    await using store = await openTestStore(options, { clock });
    store.evidence.append({ kind: "audit", action: "kept", actor: "test", detail: "" });
    await fill(store, clock, 72);
    clock.setWall(Instant(START + Hours(72)));
  }
  {
    await using store = await openTestStore(options, { clock });
    t.equal((await store.runRetention(clock.now())).aged, 0, "nothing is acknowledged");
    acknowledgeAll(store, "1.1");
    t.same(store.sync.backlog(), { A: 0, B: 0, C: 0, D: 0 });
    t.equal((await store.runRetention(clock.now())).aged, 0, "acknowledged in one session only");
    acknowledgeAll(store, "1.1");
    t.equal((await store.runRetention(clock.now())).aged, 0, "the same session again proves nothing");
  }
  await using store = await openTestStore(options, { clock });
  t.same(store.sync.backlog(), { A: 0, B: 0, C: 0, D: 0 }, "acknowledgements outlive an opening");
  acknowledgeAll(store, "1.2");
  await store.runRetention(clock.now());
  // C began in the second hour: the first readings of all points are state (lane B).
  t.same(
    counts(store),
    { A: 1, B: 0, C: 4_800, D: 24 },
    "two days of history, one day of diagnostics, all evidence",
  );
  const [first] = numberLamps(store, 1);
  if (first === undefined) throw new Error("no point");
  t.equal(store.telemetry.latest(first)?.value, 71);
  const history = store.telemetry.history(first, { from: Instant(0), to: clock.now(), limit: 10_000 });
  t.same([history.length, history[0]?.value], [48, 24]);
  const head = store.sync.heads().find(({ lane }) => lane === "C");
  t.match(head, { lowestRetained: 2_301, highestWritten: 7_100 });
});

t.test(
  "near the quota D gives way first, then what the center holds of C, then the oldest C; never A or B",
  async (t) => {
    const folder = t.testdir();
    const clock = new SimulatedClock(Instant(START));
    const filled = await openTestStore({ folder }, { clock });
    await fill(filled, clock, 300);
    for (let count = 0; count < 50; count += 1) {
      filled.evidence.append({ kind: "audit", action: "kept", actor: "test", detail: "x".repeat(500) });
    }
    const before = counts(filled);
    const { incarnation } = filled;
    filled.sync.acknowledge(incarnation, "C", [{ first: 1, count: 5_000 }], "1.1");
    await filled[Symbol.asyncDispose]();
    const size = await usedBytes(folder);

    {
      await using store = await openTestStore({ folder, quotaBytes: Math.floor(size / 0.82) }, { clock });
      const report = await store.runRetention(clock.now());
      t.ok(report.gaps > 0 && report.pressed === 0, "D is enough");
      t.ok(report.usedShare < 0.8);
      const left = counts(store);
      t.same([left.A, left.C], [before.A, before.C]);
      t.equal(
        gapsOf(store, "D").reduce((sum, { count }) => sum + (count ?? 0), 0),
        300 - left.D,
        "I14",
      );
    }
    {
      await using store = await openTestStore({ folder, quotaBytes: Math.floor(size / 1.5) }, { clock });
      const report = await store.runRetention(clock.now());
      t.equal(report.pressed, 5_000, "C that the center holds goes without a gap");
      const left = counts(store);
      t.equal(left.A, before.A, "I13");
      t.equal(left.D, 0);
      const lost = gapsOf(store, "C").reduce((sum, { count }) => sum + (count ?? 0), 0);
      t.equal(left.C, before.C - 5_000 - lost, "I14 gaps equal what is gone");
      t.equal(store.sync.backlog().C, left.C);
    }
    await using store = await openTestStore({ folder, quotaBytes: 64 * 1024 }, { clock });
    await store.runRetention(clock.now());
    t.equal(counts(store).A, before.A, "I13");
    const lost = gapsOf(store, "C").reduce((sum, { count }) => sum + (count ?? 0), 0);
    t.ok(lost > 0);
    t.equal(counts(store).C, before.C - 5_000 - lost, "I14 gaps equal what is gone");
    t.equal(store.sync.disk().state, "critical", "and the operator is told");
    store.evidence.append({ kind: "audit", action: "still", actor: "test", detail: "" });
    const [first] = numberLamps(store, 1);
    if (first === undefined) throw new Error("no point");
    t.equal(store.telemetry.latest(first)?.value, 299, "twins never give way");
  },
);

t.test("a settled command is forgotten after 35 days, its fence and evidence never", async (t) => {
  const clock = new SimulatedClock(Instant(START));
  await using store = await openTestStore({ folder: t.testdir() }, { clock });
  const id = CommandId("01890a5d-ac96-774b-bcce-000000000001");
  const pointId = PointId("lamp-1/dim-level");
  const command = { id, pointId, value: 40, args: [], commandClass: "K1", issuedBy: "crew/root" } as const;
  const sequence = { generation: 0, counter: 1 };
  store.commands.begin({ command, origin: "local", session: null, sequence, at: clock.now() });
  const evidence = { target: 40, acknowledged: null, readBacks: [], took: Millis(1), detail: "" };
  store.commands.settle(id, { name: "outcome-unknown", evidence }, clock.now());
  await store.runRetention(Instant(START + Days(34)));
  t.equal(store.commands.find(id)?.state.name, "outcome-unknown");
  await store.runRetention(Instant(START + Days(36)));
  t.equal(store.commands.find(id), undefined);
  t.same(store.commands.lastFence(pointId, "local"), sequence);
  t.equal(counts(store).A, 2);
});

async function usedBytes(folder: string): Promise<number> {
  await using store = await openTestStore({ folder });
  return store.sync.disk().usedBytes;
}
