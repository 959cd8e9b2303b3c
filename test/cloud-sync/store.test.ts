import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { Housekeeping } from "../../cloud-sync/ingest/housekeeping.ts";
import { openCenterStore } from "../../cloud-sync/store/center-store.ts";
import { bumpGeneration, readGeneration } from "../../cloud-sync/store/generation-file.ts";
import { migrate } from "../../cloud-sync/store/migrate.ts";
import { listAlarms } from "../../cloud-sync/store/tables/alarms.ts";
import { findPoint } from "../../cloud-sync/store/tables/catalogues.ts";
import { appendAudit, auditHash } from "../../cloud-sync/store/tables/center-audit.ts";
import { DayPartitions, dropDaysBefore } from "../../cloud-sync/store/tables/day-partitions.ts";
import { addDigests } from "../../cloud-sync/store/tables/entry-digests.ts";
import { listGateways } from "../../cloud-sync/store/tables/gateways.ts";
import { listLinks } from "../../cloud-sync/store/tables/links.ts";
import { listStates } from "../../cloud-sync/store/tables/point-states.ts";
import { listHistory } from "../../cloud-sync/store/tables/readings.ts";
import { GatewayId, PointId } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Days, Instant, Millis, Uptime } from "../../domain/time.ts";
import {
  enrolGateway,
  MIGRATED,
  openTestCenter,
  reading,
  rowsOf,
  type TestContext,
} from "./center-for-tests.ts";
import { openTestDatabase } from "./postgres-for-tests.ts";

const logger = pino({ level: "silent" });

async function openStore(
  t: TestContext,
  options: Parameters<typeof openTestDatabase>[1] = { template: MIGRATED },
) {
  const connectionString = await openTestDatabase(t, options);
  const database = await openCenterStore({ connectionString, logger, clock: systemClock });
  t.teardown(() => database[Symbol.asyncDispose]());
  return { connectionString, database };
}

t.test("two centers that start together migrate once", async (t) => {
  const connectionString = await openTestDatabase(t);
  const options = { connectionString, logger, clock: systemClock };
  const stores = await Promise.all([openCenterStore(options), openCenterStore(options)]);
  for (const store of stores) await store[Symbol.asyncDispose]();
  const database = await openCenterStore(options);
  t.teardown(() => database[Symbol.asyncDispose]());
  t.ok((await rowsOf(database, "select number from migrations")).length >= 3);
});

t.test("a database of a newer center, and a migration changed after it ran, stop the start", async (t) => {
  const { database } = await openStore(t);
  const folder = t.testdir({ "0001-make-thing.sql": "create table thing (id integer);", "notes.txt": "" });
  await t.rejects(migrate(database, { folder, logger }), { code: "changed-migration" });
  await rowsOf(database, "update migrations set number = number + 9000");
  await t.rejects(migrate(database, { folder, logger }), {
    code: "newer-schema",
    message: /start that version/,
  });
});

t.test("a migration that fails leaves nothing behind and is named", async (t) => {
  const { database } = await openStore(t);
  await rowsOf(database, "delete from migrations");
  const folder = t.testdir({ "0001-make-thing.sql": "create table thing (id integer); select 1 / 0;" });
  await t.rejects(migrate(database, { folder, logger }), { message: /0001-make-thing/ });
  writeFileSync(join(folder, "0001-make-thing.sql"), "create table thing (id integer);");
  await migrate(database, { folder, logger });
  t.strictSame(await rowsOf(database, "select * from thing"), []);
});

t.test("a database that does not answer is named with what to check", async (t) => {
  let uptime = 0;
  const clock = {
    ...systemClock,
    uptime: () => {
      uptime += 6_000;
      return Uptime(uptime);
    },
  };
  const connectionString = "postgres://nobody@127.0.0.1:1/nothing";
  await t.rejects(openCenterStore({ connectionString, logger, clock }), {
    code: "unreachable",
    message: /DATABASE_URL/,
  });
});

t.test("the generation outlives restarts, only grows, and is never guessed", (t) => {
  const folder = t.testdir();
  t.equal(readGeneration(folder), 1);
  t.equal(bumpGeneration(folder), 2);
  t.equal(readGeneration(folder), 2);
  t.equal(readFileSync(join(folder, "generation"), "utf8"), "2\n");
  for (const text of ["", "two", "-1"]) {
    writeFileSync(join(folder, "generation"), text);
    t.throws(() => readGeneration(folder), { code: "generation-unreadable" }, JSON.stringify(text));
  }
  t.end();
});

t.test("a day gets its partition once, and takes along what stood in the default one", async (t) => {
  const { database } = await openStore(t);
  const now = Instant(Date.UTC(2026, 5, 1, 12));
  const insert = (at: string) =>
    rowsOf(
      database,
      `insert into readings select 1, 1, 'C', 1, '${at}', null, null, null, 1, 1, 1, null, 0, 0`,
    );
  await insert("2026-06-05T10:00Z");
  const places = () => rowsOf(database, "select distinct tableoid::regclass::text as place from readings");
  t.match(await places(), [{ place: "readings_default" }]);
  const [one, two] = [new DayPartitions(database), new DayPartitions(database)];
  const times = [now, Instant(now + Days(4)), Instant(0), Instant(Number.NaN)];
  await Promise.all([one.ensure(times, now), two.ensure(times, now)]);
  t.match(await places(), [{ place: "readings_default" }], "four days ahead is no clock in order");
  await one.ensure([Instant(now + Days(4))], Instant(now + Days(3)));
  t.match(await places(), [{ place: "readings_2026_06_05" }]);
  await insert("2026-06-01T23:59:59.999Z");
  t.equal((await rowsOf(database, "select from readings_2026_06_01")).length, 1);
});

