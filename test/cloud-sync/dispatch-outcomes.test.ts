import { pino } from "pino";
import t from "tap";
import { DispatchError } from "../../cloud-sync/dispatch/dispatch-error.ts";
import { openCenterStore } from "../../cloud-sync/store/center-store.ts";
import { CommandId, GatewayId, PointId } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Instant, Seconds } from "../../domain/time.ts";
import { dispatchOn, openTestDispatch, PROOF } from "./dispatch-for-tests.ts";

type Dispatch = Awaited<ReturnType<typeof openTestDispatch>>;

/** A command that has left. */
async function sent(dispatch: Dispatch) {
  dispatch.link.up("1.1");
  const { id } = await dispatch.order();
  await dispatch.round();
  return dispatch.find(id);
}

t.test("a queued command can be taken back, a sent one can not", async (t) => {
  const dispatch = await openTestDispatch(t);
  const waiting = await dispatch.order();
  t.match((await dispatch.service.cancel(waiting.id, "operator/anna")).state, {
    name: "cancelled",
    by: "operator/anna",
  });
  dispatch.link.up();
  await dispatch.round();
  t.same(dispatch.link.frames, [], "a cancelled one never leaves");
  const { id } = await sent(dispatch);
  await t.rejects(dispatch.service.cancel(id, "operator/anna"), { code: "already-sent" });
  const unknown = CommandId("0190a0b0-0000-7000-8000-000000000000");
  await t.rejects(dispatch.service.cancel(unknown, "operator/anna"), DispatchError);
});

t.test("I22 the same id again is the same command, and never a second one", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up();
  const commandId = CommandId("0190a0b0-0000-7000-8000-00000000abcd");
  const both = await Promise.all([dispatch.order({ commandId }), dispatch.order({ commandId })]);
  t.same(
    both.map((command) => command.id),
    [commandId, commandId],
  );
  await dispatch.round();
  await dispatch.order({ commandId });
  await dispatch.round();
  t.equal(dispatch.link.frames.length, 1);
  await t.rejects(dispatch.order({ commandId, value: 41 }), { code: "id-taken" });
});

t.test(
  "I26 a command without a verdict is pending, then unknown, and only a person resolves it",
  async (t) => {
    const dispatch = await openTestDispatch(t);
    const { id } = await sent(dispatch);
    dispatch.link.up("1.2");
    await dispatch.round();
    t.match((await dispatch.find(id)).state, { name: "outcome-pending", why: "session-changed" });
    dispatch.link.beat(0);
    await dispatch.round();
    t.equal((await dispatch.find(id)).state.name, "outcome-pending", "an operation may still be under way");
    await dispatch.clock.advance(200_000);
    dispatch.link.beat(3);
    await dispatch.round();
    t.equal((await dispatch.find(id)).state.name, "outcome-pending", "evidence is still on its way");
    dispatch.link.beat(0);
    await dispatch.round();
    t.equal((await dispatch.find(id)).state.name, "outcome-unknown");
    t.equal(dispatch.link.frames.length, 1, "a set-point is not sent again by itself");
    await dispatch.tell(await dispatch.find(id), { name: "succeeded", evidence: PROOF });
    t.equal((await dispatch.find(id)).state.name, "outcome-unknown", "I27 it stays");
    const shown = {
      pointId: "lamp-1/actual-level",
      value: 40,
      quality: "good",
      source: "read",
      ageMs: 90,
    } as const;
    const evidence = { outcome: "read", points: [shown] } as const;
    const found = { by: "operator/anna", note: "saw it at 40 %", evidence };
    t.match(await dispatch.service.resolve(id, found), {
      state: { name: "outcome-unknown" },
      resolution: { by: "operator/anna" },
    });
    t.match((await dispatch.find(id)).resolution, found, "it is kept as it was");
    await t.rejects(dispatch.service.resolve(id, { ...found, by: "operator/bob" }), { code: "not-unknown" });
  },
);

t.test("a late verdict of the command's own session is proof", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await sent(dispatch);
  dispatch.link.up("1.2");
  await dispatch.round();
  await dispatch.tell(command, { name: "succeeded", evidence: PROOF }, { session: "1.1" });
  t.equal((await dispatch.find(command.id)).state.name, "succeeded");
});

t.test("a «no effect» that a later session judged proves nothing", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await sent(dispatch);
  const expired = { name: "expired", where: "gateway", detail: "its session is over" } as const;
  await dispatch.tell(command, expired, { session: "1.2" });
  t.equal((await dispatch.find(command.id)).state.name, "outcome-unknown");
});

