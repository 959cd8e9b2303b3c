import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import { after, Millis } from "../../domain/time.ts";
import { type Store, StoreError } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { commandId, DEMAND_ID, DIM, localOrder, openControl, order, SUCCEEDED } from "./control-bench.ts";
import { entriesOf, openTestStore } from "./store-run.ts";

type Write = "find" | "evidence" | "begin" | "settle" | "refuse" | "desired";

/** The real store, whose disk refuses some writes. `times` counts down. */
function onFailingDisk(store: Store) {
  const failing = new Map<Write, number>();
  const through = <Result>(write: Write, work: () => Result): Result => {
    const left = failing.get(write) ?? 0;
    if (left === 0) return work();
    failing.set(write, left - 1);
    if (write === "find")
      throw new StoreError("unreadable", "reading critical.db failed with SQLITE_IOERR_READ");
    throw new StoreError("not-durable", "writing critical.db failed with SQLITE_IOERR_FSYNC");
  };
  const { commands, desired } = store;
  const ledger: Pick<Store, "commands" | "desired" | "evidence"> = {
    evidence: { append: (body) => through("evidence", () => store.evidence.append(body)) },
    commands: {
      find: (id) => through("find", () => commands.find(id)),
      lastFence: (pointId, origin) => commands.lastFence(pointId, origin),
      begin: (intent) => through("begin", () => commands.begin(intent)),
      settle: (id, state, at) => through("settle", () => commands.settle(id, state, at)),
      refuse: (intent, state) => through("refuse", () => commands.refuse(intent, state)),
      recent: (limit) => commands.recent(limit),
      unsettled: () => commands.unsettled(),
    },
    desired: {
      set: (pointId, value) => through("desired", () => desired.set(pointId, value)),
      find: (pointId) => desired.find(pointId),
      all: () => desired.all(),
    },
  };
  const fail = (write: Write, times = Number.POSITIVE_INFINITY): void => void failing.set(write, times);
  return { ledger, fail, mend: () => failing.clear() };
}

async function bench(folder: string) {
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder }, { clock });
  const disk = onFailingDisk(store);
  return { clock, store, ...disk, ...openControl(disk.ledger, clock) };
}

t.test("I30 without a ledger nothing moves, and the refusal is told once the disk is back", async (t) => {
  const { store, control, runner, tokens, fail, mend } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  fail("begin");
  fail("refuse");
  const { admitted } = control.submitFromCenter(order(tokens));
  t.match(admitted, {
    name: "rejected",
    cause: "store-unavailable",
    detail: /nothing was done; see `nerve status`/,
  });
  t.same(control.submitFromCenter(order(tokens)).admitted, admitted, "a repeat gives the same end");
  await turn();
  t.same(runner.operations, []);
  t.equal(store.desired.find(DIM), undefined);
  mend();
  t.same(control.submitFromCenter(order(tokens)).admitted, admitted, "also when the disk is back");
  t.same(store.commands.find(commandId(1))?.state, admitted);
  t.equal(entriesOf(store, "A").length, 1, "the center hears of it");
  t.same(runner.operations, []);
});

t.test(
  "I22 without a ledger that can be read nothing moves, and nobody is told that it never did",
  async (t) => {
    const { store, control, runner, tokens, fail, mend, clock } = await bench(t.testdir());
    t.teardown(() => store[Symbol.asyncDispose]());
    fail("find");
    const { admitted, end } = control.submitFromCenter(order(tokens));
    t.match(admitted, {
      name: "outcome-unknown",
      evidence: { detail: /nothing was done now; .*SQLITE_IOERR_READ/ },
    });
    t.same(await end, admitted);
    t.equal(
      control.submitLocal(localOrder(2, after(clock.uptime(), Millis(1_000)))).admitted.name,
      "outcome-unknown",
    );
    await turn();
    t.same(runner.operations, []);
    mend();
    t.equal(control.submitFromCenter(order(tokens)).admitted.name, "executing", "it may be asked for again");
  },
);

t.test("I25 an order whose desired value can not be kept is refused, in the ledger too", async (t) => {
  const { store, control, runner, tokens, fail } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  fail("desired", 1);
  const { admitted, end } = control.submitFromCenter(order(tokens));
  t.match(admitted, { name: "rejected", cause: "store-unavailable" });
  t.same(await end, admitted);
  t.same(
    store.commands.find(commandId(1))?.state,
    admitted,
    "not left executing for the next start to doubt",
  );
  t.same(runner.operations, []);
});

t.test("an end that the disk refuses once is written at the second try", async (t) => {
  const { store, control, runner, tokens, fail } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  const { end } = control.submitFromCenter(order(tokens));
  await turn();
  fail("settle", 1);
  runner.answer(commandId(1), SUCCEEDED);
  t.equal((await end).name, "succeeded");
  t.equal(store.commands.find(commandId(1))?.state.name, "succeeded");
});

