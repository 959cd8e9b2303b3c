import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import { CommandId, PointId } from "../../domain/ids.ts";
import { Instant, Minutes } from "../../domain/time.ts";
import type { CommandIntent, Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { disk, onBreakingDisk } from "./breaking-disk.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

const POINT = PointId("lamp-1/dim-level");

function audit(store: Store): void {
  store.evidence.append({ kind: "audit", action: "kept", actor: "test", detail: "" });
}

function intentOf(count: number): CommandIntent {
  return {
    command: {
      id: CommandId(`01890a5d-ac96-774b-bcce-${String(count).padStart(12, "0")}`),
      pointId: POINT,
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

onBreakingDisk(
  "I16 critical.db: failures 10 min apart are borne, a second within is the end of writing",
  async (t, folder) => {
    const clock = new SimulatedClock();
    const store = await openTestStore({ folder }, { clock });
    store.commands.begin(intentOf(1));
    disk("break");
    t.throws(() => audit(store), { code: "not-durable" });
    disk("mend");
    audit(store);
    t.equal(store.health().critical, "durable", "opened anew, and brought home");
    await clock.advance(Minutes(11));
    disk("break");
    t.throws(() => audit(store), { code: "not-durable" }, "a failure long ago is over");
    await clock.advance(Minutes(9));
    t.throws(() => audit(store), { code: "read-only", message: /commands are refused: .*change the disk/ });
    disk("mend");
    t.throws(
      () => store.commands.begin(intentOf(2)),
      { code: "read-only" },
      "also when the disk takes it again",
    );
    t.match(store.health(), { critical: "read-only", telemetry: "durable", detail: /not written any more/ });
    t.equal(
      store.commands.find(intentOf(1).command.id)?.state.name,
      "executing",
      "what is there can be read",
    );
    t.equal(store.commands.find(intentOf(2).command.id), undefined);
    t.equal(store.commands.lastFence(POINT, "local")?.counter, 1);
    await store.telemetry.flush();
    const text = entriesOf(store, "B").map(({ frame }) => Buffer.from(frame).toString("latin1"));
    t.match(text.join(), /"name":"store-read-only","active":true,"severity":"high","subject":"critical.db"/);
    await store[Symbol.asyncDispose]();
    await using again = await openTestStore({ folder }, { clock });
    t.same(again.findings, [], "the chain holds");
    t.equal(again.health().critical, "durable", "a new start tries anew");
    audit(again);
  },
);

onBreakingDisk(
  "I16 telemetry.db: a second failure ends storing, not seeing; nothing of it is promised",
  async (t, folder) => {
    const clock = new SimulatedClock();
    const store = await openTestStore({ folder }, { clock });
    const [lamp] = numberLamps(store, 1);
    if (lamp === undefined) throw new Error("no point");
    store.telemetry.accept([reading(lamp, 1)]);
    await store.telemetry.flush();
    const told: unknown[] = [];
    store.telemetry.onCommit((readings) => told.push(...readings.map(({ value }) => value)));
    disk("break");
    store.telemetry.accept([reading(lamp, 2)]);
    await t.rejects(store.telemetry.flush(), { code: "not-durable" });
    t.equal(store.health().telemetry, "failing");
    for (let tries = 0; store.health().telemetry !== "read-only" && tries < 10_000; tries += 1) {
      await clock.advance(1_000);
      await turn();
    }
    disk("mend");
    t.match(store.health(), { telemetry: "read-only", critical: "failing" });
    t.throws(() => store.commands.begin(intentOf(1)), { code: "read-only" });
    store.telemetry.accept([reading(lamp, 3)]);
    for (let tries = 0; told.length < 2 && tries < 1_000; tries += 1) {
      await clock.advance(200);
      await turn();
    }
    t.same(told, [2, 3], "who is on site sees what is");
    t.equal(store.telemetry.latest(lamp)?.value, 3);
    t.equal(store.health().unstored, 2);
    await t.rejects(store.telemetry.flush(), { code: "read-only" });
    t.equal(store.sync.backlog().C, 0, "nothing of it is told to the center");
    await store[Symbol.asyncDispose]();
    await using again = await openTestStore({ folder }, { clock });
    t.equal(again.telemetry.latest(lamp)?.value, 1, "what was not durable is gone");
  },
);

t.test(
  "what SQLite says when a file can not be read leaves the store as a StoreError with what to do",
  async (t) => {
    const folder = t.testdir();
    const fill = await openTestStore({ folder });
    const [lamp] = numberLamps(fill, 1);
    if (lamp === undefined) throw new Error("no point");
    for (let count = 1; count < 300; count += 1)
      fill.commands.refuse(intentOf(count), { name: "expired", where: "gateway", detail: "" });
    for (let round = 0; round < 50; round += 1) {
      fill.telemetry.accept([reading(lamp, round)]);
      await fill.telemetry.flush();
    }
    await fill[Symbol.asyncDispose]();
    await using store = await openTestStore({ folder });
    for (const file of ["critical.db", "telemetry.db"]) {
      const path = join(folder, file);
      const handle = openSync(path, "r+");
      const from = 4_096;
      writeSync(handle, Buffer.alloc(statSync(path).size - from, 0xff), 0, undefined, from);
      closeSync(handle);
    }
    const unreadable = { name: "StoreError", code: "unreadable", message: /SQLITE_.*look at `nerve status`/ };
    t.throws(() => store.commands.find(intentOf(7).command.id), unreadable);
    t.throws(() => store.commands.recent(10), unreadable);
    t.throws(() => store.commands.lastFence(POINT, "local"), unreadable);
    t.throws(
      () => store.telemetry.history(lamp, { from: Instant(0), to: Instant(9e15), limit: 10 }),
      unreadable,
    );
  },
);
