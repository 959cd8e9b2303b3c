import { generateKeyPairSync } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import t, { type Test } from "tap";
import type { CommandState } from "../../domain/command.ts";
import { PointId } from "../../domain/ids.ts";
import { after, Instant, Millis } from "../../domain/time.ts";
import { type CommandFrame, signCommand } from "../../domain/wire/downlink.ts";
import { CommandControl } from "../../gateway/control/command-control.ts";
import { openStoreReadOnly } from "../../gateway/store/opening/look-only.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  AUTHORITY,
  type ControlBench,
  commandId,
  DIM,
  evidence,
  GATEWAY,
  localOrder,
  openControl,
  order,
  POINTS,
  SILENT,
  SUCCEEDED,
} from "./control-bench.ts";
import { entriesOf, openTestStore } from "./store-run.ts";

/** A fresh store and control over it. */
async function bench(t: Test) {
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder: t.testdir() }, { clock });
  t.teardown(() => store[Symbol.asyncDispose]());
  return { clock, store, ...openControl(store, clock) };
}

/** The end that admission itself gave; fails the test when something was begun. */
function refusedBy({ control, runner }: Pick<ControlBench, "control" | "runner">, frame: CommandFrame) {
  const before = runner.operations.length;
  const { admitted } = control.submitFromCenter(frame);
  return { admitted, moved: runner.operations.length - before };
}

t.test(
  "an order goes through ledger, bus and read-back to its end, and each state is told once",
  async (t) => {
    const { store, control, runner, tokens, states } = await bench(t);
    const ticket = control.submitFromCenter(order(tokens));
    t.same(ticket.admitted, { name: "executing" });
    await turn();
    t.match(runner.operations, [
      {
        commandId: commandId(1),
        busId: "bus-1",
        unitAddress: "1",
        point: 1,
        value: 40,
        readBack: {
          points: [{ number: 2, pointId: "lamp-1/actual-level" }],
          tolerance: 1,
          within: 2_000,
          settle: 0,
        },
      },
    ]);
    runner.answer(commandId(1), SUCCEEDED);
    t.same(await ticket.end, { name: "succeeded", evidence: evidence("read back 40 of 40") });
    t.same(states, [
      [commandId(1), "executing"],
      [commandId(1), "succeeded"],
    ]);
    t.match(store.commands.find(commandId(1)), {
      origin: "center",
      session: "1.1",
      state: { name: "succeeded" },
    });
    t.match(store.desired.find(DIM), { value: 40, commandId: commandId(1), issuedBy: "operator/anna" });
    t.equal(entriesOf(store, "A").length, 2, "both states are evidence");
  },
);

t.test("I30 intent is durable before the bus write", async (t) => {
  const clock = new SimulatedClock();
  const folder = t.testdir();
  const store = await openTestStore({ folder }, { clock });
  t.teardown(() => store[Symbol.asyncDispose]());
  const { control, runner, tokens } = openControl(store, clock);
  let seen: unknown;
  runner.onOperation = () => {
    // Another connection, as after a kill at this very instruction.
    using look = openStoreReadOnly(folder, { clock, logger: SILENT });
    seen = { state: look.commands.find(commandId(1))?.state, desired: look.desired.find(DIM)?.value };
  };
  control.submitFromCenter(order(tokens));
  await turn();
  t.same(seen, { state: { name: "executing" }, desired: 40 });
  runner.answer(commandId(1), SUCCEEDED);
});

t.test(
  "I21 nothing moves once the token's age is past the budget, whatever the wall clock says",
  async (t) => {
    const { clock, control, runner, tokens } = await bench(t);
    const minted = clock.uptime();
    const late = order(tokens, { budgetMs: 5_000 });
    await clock.advance(5_001);
    t.match(control.submitFromCenter(late).admitted, {
      name: "expired",
      where: "gateway",
      detail: /5001 ms old/,
    });
    clock.setWall(Instant(0));
    const inTime = order(tokens, { commandId: commandId(2), budgetMs: 5_000 });
    await clock.advance(4_000);
    clock.setWall(Instant(Date.UTC(2090, 0, 1)));
    t.equal(
      control.submitFromCenter(inTime).admitted.name,
      "executing",
      "a clock that jumped makes nothing late",
    );
    await turn();
    t.equal(
      runner.operations[0]?.deadline,
      after(after(minted, Millis(5_001)), Millis(5_000)),
      "from the token on",
    );
    t.equal(runner.operations.length, 1);
    runner.answer(commandId(2), { outcome: "expired", detail: "its turn came too late" });
  },
);