t.test("I27 an end that could not be stored is told as unknown, and stays so over a restart", async (t) => {
  const folder = t.testdir();
  const { store, control, runner, tokens, states, fail, clock } = await bench(folder);
  const first = control.submitFromCenter(order(tokens));
  await turn();
  fail("settle");
  runner.answer(commandId(1), SUCCEEDED);
  const end = await first.end;
  t.match(end, {
    name: "outcome-unknown",
    evidence: { acknowledged: true, detail: /succeeded .*read back 40 of 40/ },
  });
  t.same(states, [
    [commandId(1), "executing"],
    [commandId(1), "outcome-unknown"],
  ]);
  t.same(control.submitFromCenter(order(tokens)).admitted, end);
  await store[Symbol.asyncDispose]();
  await using again = await openTestStore({ folder }, { clock });
  const next = openControl(again, clock, "1.2");
  next.control.settleUnfinished();
  t.equal(next.control.submitFromCenter(order(next.tokens)).admitted.name, "outcome-unknown");
});

t.test("an end that could not be stored is written when the disk is back", async (t) => {
  const { store, control, runner, tokens, clock, fail, mend } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  const first = control.submitFromCenter(order(tokens));
  await turn();
  fail("settle");
  runner.answer(commandId(1), { outcome: "expired", detail: "too late on the bus" });
  const end = await first.end;
  t.match(end, {
    name: "outcome-unknown",
    evidence: { target: 40, detail: /expired \(too late on the bus\)/ },
  });
  mend();
  control.submitLocal(localOrder(2, after(clock.uptime(), Millis(1_000))));
  t.same(store.commands.find(commandId(1))?.state, end);
});

t.test("more commands than can be carried out at once are refused as busy", async (t) => {
  const { store, control, runner, clock } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  const deadline = after(clock.uptime(), Millis(1_000));
  for (let number = 1; number <= 1_000; number += 1) control.submitLocal(localOrder(number, deadline));
  t.match(control.submitLocal(localOrder(1_001, deadline)).admitted, { name: "rejected", cause: "busy" });
  t.equal(
    control.submitLocal(localOrder(1_000, deadline)).admitted.name,
    "executing",
    "a repeat is no new one",
  );
  await turn();
  t.equal(runner.operations.length, 1_000);
  runner.answer(commandId(1), SUCCEEDED);
  await turn();
  t.equal(control.submitLocal(localOrder(1_002, deadline)).admitted.name, "executing");
});

t.test("shutting down refuses what comes and waits for what runs", async (t) => {
  const { store, control, runner, clock } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  const deadline = after(clock.uptime(), Millis(1_000));
  const running = control.submitLocal(localOrder(1, deadline));
  await turn();
  let down = false;
  const shut = control.shutDown().then(() => {
    down = true;
  });
  t.match(control.submitLocal(localOrder(2, deadline)).admitted, {
    name: "rejected",
    cause: "shutting-down",
  });
  await turn();
  t.equal(down, false);
  runner.answer(commandId(1), { outcome: "rejected", cause: "shutting-down", detail: "the field stops" });
  await shut;
  t.match(await running.end, { name: "rejected", cause: "shutting-down" });
});

t.test("I26 a field that breaks its promise leaves the outcome unknown, and the ticket whole", async (t) => {
  const { store, control, runner, clock } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  const deadline = after(clock.uptime(), Millis(1_000));
  runner.onOperation = () => {
    throw new Error("host gone");
  };
  const { admitted, end } = control.submitLocal(localOrder(1, deadline));
  t.equal(admitted.name, "executing");
  t.match(await end, { name: "outcome-unknown", evidence: { target: 40, detail: /host gone/ } });
  await control.shutDown();
});

t.test("a listener that fails keeps neither an order from its end nor the others from hearing", async (t) => {
  const { store, control, runner, clock } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  control.onState(() => {
    throw new Error("listener");
  });
  const heard: string[] = [];
  const stop = control.onState((_id, _point, state) => heard.push(state.name));
  const { end } = control.submitLocal(localOrder(1, after(clock.uptime(), Millis(1_000))));
  await turn();
  runner.answer(commandId(1), SUCCEEDED);
  t.equal((await end).name, "succeeded");
  t.same(heard, ["executing", "succeeded"]);
  stop();
  control.submitLocal(localOrder(2, after(clock.uptime(), Millis(-1))));
  t.equal(heard.length, 2);
});

t.test("a selection that can not be put on record is none", async (t) => {
  const { store, control, runner, tokens, fail, mend } = await bench(t.testdir());
  t.teardown(() => store[Symbol.asyncDispose]());
  fail("evidence", 1);
  const hazard = { pointId: DEMAND_ID, value: true, commandClass: "K3" } as const;
  const { end } = control.submitFromCenter(order(tokens, { ...hazard, action: "select" }));
  t.match(await end, { name: "rejected", cause: "store-unavailable" });
  mend();
  const operated = control.submitFromCenter(order(tokens, { ...hazard, action: "operate" }));
  t.match(operated.admitted, { cause: "store-unavailable" });
  await turn();
  t.same(runner.operations, []);
});
