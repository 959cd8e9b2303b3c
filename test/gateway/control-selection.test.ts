import { setImmediate as turn } from "node:timers/promises";
import t, { type Test } from "tap";
import { after, Millis } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { TokenBook } from "../../gateway/uplink/token-book.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  CABINET_AT_REST,
  type ControlBench,
  commandId,
  DEMAND_ID,
  evidence,
  localOrder,
  openControl,
  order,
  SUCCEEDED,
} from "./control-bench.ts";
import { entriesOf, openTestStore } from "./store-run.ts";

async function bench(t: Test) {
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder: t.testdir() }, { clock });
  t.teardown(() => store[Symbol.asyncDispose]());
  return { clock, store, ...openControl(store, clock) };
}

type Changes = Partial<Omit<CommandFrame, "signature">>;

/** A hazardous order to close the contactor; each of its two frames has a token of its own. */
const hazard = (tokens: TokenBook, action: "select" | "operate", changes: Changes = {}): CommandFrame =>
  order(tokens, {
    pointId: DEMAND_ID,
    value: true,
    commandClass: "K3",
    budgetMs: 10_000,
    action,
    ...changes,
  });

async function select(bench: Pick<ControlBench, "control" | "tokens">, changes: Changes = {}) {
  const ticket = bench.control.submitFromCenter(hazard(bench.tokens, "select", changes));
  await turn();
  return ticket;
}

t.test("a hazardous point is selected on what the bus shows now, then operated, then proven", async (t) => {
  const at = await bench(t);
  const { control, runner, tokens, states, store } = at;
  const told: unknown[] = [];
  control.onState((_id, _point, state) => told.push(state));
  const selected = await select(at);
  t.same(selected.admitted, { name: "draft" });
  t.match(told, [
    {
      name: "selected",
      preview: [
        { pointId: DEMAND_ID, value: false, quality: "good", ageMs: 0 },
        { pointId: "cabinet-1/feedback", value: false },
        { pointId: "cabinet-1/selector-local", value: false },
        { pointId: "cabinet-1/tripped", value: false },
      ],
    },
  ]);
  t.equal(store.commands.find(commandId(1)), undefined, "a selection is no effect, and lives in RAM only");
  const ticket = control.submitFromCenter(hazard(tokens, "operate"));
  t.same(ticket.admitted, { name: "executing" });
  await turn();
  t.match(runner.operations, [
    {
      point: 31,
      value: true,
      interlock: {
        name: "feeder",
        conditions: [
          { number: 33, pointId: "cabinet-1/selector-local", equals: false, maxAge: 90_000 },
          { number: 34, pointId: "cabinet-1/tripped", equals: false },
        ],
      },
      readBack: { points: [{ number: 32, pointId: "cabinet-1/feedback" }] },
    },
  ]);
  runner.answer(commandId(1), SUCCEEDED);
  t.equal((await selected.end).name, "succeeded", "who selected hears the end too");
  t.same(
    states.map(([, name]) => name),
    ["selected", "executing", "succeeded"],
  );
  t.equal(entriesOf(store, "A").length, 3);
});

t.test("a condition that is asked only of closing does not keep a feeder from being opened", async (t) => {
  const at = await bench(t);
  at.runner.onRead = () => new Map([...CABINET_AT_REST, [34, true]]);
  const closing = await select(at);
  t.match(await closing.end, {
    name: "rejected",
    cause: "blocked",
    detail: /tripped is true, but must be false/,
  });
  const changes = { commandId: commandId(2), value: false, sequence: { generation: 1, counter: 2 } };
  await select(at, changes);
  t.equal(at.control.submitFromCenter(hazard(at.tokens, "operate", changes)).admitted.name, "executing");
  await turn();
  t.same(
    at.runner.operations.map(({ interlock }) => interlock?.conditions.map(({ number }) => number)),
    [[33]],
  );
});

t.test("I33 what holds the point, or is not known, blocks the selection", async (t) => {
  const cases = [
    {
      name: "local selector",
      read: () => new Map([...CABINET_AT_REST, [33, true]]),
      detail: /selector-local is true/,
    },
    { name: "silent unit", read: () => null, detail: /does not answer/ },
    {
      name: "one condition unread",
      read: () => new Map([...CABINET_AT_REST].slice(0, 3)),
      detail: /tripped can not be read/,
    },
    {
      name: "read-back unread",
      read: () => new Map([...CABINET_AT_REST].filter(([point]) => point !== 32)),
      detail: /feedback can not be read/,
    },
  ];
  for (const { name, read, detail } of cases) {
    const at = await bench(t);
    at.runner.onRead = read;
    const ticket = await select(at);
    t.match(await ticket.end, { name: "rejected", cause: "blocked", detail }, name);
    t.match(at.control.submitFromCenter(hazard(at.tokens, "operate")).admitted, { cause: "blocked" }, name);
    await turn();
    t.same(at.runner.operations, [], name);
  }
});