t.test("I21 a local order whose deadline has passed moves nothing", async (t) => {
  const { clock, control, runner } = await bench(t);
  const deadline = after(clock.uptime(), Millis(100));
  await clock.advance(101);
  t.match(control.submitLocal(localOrder(1, deadline)).admitted, { name: "expired" });
  t.same(runner.operations, []);
});

t.test("I22 the same command twice, also 40 ms apart, has one effect and one verdict", async (t) => {
  const { clock, store, control, runner, tokens } = await bench(t);
  const frame = order(tokens);
  const first = control.submitFromCenter(frame);
  t.equal(control.submitFromCenter(frame), first);
  await clock.advance(40);
  t.equal(control.submitFromCenter(frame), first, "still executing");
  runner.answer(commandId(1), SUCCEEDED);
  const end = await first.end;
  await clock.advance(60_000);
  t.same(control.submitFromCenter(frame).admitted, end, "the stored verdict, although the token is old now");
  t.same(
    control.submitLocal(localOrder(1, after(clock.uptime(), Millis(1_000)))).admitted,
    end,
    "whoever asks",
  );
  t.equal(runner.operations.length, 1);
  t.equal(entriesOf(store, "A").length, 2, "a repeat is no new evidence");
});

t.test("I22 after a restart an ended command repeats its verdict, an executing one is unknown", async (t) => {
  const clock = new SimulatedClock();
  const folder = t.testdir();
  {
    await using store = await openTestStore({ folder }, { clock });
    const { control, runner, tokens } = openControl(store, clock);
    const done = control.submitFromCenter(order(tokens));
    control.submitFromCenter(
      order(tokens, { commandId: commandId(2), sequence: { generation: 1, counter: 2 } }),
    );
    await turn();
    runner.answer(commandId(1), SUCCEEDED);
    await done.end;
  }
  await using store = await openTestStore({ folder }, { clock });
  const { control, runner, tokens, states } = openControl(store, clock, "1.2");
  control.settleUnfinished();
  t.same(states, [[commandId(2), "outcome-unknown"]]);
  t.equal(control.submitFromCenter(order(tokens)).admitted.name, "succeeded");
  const unknown = control.submitFromCenter(order(tokens, { commandId: commandId(2) }));
  t.match(unknown.admitted, {
    name: "outcome-unknown",
    evidence: { target: 40, detail: /look at the device/ },
  });
  t.same(await unknown.end, unknown.admitted);
  t.same(runner.operations, []);
  const old = order(tokens, { commandId: commandId(3), sequence: { generation: 1, counter: 2 } });
  t.equal(control.submitFromCenter(old).admitted.name, "superseded", "I23 fences outlive a restart");
});

t.test(
  "I23 an order that is not above the last of its point is superseded; a new generation starts anew",
  async (t) => {
    const { control, runner, tokens, store, clock } = await bench(t);
    const inOrder = (number: number, generation: number, counter: number): CommandState["name"] =>
      control.submitFromCenter(
        order(tokens, { commandId: commandId(number), sequence: { generation, counter } }),
      ).admitted.name;
    t.equal(inOrder(1, 1, 5), "executing");
    t.equal(inOrder(2, 1, 4), "superseded");
    t.equal(inOrder(3, 1, 5), "superseded", "the same number is not above");
    t.equal(inOrder(4, 2, 1), "executing");
    t.equal(inOrder(5, 1, 9), "superseded");
    const deadline = after(clock.uptime(), Millis(1_000));
    t.equal(
      control.submitLocal(localOrder(6, deadline)).admitted.name,
      "executing",
      "local orders count on their own",
    );
    t.same(store.commands.lastFence(DIM, "center"), { generation: 2, counter: 1 });
    await turn();
    t.same(
      runner.operations.map((operation) => operation.commandId),
      [1, 4, 6].map(commandId),
    );
  },
);