t.test("nothing was sent when the link broke in the last moment, and that is what is told", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up();
  dispatch.link.accepts = "no";
  const { id } = await dispatch.order();
  await dispatch.round();
  t.match((await dispatch.find(id)).state, { name: "rejected", cause: "offline" });
});

t.test("a token older than the time that is left waits for a fresh one", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up();
  await dispatch.clock.advance(4_900);
  const { id } = await dispatch.order({ pointId: PointId("lamp-1/reset"), value: true, ttl: Seconds(4) });
  await dispatch.round();
  t.equal((await dispatch.find(id)).state.name, "queued");
  await dispatch.clock.advance(1_000);
  dispatch.link.beat();
  await dispatch.round();
  t.equal((await dispatch.find(id)).state.name, "sent");
  t.equal(dispatch.link.frames[0]?.budgetMs, 3_000);
});

t.test("a wall clock set back does not lengthen a command's life", async (t) => {
  const dispatch = await openTestDispatch(t);
  const { id } = await dispatch.order({ ttl: Seconds(10) });
  await dispatch.clock.advance(11_000);
  dispatch.clock.setWall(Instant(0));
  dispatch.link.up();
  await dispatch.round();
  t.equal((await dispatch.find(id)).state.name, "expired");
});

t.test("a command given at the gateway is seen at the center, and is not the center's to move", async (t) => {
  const dispatch = await openTestDispatch(t);
  const made = await dispatch.order();
  const id = CommandId("0190a0b0-0000-7000-8000-00000000beef");
  const local = { commandId: id, origin: "local", issuedBy: "crew/0042", session: null } as const;
  await dispatch.tell(made, { name: "executing" }, local);
  dispatch.link.up();
  await dispatch.round();
  t.match(await dispatch.find(id), { origin: "local", issuedBy: "crew/0042", state: { name: "executing" } });
  await dispatch.tell(made, { name: "rejected", cause: "blocked", detail: "lock-out" }, local);
  t.same(await dispatch.states(id), ["executing", "rejected"]);
});

t.test("a gateway can not speak of another gateway's command", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await sent(dispatch);
  await dispatch.tell(command, { name: "succeeded", evidence: PROOF }, { gatewayId: GatewayId("gw-other") });
  t.equal((await dispatch.find(command.id)).state.name, "sent");
});

t.test("evidence that nobody understands moves nothing and stops nothing", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await sent(dispatch);
  await dispatch.tell(command, { name: "levitating" } as never);
  await dispatch.tell(command, { name: "executing" }, { commandId: "not-an-id" });
  await dispatch.tell(command, { name: "executing" }, { pointId: "no point" });
  t.equal((await dispatch.find(command.id)).state.name, "sent");
});

t.test("a center that starts anew goes on from the database alone", async (t) => {
  const before = await openTestDispatch(t);
  const reset = { pointId: PointId("lamp-1/reset"), value: true };
  const left = await sent(before);
  const executing = await sent(before);
  await before.tell(executing, { name: "executing" });
  const momentary = await before.order(reset);
  t.equal(momentary.state.name, "queued");
  before.link.down();
  const waiting = await before.order({ pointId: PointId("lamp-1/label"), value: "a" });
  const database = await openCenterStore({
    connectionString: before.connectionString,
    logger: pino({ level: "silent" }),
    clock: systemClock,
  });
  t.teardown(() => database[Symbol.asyncDispose]());
  before.link.link = undefined;
  const after = dispatchOn(database, { clock: before.clock, link: before.link, generation: 1 });
  await after.round();
  const stateOf = async (command: { id: CommandId }) => (await after.find(command.id)).state.name;
  t.equal(await stateOf(waiting), "authorized", "a set-point goes on waiting");
  t.equal(await stateOf(momentary), "rejected", "I28 a momentary one does not");
  t.equal(await stateOf(left), "sent", "the gateway may still answer");
  after.link.up("1.2");
  await after.round();
  t.equal(await stateOf(left), "outcome-pending");
  t.equal(await stateOf(executing), "outcome-pending");
  t.equal(await stateOf(waiting), "sent");
  const restored = dispatchOn(database, { clock: before.clock, link: before.link, generation: 2 });
  await restored.round();
  for (const each of [left, executing, waiting]) t.equal(await stateOf(each), "outcome-unknown", "I37");
  const ids = after.link.frames.map((frame) => frame.commandId);
  t.equal(new Set(ids).size, ids.length, "I22 none was sent twice");
});