t.test(
  "I36 only the session, requester and value of the selection may operate; anything else ends it",
  async (t) => {
    const wrong: readonly (readonly [string, Changes, RegExp])[] = [
      ["another requester", { requester: "operator/eve" }, /not-selected/],
      ["another value", { value: false }, /not-selected/],
      ["another sequence", { sequence: { generation: 1, counter: 2 } }, /not-selected/],
      ["another session", { session: "1.2" }, /expired/],
      ["an unknown token", { token: "0".repeat(32) }, /expired/],
      ["arguments", { args: [1] }, /not-selected/],
    ];
    for (const [name, changes, end] of wrong) {
      const at = await bench(t);
      const selected = await select(at);
      const { admitted } = at.control.submitFromCenter(hazard(at.tokens, "operate", changes));
      const state = await selected.end;
      t.match("cause" in state ? state.cause : state.name, end, name);
      t.equal(admitted.name, "draft", "the ticket is that of the selection");
      const again = at.control.submitFromCenter(hazard(at.tokens, "operate"));
      t.same(again.admitted, state, "I27 and the good one comes too late");
      await turn();
      t.same(at.runner.operations, [], name);
    }
    const at = await bench(t);
    const selected = await select(at);
    const forged = { ...hazard(at.tokens, "operate"), signature: Buffer.alloc(64).toString("base64") };
    at.control.submitFromCenter(forged);
    t.match(await selected.end, { name: "rejected", cause: "bad-signature" });
  },
);

t.test("I36 a selection ends after 5 s, with its session and with the process", async (t) => {
  const at = await bench(t);
  const first = await select(at);
  await at.clock.advance(5_000);
  t.match(await first.end, { name: "expired", detail: /not operated in time/ });
  t.equal(at.control.submitFromCenter(hazard(at.tokens, "operate")).admitted.name, "expired");

  const second = { commandId: commandId(2), sequence: { generation: 1, counter: 2 } };
  const held = await select(at, second);
  at.tokens.open("1.2");
  const third = { commandId: commandId(3), sequence: { generation: 1, counter: 3 } };
  await select(at, third);
  t.match(await held.end, { name: "expired", detail: /session ended/ }, "and the next session need not wait");
  t.same(at.states.at(-1), [commandId(3), "selected"]);

  const restarted = openControl(at.store, at.clock, "1.3");
  restarted.control.settleUnfinished();
  const replay = restarted.control.submitFromCenter(hazard(restarted.tokens, "operate", third));
  t.match(replay.admitted, { name: "rejected", cause: "not-selected" }, "a restart knows of no selection");
  await turn();
  t.same([...at.runner.operations, ...restarted.runner.operations], []);
});

t.test("a selection does not outlive its order, and not the read that it waits for", async (t) => {
  const at = await bench(t);
  await select(at, { budgetMs: 2_000 });
  await at.clock.advance(2_000);
  t.same(at.states.at(-1), [commandId(1), "expired"], "the budget covers both steps");
  at.runner.onRead = () => new Promise(() => undefined);
  const changes = { commandId: commandId(2), sequence: { generation: 1, counter: 2 } };
  const hanging = await select(at, changes);
  const early = at.control.submitFromCenter(hazard(at.tokens, "operate", changes));
  t.match(await early.end, { name: "rejected", cause: "not-selected", detail: /not read yet/ });
  t.equal((await hanging.end).name, "rejected");
  const third = { commandId: commandId(3), sequence: { generation: 1, counter: 3 } };
  const slow = await select(at, third);
  await at.clock.advance(10_000);
  t.match(await slow.end, { name: "expired", detail: /could not be read while it was wanted/ });
  t.same(at.runner.operations, []);
});

t.test("I36 a point is selected by one at a time, and who holds it is named", async (t) => {
  const at = await bench(t);
  await select(at);
  const repeated = await select(at);
  t.equal(repeated.admitted.name, "draft", "a repeat is no second selection");
  const eve = { commandId: commandId(2), requester: "operator/eve", sequence: { generation: 1, counter: 2 } };
  const second = await select(at, eve);
  t.match(second.admitted, { name: "rejected", cause: "blocked", detail: /selected by operator\/anna/ });
  const deadline = after(at.clock.uptime(), Millis(1_000));
  const crew = at.control.submitLocal(localOrder(3, deadline, { pointId: DEMAND_ID, value: true }));
  t.match(crew.admitted, { name: "rejected", cause: "blocked", detail: /operator\/anna/ });
  at.control.submitFromCenter(hazard(at.tokens, "operate"));
  const during = {
    commandId: commandId(4),
    requester: "operator/eve",
    sequence: { generation: 1, counter: 4 },
  };
  t.match((await select(at, during)).admitted, {
    cause: "blocked",
    detail: /being operated by operator\/anna/,
  });
});

