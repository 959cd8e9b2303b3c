import t from "tap";
import { PointId } from "../../domain/ids.ts";
import type { Preview } from "../../domain/safety/preview.ts";
import { Seconds } from "../../domain/time.ts";
import { isCommandSignatureValid } from "../../domain/wire/downlink.ts";
import { openTestDispatch, PROOF } from "./dispatch-for-tests.ts";

const OPEN = PointId("lamp-1/open");
const CONFIRMED: Preview = [{ pointId: "lamp-1/open", value: false, quality: "good", ageMs: 800 }];
const hazard = { pointId: OPEN, value: true, confirmed: CONFIRMED } as const;
type Dispatch = Awaited<ReturnType<typeof openTestDispatch>>;

/** A hazardous command whose SELECT has left. */
async function selecting(dispatch: Dispatch) {
  dispatch.link.up("1.1");
  const { id } = await dispatch.order(hazard);
  await dispatch.round();
  return dispatch.find(id);
}

t.test("SELECT leaves, and OPERATE by itself when all stands as it was confirmed", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await selecting(dispatch);
  t.match(command.state, { name: "sent", action: "select" });
  await dispatch.clock.advance(1_000);
  await dispatch.tell(command, { name: "selected", preview: [{ ...CONFIRMED[0], ageMs: 3 } as never] });
  await dispatch.round();
  const [select, operate, ...more] = dispatch.link.frames;
  t.same(more, []);
  if (select === undefined || operate === undefined) throw new Error("two frames were to leave");
  for (const frame of [select, operate])
    t.ok(isCommandSignatureValid(frame, dispatch.publicKey), frame.action);
  t.match(select, { action: "select", commandClass: "K3", budgetMs: 10_000 });
  t.match(operate, { action: "operate", budgetMs: 9_000, commandId: select.commandId }, "one life for both");
  t.same(operate.sequence, select.sequence);
  const sent = await dispatch.find(command.id);
  t.match(sent.state, { name: "sent", action: "operate" });
  t.not(sent.operatedAt, null, "durable before the bytes leave");
  await dispatch.tell(sent, { name: "selected", preview: CONFIRMED });
  await dispatch.round();
  t.equal(dispatch.link.frames.length, 2, "I22 a selection told again operates nothing again");
  await dispatch.tell(sent, { name: "executing" });
  await dispatch.tell(sent, { name: "succeeded", evidence: PROOF });
  const states = ["draft", "authorized", "queued", "sent", "selected", "sent", "executing", "succeeded"];
  t.same(await dispatch.states(command.id), states);
});

t.test("I25 what was selected and not operated ends without effect, and OPERATE never leaves", async (t) => {
  const other: Preview = [{ pointId: "lamp-1/open", value: true, quality: "good", ageMs: 0 }];
  const cases = [
    {
      name: "another preview",
      preview: other,
      end: { name: "rejected", cause: "preview-changed", detail: /was false and is true/ },
    },
    { name: "less than was confirmed", preview: [], end: { name: "rejected", cause: "preview-changed" } },
    { name: "nonsense", preview: "?" as never, end: { name: "rejected", cause: "preview-changed" } },
    { name: "a stale link", wait: 7_001, end: { name: "rejected", cause: "stale-link" } },
    { name: "too late", wait: 10_001, beat: "fresh", end: { name: "expired", where: "center" } },
    { name: "another session", session: "1.2", end: { name: "rejected", cause: "offline" } },
  ] as const;
  for (const { name, end, ...more } of cases) {
    const dispatch = await openTestDispatch(t);
    const command = await selecting(dispatch);
    await dispatch.tell(command, { name: "selected", preview: "preview" in more ? more.preview : CONFIRMED });
    if ("wait" in more) await dispatch.clock.advance(more.wait);
    if ("beat" in more) dispatch.link.beat();
    if ("session" in more) dispatch.link.up(more.session);
    await dispatch.round();
    const ended = await dispatch.find(command.id);
    t.match(ended.state, end, name);
    t.equal(ended.operatedAt, null, name);
    t.same(
      dispatch.link.frames.map((frame) => frame.action),
      ["select"],
      name,
    );
  }
});

t.test("a SELECT without an answer proves no effect, whichever way it ends", async (t) => {
  const dispatch = await openTestDispatch(t);
  const first = await selecting(dispatch);
  await dispatch.clock.advance(10_001);
  await dispatch.round();
  t.match((await dispatch.find(first.id)).state, { name: "expired", where: "center" });
  const second = await selecting(dispatch);
  dispatch.link.up("1.2");
  await dispatch.round();
  t.match((await dispatch.find(second.id)).state, { name: "rejected", cause: "offline" });
  const third = await selecting(dispatch);
  const late = { name: "expired", where: "gateway", detail: "its session is over" } as const;
  await dispatch.tell(third, late, { session: "1.9" });
  t.equal((await dispatch.find(third.id)).state.name, "expired", "no OPERATE left, so it moved nothing");
});

t.test("once OPERATE has left, silence makes the outcome unknown and nothing takes it back", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await selecting(dispatch);
  await dispatch.tell(command, { name: "selected", preview: CONFIRMED });
  await dispatch.round();
  await t.rejects(dispatch.service.cancel(command.id, "operator/anna"), { code: "already-sent" });
  dispatch.link.up("1.2");
  await dispatch.round();
  t.equal((await dispatch.find(command.id)).state.name, "outcome-pending");
  const late = { name: "expired", where: "gateway", detail: "its session is over" } as const;
  await dispatch.tell(command, late, { session: "1.2" });
  t.equal((await dispatch.find(command.id)).state.name, "outcome-unknown");
});

t.test("a selection is taken back before OPERATE leaves", async (t) => {
  const dispatch = await openTestDispatch(t);
  const command = await selecting(dispatch);
  const taken = await dispatch.service.cancel(command.id, "operator/anna");
  t.match(taken.state, { name: "cancelled", by: "operator/anna" });
  await dispatch.tell(command, { name: "selected", preview: CONFIRMED });
  await dispatch.round();
  t.equal(dispatch.link.frames.length, 1);
});

t.test(
  "nothing leaves that the gateway did not announce, and an old link carries nothing hazardous",
  async (t) => {
    const dispatch = await openTestDispatch(t);
    dispatch.link.actions = ["write"];
    dispatch.link.up();
    t.match((await dispatch.order(hazard)).state, {
      name: "rejected",
      cause: "unsupported",
      detail: /update the gateway/,
    });
    dispatch.link.actions = [];
    dispatch.link.up();
    t.match((await dispatch.order()).state, { name: "rejected", cause: "unsupported" });
    dispatch.link.actions = ["write", "select", "operate"];
    dispatch.link.up();
    await dispatch.clock.advance(7_001);
    t.match((await dispatch.order(hazard)).state, { name: "rejected", cause: "stale-link" });
    dispatch.link.up();
    t.match((await dispatch.order({ ...hazard, confirmed: null })).state, { cause: "preview-changed" });
    await dispatch.round();
    t.same(dispatch.link.frames, []);
    await t.rejects(dispatch.order({ ...hazard, ttl: Seconds(31) }), { code: "life-too-long" });
  },
);