t.test("the audit is a chain that a changed row breaks", async (t) => {
  const { database } = await openStore(t);
  const entry = {
    at: Instant(1_000),
    actor: "operator/anna",
    action: "test",
    subject: "gw",
    detail: { b: 1, a: { d: [1], c: null } },
  };
  for (const _ of [1, 2]) await database.transaction((tx) => appendAudit(tx, entry));
  const rows = await rowsOf(database, "select * from center_audit order by audit_no");
  t.equal(rows[1]?.["previous_hash"], rows[0]?.["hash"]);
  const read = { ...entry, detail: rows[1]?.["detail"] as Record<string, unknown> };
  t.equal(auditHash(2, read, String(rows[0]?.["hash"])), rows[1]?.["hash"], "whatever order jsonb keeps");
  t.not(auditHash(2, { ...read, actor: "operator/eve" }, String(rows[0]?.["hash"])), rows[1]?.["hash"]);
});

t.test("what operators read: gateways, links, points, states, history, alarms", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  const id = GatewayId("gw-test");
  await gateway.send(
    gateway.readings(
      1,
      [1, 2, 3].map((value) =>
        reading({ value, stateVersion: value, gatewayTimestamp: Instant(Date.UTC(2026, 5, 1) + value) }),
      ),
    ),
  );
  await gateway.send(
    gateway.readings(4, [
      reading({ number: 9, value: true, stateVersion: 4 }),
      reading({ number: 10, value: "zone é", stateVersion: 5 }),
      reading({ number: 3, value: null, quality: "bad/no-communication", cause: "timeout", stateVersion: 6 }),
      reading({ number: 99 }),
    ]),
  );
  t.match(await listGateways(center.database), [
    { gateway_id: "gw-test", site_id: "site-test", software: "test" },
  ]);
  t.match(await listLinks(center.database), [{ gateway_id: "gw-test", state: "up", session: "1.1" }]);
  const states = await listStates(center.database, id);
  t.match(
    states.map(({ pointId, value, quality, cause }) => ({ pointId, value, quality, cause })),
    [
      { pointId: "lamp-1/dim-level", value: 3, quality: "good", cause: "none" },
      { pointId: "lamp-1/value-2", value: null, quality: "bad/no-communication", cause: "timeout" },
      { pointId: "lamp-1/value-8", value: true },
      { pointId: "lamp-1/value-9", value: "zone é" },
    ],
  );
  t.equal((await listStates(center.database, id, [PointId("lamp-1/value-8")])).length, 1);
  const point = await findPoint(center.database, id, PointId("lamp-1/dim-level"));
  t.match(point, { unit: "%", range_min: 0, range_max: 100, max_age_ms: 90_000, sweep: 1 });
  t.equal(await findPoint(center.database, id, PointId("lamp-1/nothing")), undefined);
  const span = { from: Instant(0), to: Instant(Date.UTC(2027, 0, 1)), limit: 2 };
  t.strictSame(
    (await listHistory(center.database, point?.point_no ?? 0, span)).map((row) => row.value),
    [2, 3],
  );
  t.match(await listAlarms(center.database), [
    { name: "records-quarantined", subject: "unknown-point", gateway_id: "gw-test" },
  ]);
});

t.test("housekeeping forgets digests by age and ends with its signal", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  await gateway.send(gateway.readings(1, [reading()]));
  const [row] = await rowsOf(center.database, "select incarnation_no from entry_digests");
  const incarnationNo = Number(row?.["incarnation_no"]);
  const old = { range: { first: 500, count: 1 }, digest: "ab".repeat(16) };
  await center.database.transaction((tx) =>
    addDigests(tx, { incarnationNo, lane: "C", digests: [old], at: Instant(1_000) }),
  );
  const stop = new AbortController();
  const running = new Housekeeping({ ...center, logger }).run(stop.signal);
  const digests = () => rowsOf(center.database, "select first_seq from entry_digests order by first_seq");
  for (let looks = 0; looks < 100 && (await digests()).length > 1; looks += 1) {
    await systemClock.sleep(Millis(10), stop.signal);
  }
  stop.abort();
  await running;
  t.strictSame(
    (await digests()).map((each) => each["first_seq"]),
    [1],
  );
});

t.test("readings go by whole days when their time is over, and younger ones stay", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  const now = systemClock.now();
  const ages = [Days(0), Days(20), Days(40)];
  const readings = ages.map((age) => reading({ gatewayTimestamp: Instant(now - age) }));
  await gateway.send(gateway.readings(1, readings));
  const times = async () =>
    (await rowsOf(center.database, "select gateway_at from readings order by gateway_at desc")).map((row) =>
      Math.round((now - Number(row["gateway_at"])) / Days(1)),
    );
  t.strictSame(await times(), [0, 20, 40]);
  t.equal(await dropDaysBefore(center.database, Instant(now - Days(30))), 1);
  t.strictSame(await times(), [0, 20]);
  t.equal(await dropDaysBefore(center.database, Instant(now - Days(30))), 0, "nothing is left to drop");
});