t.test(
  "I29 I32 what is hazardous never acts by a plain write, an old frame or a frame sent twice",
  async (t) => {
    const at = await bench(t);
    const { control, tokens, runner, clock } = at;
    const write = control.submitFromCenter(
      order(tokens, { pointId: DEMAND_ID, value: true, commandClass: "K3" }),
    );
    t.match(write.admitted, { name: "rejected", cause: "unsupported" });
    const lower = { pointId: DEMAND_ID, value: true, commandClass: "K2", commandId: commandId(2) } as const;
    t.match(
      control.submitFromCenter(order(tokens, lower)).admitted,
      { cause: "unsupported" },
      "not as another class",
    );
    const second = { commandId: commandId(3), sequence: { generation: 1, counter: 3 } };
    await select(at, second);
    const frame = hazard(tokens, "operate", second);
    const ticket = control.submitFromCenter(frame);
    t.equal(control.submitFromCenter(frame), ticket, "I22 the same frame again is the same effect");
    await turn();
    runner.answer(commandId(3), SUCCEEDED);
    await ticket.end;
    t.equal(control.submitFromCenter(frame).admitted.name, "succeeded");
    t.equal(runner.operations.length, 1);
    const kept = hazard(tokens, "select", {
      commandId: commandId(4),
      sequence: { generation: 1, counter: 4 },
      budgetMs: 86_400_000,
    });
    await clock.advance(30_001);
    t.match(
      control.submitFromCenter(kept).admitted,
      { name: "expired" },
      "30 s at most, whatever its budget says",
    );
  },
);

t.test("a contactor rests after each operation, also over a restart, and whoever asks", async (t) => {
  const at = await bench(t);
  const { control, tokens, runner, clock, store } = at;
  await select(at);
  const ticket = control.submitFromCenter(hazard(tokens, "operate"));
  await turn();
  runner.answer(commandId(1), { outcome: "outcome-unknown", evidence: evidence("nobody knows") });
  await ticket.end;
  await clock.advance(10_000);
  const early = await select(at, { commandId: commandId(2), sequence: { generation: 1, counter: 2 } });
  t.match(early.admitted, { name: "rejected", cause: "blocked", detail: /must rest for 50 s more/ });
  const restarted = openControl(store, clock, "1.2");
  restarted.control.settleUnfinished();
  const local = localOrder(3, after(clock.uptime(), Millis(1_000)), { pointId: DEMAND_ID, value: false });
  t.match(restarted.control.submitLocal(local).admitted, { detail: /must rest for 50 s more/ });
  await clock.advance(50_000);
  const late = localOrder(4, after(clock.uptime(), Millis(1_000)), { pointId: DEMAND_ID, value: false });
  t.equal(restarted.control.submitLocal(late).admitted.name, "executing");
  await turn();
  restarted.runner.answer(commandId(4), { outcome: "failed", evidence: evidence("refused") });
  await turn();
  const next = localOrder(5, after(clock.uptime(), Millis(1_000)), { pointId: DEMAND_ID, value: false });
  t.equal(restarted.control.submitLocal(next).admitted.name, "executing", "what did not move need not rest");
});

t.test(
  "on site a person's confirmation is the selection; a client that nobody watches is refused",
  async (t) => {
    const { control, runner, clock } = await bench(t);
    const given = localOrder(1, after(clock.uptime(), Millis(1_000)), { pointId: DEMAND_ID, value: true });
    t.match(control.submitLocal({ ...given, confirmation: "none" }).admitted, { cause: "not-permitted" });
    t.equal(control.submitLocal({ ...given, commandId: commandId(2) }).admitted.name, "executing");
    await turn();
    t.match(
      runner.operations,
      [{ interlock: { name: "feeder" } }],
      "I33 its interlock holds for the crew too",
    );
  },
);

t.test("a gateway that stops holds no selection", async (t) => {
  const at = await bench(t);
  const held = await select(at);
  await at.control.shutDown();
  t.match(await held.end, { name: "rejected", cause: "shutting-down" });
  const late = { commandId: commandId(2), sequence: { generation: 1, counter: 2 } };
  t.match((await select(at, late)).admitted, { name: "rejected", cause: "shutting-down" });
  t.same(at.runner.operations, []);
});
