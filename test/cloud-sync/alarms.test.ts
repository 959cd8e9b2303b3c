import { pino } from "pino";
import t from "tap";
import { AlarmKeeper } from "../../cloud-sync/alarms/alarm-keeper.ts";
import { alarmSeverity, isAlarmPoint } from "../../cloud-sync/store/alarm-points.ts";
import { raiseAlarm } from "../../cloud-sync/store/tables/alarms.ts";
import { PointId } from "../../domain/ids.ts";
import { rowsOf } from "./center-for-tests.ts";
import { GATEWAY } from "./dispatch-for-tests.ts";
import { type OperatorContext, openTestOperators } from "./operators-for-tests.ts";
import { tellerOf } from "./told-points.ts";

interface Shown {
  readonly number: number;
  readonly name: string;
  readonly subject: string;
  readonly clearedAtMs: number | null;
  readonly acknowledged: object | null;
  readonly shelved: object | null;
}

async function opened(t: OperatorContext) {
  const center = await openTestOperators(t);
  const { ask, events, database, clock } = center;
  const { tell, gatewayNo } = await tellerOf(center);
  const keeper = new AlarmKeeper({ database, events, clock, logger: pino({ level: "silent" }) });
  const told: unknown[] = [];
  events.on("alarms-changed", ({ gatewayId }) => told.push(gatewayId));
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  /** As ingest does: the state moves, then the hint; the keeper looks a second later. */
  const fail = async (value: boolean): Promise<void> => {
    await tell("lamp-failure", value);
    const pointIds = [PointId("lamp-1/lamp-failure")];
    events.tell("state-changed", { gatewayId: GATEWAY, pointIds, trueIds: value ? pointIds : [] });
    await keeper.round();
  };
  const list = async (): Promise<readonly Shown[]> =>
    (await ask("GET", "/api/v1/alarms", { role: "viewer" })).body["alarms"] as readonly Shown[];
  const act = (number: number | undefined, what: string, body: object = {}) =>
    ask("POST", `/api/v1/alarms/${number}/${what}`, { role: "operator", body });
  return { ...center, keeper, told, fail, list, act, gatewayNo };
}

t.test("an alarm is active while its point is true, and stays until somebody has seen it", async (t) => {
  const { keeper, told, fail, list, act, database } = await opened(t);
  await keeper.round();
  t.same(await list(), []);
  await fail(true);
  await fail(true);
  const [raised, ...more] = await list();
  t.match(raised, {
    origin: "device",
    gatewayId: "gw-test",
    name: "lamp-failure",
    subject: "lamp-1/lamp-failure",
    severity: "low",
    clearedAtMs: null,
    acknowledged: null,
    shelved: null,
  });
  t.same(more, [], "one alarm a point, however often it is told");
  t.same(told, ["gw-test"]);
  await fail(false);
  t.type((await list())[0]?.clearedAtMs, "number", "cleared, and still to be seen");
  await fail(true);
  t.equal((await list()).length, 2, "it came again: another alarm");
  for (const { number } of await list())
    t.equal((await act(number, "acknowledge", { note: "crew 7 goes" })).status, 200);
  const left = await list();
  t.match(left, [{ clearedAtMs: null, acknowledged: { by: "operator/test-operator", note: "crew 7 goes" } }]);
  t.equal((await act(left[0]?.number, "acknowledge")).status, 409, "once");
  await fail(false);
  t.same(await list(), [], "cleared and acknowledged");
  const audit = await rowsOf(
    database,
    "select actor, detail from center_audit where action = 'alarm-acknowledged'",
  );
  t.match(audit, [
    { actor: "operator/test-operator", detail: { subject: "lamp-1/lamp-failure", note: "crew 7 goes" } },
    {},
  ]);
});

t.test(
  "a shelved alarm says who, why and until when; the next of its point is shelved as well",
  async (t) => {
    const { fail, list, act, keeper } = await opened(t);
    await keeper.round();
    await fail(true);
    const number = (await list())[0]?.number;
    t.equal((await act(number, "shelve", { minutes: 60 })).body.error?.pointer, "/reason");
    t.equal((await act(number, "shelve", { minutes: 20_000, reason: "x" })).status, 400, "at most 7 days");
    t.match(
      (await act(number, "shelve", { minutes: 525, reason: "being replaced" })).body["acknowledged"],
      null,
    );
    await fail(false);
    t.equal(
      (await act(number, "shelve", { minutes: 1, reason: "x" })).status,
      409,
      "only while it is active",
    );
    await fail(true);
    t.equal((await list()).length, 2);
  },
);

t.test("what a viewer may not, what is not there, and an alarm of the center itself", async (t) => {
  const { ask, list, act, database, gatewayNo, clock } = await opened(t);
  const alarm = {
    gatewayNo,
    name: "lineage-fork",
    subject: "store",
    detail: "two",
    at: clock.now(),
  } as const;
  await raiseAlarm(database, alarm);
  await raiseAlarm(database, alarm);
  const [own] = await list();
  t.match(own, { origin: "center", name: "lineage-fork", severity: "high", occurrences: 2 });
  const denied = await ask("POST", `/api/v1/alarms/${own?.number}/acknowledge`, { role: "viewer", body: {} });
  t.equal(denied.status, 403);
  t.equal((await act(4_711, "acknowledge")).status, 404);
  t.equal((await act(own?.number, "acknowledge")).status, 200);
  t.same(await list(), [], "nothing shows when it ends: seen is over");
});

t.test(
  "I9 the keeper looks at everything at its start: an alarm of before is raised once, one that went is cleared",
  async (t) => {
    const { keeper, tell, list, events, clock, database } = await openedQuietly(t);
    await tell("lamp-failure", true);
    await keeper.round();
    t.equal((await list()).length, 1);
    await tell("lamp-failure", false);
    await clock.advance(61_000);
    await keeper.round();
    t.type((await list())[0]?.clearedAtMs, "number", "found by period, without a hint");
    await tell("lamp-failure", true);
    const again = new AlarmKeeper({ database, events, clock, logger: pino({ level: "silent" }) });
    await again.round();
    await keeper.round();
    t.equal(
      (await list()).filter(({ clearedAtMs }) => clearedAtMs === null).length,
      1,
      "two replicas raise one",
    );
  },
);

async function openedQuietly(t: OperatorContext) {
  const center = await openTestOperators(t);
  const { ask, events, database, clock } = center;
  const { tell } = await tellerOf(center);
  const keeper = new AlarmKeeper({ database, events, clock, logger: pino({ level: "silent" }) });
  const list = async (): Promise<readonly Shown[]> =>
    (await ask("GET", "/api/v1/alarms")).body["alarms"] as readonly Shown[];
  return { ...center, tell, keeper, list };
}

t.test("names tell what is an alarm and how soon a person is needed", async (t) => {
  const severityOf = (name: string): string =>
    isAlarmPoint({ name, type: "boolean" }) ? alarmSeverity(name) : "none";
  t.equal(severityOf("lamp-failure"), "low");
  t.equal(severityOf("door-open"), "medium");
  t.equal(severityOf("feeder-3-breaker-tripped"), "medium");
  t.equal(severityOf("rcd-tripped"), "high");
  t.equal(severityOf("main-breaker-tripped"), "high");
  t.equal(severityOf("lamp-on"), "none");
  t.equal(isAlarmPoint({ name: "lamp-failure", type: "number" }), false);
});