t.test("I31 the signature binds every field: whichever is changed, nothing moves", async (t) => {
  const { control, runner, tokens } = await bench(t);
  const good = order(tokens);
  const changes: readonly Partial<CommandFrame>[] = [
    { commandId: commandId(99) },
    { gatewayId: "gw-2" },
    { pointId: "lamp-2/dim-level" },
    { action: "operate" },
    { value: 41 },
    { value: "40" },
    { args: [1] },
    { commandClass: "K2" },
    { sequence: { generation: 2, counter: 1 } },
    { sequence: { generation: 1, counter: 2 } },
    { session: "1.2" },
    { token: "f".repeat(32) },
    { budgetMs: 86_400_000 },
    { requester: "operator/eve" },
    { approvals: ["operator/eve"] },
    { policyVersion: "2" },
    { crit: ["x"] },
    { signature: "" },
    { signature: Buffer.alloc(64).toString("base64") },
  ];
  for (const [index, change] of changes.entries()) {
    // Its own id, so that no verdict of another case is repeated; signed, then changed.
    const frame = { ...order(tokens, { commandId: commandId(100 + index) }), ...change };
    const { admitted, moved } = refusedBy({ control, runner }, frame);
    t.match(
      { admitted, moved },
      { admitted: { name: "rejected", cause: "bad-signature" }, moved: 0 },
      JSON.stringify(change),
    );
  }
  const named = Object.keys(good).filter((field) => field !== "kind" && field !== "signature");
  const flipped = new Set(changes.flatMap((change) => Object.keys(change)));
  t.same(
    named.filter((field) => !flipped.has(field)),
    [],
    "no field is left out here",
  );
  const { signature: _signature, ...unsigned } = order(tokens, { commandId: commandId(98) });
  const foreign = signCommand(unsigned, generateKeyPairSync("ed25519").privateKey);
  t.match(refusedBy({ control, runner }, foreign), { admitted: { cause: "bad-signature" }, moved: 0 });
  t.equal(control.submitFromCenter(good).admitted.name, "executing", "unchanged it acts");
});

t.test("I32 a recorded order acts in no other session, on no other gateway, after no restart", async (t) => {
  const { control, runner, tokens, clock } = await bench(t);
  const recorded = order(tokens);
  tokens.open("1.2");
  t.match(refusedBy({ control, runner }, recorded), { admitted: { name: "expired" }, moved: 0 });
  const forAnother = order(tokens, { commandId: commandId(2), gatewayId: "gw-2" });
  t.match(refusedBy({ control, runner }, forAnother), {
    admitted: { name: "rejected", cause: "wrong-gateway" },
    moved: 0,
  });
  const unminted = order(tokens, { commandId: commandId(3), token: "0".repeat(32) });
  t.match(refusedBy({ control, runner }, unminted), { admitted: { name: "expired" }, moved: 0 });
  const held = order(tokens, { commandId: commandId(4) });
  await using restored = await openTestStore({ folder: t.testdir() }, { clock });
  const other = openControl(restored, clock, "1.2");
  t.match(
    refusedBy(other, held),
    { admitted: { name: "expired", detail: /token/ }, moved: 0 },
    "tokens live in RAM",
  );
  tokens.close();
  t.match(
    refusedBy({ control, runner }, held),
    { admitted: { name: "expired" }, moved: 0 },
    "no session at all",
  );
});

const RAMP: Partial<CommandFrame> = {
  pointId: "lamp-1/ramp",
  commandClass: "K2",
  value: true,
  args: [40, "slow"],
};

