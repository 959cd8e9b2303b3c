import t from "tap";
import { PointId } from "../../domain/ids.ts";
import { Millis } from "../../domain/time.ts";
import { isCommandSignatureValid } from "../../domain/wire/downlink.ts";
import { rowsOf } from "./center-for-tests.ts";
import { openTestDispatch, PROOF } from "./dispatch-for-tests.ts";

t.test("a set-point goes from draft over the downlink to its proven end", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up("1.4");
  const order = await dispatch.order();
  t.equal(order.state.name, "queued");
  await dispatch.round();
  const [frame] = dispatch.link.frames;
  if (frame === undefined) throw new Error("nothing was sent");
  t.ok(isCommandSignatureValid(frame, dispatch.publicKey), "signed by the command authority");
  t.match(frame, { commandId: order.id, pointId: "lamp-1/dim-level", value: 40, action: "write" });
  t.match(frame, { session: "1.4", sequence: { generation: 1, counter: 1 }, requester: "operator/test" });
  t.equal(frame.budgetMs, 60_000, "a set-point's budget is at most a minute");
  const sent = await dispatch.find(order.id);
  await dispatch.tell(sent, { name: "executing" });
  await dispatch.tell(sent, { name: "succeeded", evidence: PROOF });
  const ended = await dispatch.find(order.id);
  t.match(ended.state, { name: "succeeded", evidence: { detail: "read back 40 % of 40 %" } });
  const states = ["draft", "authorized", "queued", "sent", "executing", "succeeded"];
  t.same(await dispatch.states(order.id), states);
  const audit = await rowsOf(dispatch.database, "select action, actor from center_audit order by audit_no");
  t.same(
    audit.map((row) => row["action"]),
    states.map((state) => `command-${state}`),
    "I38 every move is in the audit",
  );
  t.equal(audit.at(-1)?.["actor"], "gateway/gw-test");
  await dispatch.round();
  t.equal(dispatch.link.frames.length, 1);
});

t.test("SENT is durable before the bytes leave", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up();
  const { id } = await dispatch.order();
  let seen: Promise<string> | undefined;
  dispatch.link.onSend = () => {
    seen = dispatch.find(id).then((command) => command.state.name);
  };
  await dispatch.round();
  t.equal(await seen, "sent", "another connection sees it");
});

t.test("what can not be carried out ends at once, with its cause", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up();
  const cases = [
    { name: "unknown device", pointId: "lamp-9/dim-level", value: 40, cause: "unknown-point" },
    { name: "unknown point", pointId: "lamp-1/colour", value: 40, cause: "unknown-point" },
    { name: "read-only", pointId: "lamp-1/actual-level", value: 40, cause: "not-writable" },
    { name: "too high", pointId: "lamp-1/dim-level", value: 140, cause: "out-of-range" },
    { name: "too low", pointId: "lamp-1/dim-level", value: -1, cause: "out-of-range" },
    { name: "a text for a number", pointId: "lamp-1/dim-level", value: "40", cause: "wrong-type" },
    { name: "a number for a text", pointId: "lamp-1/label", value: 4, cause: "wrong-type" },
    {
      name: "a hazardous point, not confirmed",
      pointId: "lamp-1/open",
      value: true,
      cause: "preview-changed",
    },
  ];
  for (const { name, pointId, value, cause } of cases) {
    const command = await dispatch.order({ pointId: PointId(pointId), value });
    t.match(command.state, { name: "rejected", cause }, name);
  }
  await dispatch.round();
  t.same(dispatch.link.frames, [], "nothing was sent");
});

t.test("an action leaves with its arguments, signed, and is another order with others", async (t) => {
  const dispatch = await openTestDispatch(t);
  dispatch.link.up();
  const ramp = { pointId: PointId("lamp-1/ramp"), value: true, args: [70, "slow"] };
  const order = await dispatch.order(ramp);
  t.same((await dispatch.find(order.id)).args, [70, "slow"], "kept with the order");
  await dispatch.round();
  const [frame] = dispatch.link.frames;
  if (frame === undefined) throw new Error("nothing was sent");
  t.match(frame, { pointId: "lamp-1/ramp", value: true, args: [70, "slow"], commandClass: "K2" });
  t.ok(isCommandSignatureValid(frame, dispatch.publicKey));
  t.notOk(
    isCommandSignatureValid({ ...frame, args: [71, "slow"] }, dispatch.publicKey),
    "I31 the signature binds them",
  );
  t.equal((await dispatch.order({ ...ramp, commandId: order.id })).id, order.id);
  await t.rejects(dispatch.order({ ...ramp, args: [71, "slow"], commandId: order.id }), { code: "id-taken" });
  t.match((await dispatch.order({ ...ramp, value: false })).state, { name: "rejected", cause: "wrong-type" });
  t.match(
    (await dispatch.order({ args: [1] })).state,
    { name: "rejected", cause: "wrong-type" },
    "a set-point takes none",
  );
});

t.test("I28 K2 and K3 to an offline gateway are refused at once", async (t) => {
  const dispatch = await openTestDispatch(t);
  for (const pointId of ["lamp-1/reset", "lamp-1/open"]) {
    const command = await dispatch.order({ pointId: PointId(pointId), value: true });
    t.match(command.state, { name: "rejected", cause: "offline" }, pointId);
    t.same(await dispatch.states(command.id), ["draft", "authorized", "rejected"]);
  }
  dispatch.link.up();
  await dispatch.round();
  t.same(dispatch.link.frames, [], "nothing waited for the gateway");
});

t.test("a set-point waits for its gateway, and the newest wins", async (t) => {
  const dispatch = await openTestDispatch(t);
  const older = await dispatch.order({ value: 20 });
  t.equal(older.state.name, "authorized");
  const newer = await dispatch.order({ value: 70 });
  t.match((await dispatch.find(older.id)).state, { name: "superseded", by: newer.id });
  await dispatch.order({ value: 140 });
  t.equal((await dispatch.find(newer.id)).state.name, "authorized", "a refused one supersedes nothing");
  await dispatch.clock.advance(3_600_000);
  dispatch.link.up();
  await dispatch.round();
  t.same(
    dispatch.link.frames.map((frame) => frame.value),
    [70],
  );
});

t.test("I21 what was not sent while it was wanted expires and never leaves", async (t) => {
  const dispatch = await openTestDispatch(t);
  const order = await dispatch.order({ ttl: Millis(5_000) });
  await dispatch.clock.advance(4_000);
  await dispatch.round();
  t.equal((await dispatch.find(order.id)).state.name, "authorized");
  await dispatch.clock.advance(1_000);
  dispatch.link.up();
  await dispatch.round();
  t.match((await dispatch.find(order.id)).state, { name: "expired", where: "center" });
  t.same(dispatch.link.frames, []);
});