t.test(
  "an action goes to the bus with its arguments, and is proven by what the profile expects",
  async (t) => {
    const { control, runner, tokens, store, clock } = await bench(t);
    control.submitFromCenter(order(tokens, RAMP));
    control.submitLocal({
      ...localOrder(2, after(clock.uptime(), Millis(1_000))),
      pointId: "lamp-1/ramp",
      value: true,
      args: [70, "fast"],
    });
    await turn();
    t.match(runner.operations, [
      {
        value: true,
        args: [40, "slow"],
        readBack: { expected: 40, points: [{ pointId: "lamp-1/actual-level" }] },
      },
      { value: true, args: [70, "fast"], readBack: { expected: 70 } },
    ]);
    t.same(store.commands.find(commandId(2))?.command.args, [70, "fast"], "the ledger keeps them");
  },
);

t.test("I25 what may not be done is refused with its cause, and nothing moves", async (t) => {
  const { control, runner, tokens, store } = await bench(t);
  const cases: readonly (readonly [string, Parameters<typeof order>[1]])[] = [
    ["unknown-point", { pointId: "lamp-9/dim-level" }],
    ["unknown-point", { pointId: "../#" }],
    ["not-writable", { pointId: "lamp-1/actual-level" }],
    ["out-of-range", { value: 101 }],
    ["out-of-range", { value: -0.1 }],
    ["wrong-type", { value: true }],
    ["wrong-type", { value: "40" }],
    ["wrong-type", { pointId: "lamp-1/label", value: 1 }],
    ["wrong-type", { pointId: "lamp-1/reset", commandClass: "K2", value: 1 }],
    ["unsupported", { crit: ["select-first"] }],
    ["unsupported", { action: "select" }],
    ["wrong-type", { args: [3] }],
    ["wrong-type", { ...RAMP, value: false }],
    ["wrong-type", { ...RAMP, args: [40] }],
    ["wrong-type", { ...RAMP, args: ["40", "slow"] }],
    ["out-of-range", { ...RAMP, args: [101, "slow"] }],
    ["out-of-range", { ...RAMP, args: [40, "at once"] }],
    ["unsupported", { pointId: "lamp-1/reset", commandClass: "K1", value: true }],
    ["unsupported", { pointId: "lamp-1/release", commandClass: "K3", value: true }],
  ];
  for (const [index, [cause, changes]] of cases.entries()) {
    const id = commandId(index + 1);
    const { admitted, moved } = refusedBy({ control, runner }, order(tokens, { ...changes, commandId: id }));
    t.match(
      { admitted, moved },
      { admitted: { name: "rejected", cause }, moved: 0 },
      JSON.stringify(changes),
    );
    t.same(store.commands.find(id)?.state, admitted, "its tombstone repeats it");
  }
  t.equal(store.commands.lastFence(DIM, "center"), null, "a refusal moves no fence");
  t.equal(store.desired.all().size, 0);
  t.same(entriesOf(store, "A").length, cases.length, "each is evidence");
});

t.test("a gateway without key or center refuses what pretends to come from one", async (t) => {
  const { store, clock, tokens, runner } = await bench(t);
  const parts = { gatewayId: GATEWAY, points: POINTS, store, runner, clock, logger: SILENT };
  const unenrolled = new CommandControl({ ...parts, freshness: null, commandKey: () => null });
  t.match(unenrolled.submitFromCenter(order(tokens)).admitted, { cause: "bad-signature" });
  const alone = new CommandControl({ ...parts, freshness: null, commandKey: () => AUTHORITY.publicKey });
  t.match(alone.submitFromCenter(order(tokens, { commandId: commandId(2) })).admitted, { name: "expired" });
});

t.test("a group's order is proven by the read-backs of all its members", async (t) => {
  const { control, runner, clock } = await bench(t);
  control.submitLocal(localOrder(1, after(clock.uptime(), Millis(1_000)), { pointId: "group-1/dim-level" }));
  await turn();
  t.match(runner.operations[0], {
    point: 21,
    readBack: {
      points: [
        { number: 2, pointId: PointId("lamp-1/actual-level") },
        { number: 12, pointId: PointId("lamp-2/actual-level") },
      ],
      settle: 300,
    },
  });
});
