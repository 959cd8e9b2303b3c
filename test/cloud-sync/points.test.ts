import t from "tap";
import { lockLink } from "../../cloud-sync/store/tables/sync-sessions.ts";
import { GatewayId } from "../../domain/ids.ts";
import { Instant } from "../../domain/time.ts";
import type { Catalogue } from "../../domain/wire/catalogue.ts";
import {
  CATALOGUE,
  enrolGateway,
  openTestCenter,
  reading,
  rowsOf,
  type TestCenter,
} from "./center-for-tests.ts";

const NOW = Instant(Date.UTC(2026, 5, 1, 12));

async function sums({ book }: TestCenter) {
  const [gateway] = await book.counts(NOW);
  const sum = (of: "points" | "told" | "good"): number =>
    (gateway?.counts ?? []).reduce((all, counts) => all + counts[of], 0);
  return { points: sum("points"), told: sum("told"), good: sum("good") };
}

t.test("the counts of points follow the commits, and are what the database holds", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  t.same(await sums(center), { points: 10, told: 0, good: 0 });
  await gateway.snapshot([reading({ number: 1 }), reading({ number: 2 })]);
  t.same(await sums(center), { points: 10, told: 2, good: 2 });
  const bad = { value: null, quality: "bad/no-communication", stateVersion: 2 } as const;
  await gateway.send(gateway.readings(1, [reading({ number: 2, ...bad }), reading({ number: 3 })]));
  t.same(await sums(center), { points: 10, told: 3, good: 2 });
  // Older than what is held: nothing moves (I8).
  await gateway.snapshot([reading({ number: 2, stateVersion: 1 })]);
  t.same(await sums(center), { points: 10, told: 3, good: 2 });

  // As another replica would: seen once there is a doubt.
  const [row] = await rowsOf(center.database, "update point_states set quality = 0 returning gateway_no");
  t.same(await sums(center), { points: 10, told: 3, good: 2 });
  center.book.doubt(Number(row?.["gateway_no"]));
  t.same(await sums(center), { points: 10, told: 3, good: 3 });
});

t.test(
  "control state is counted for itself: what is commanded, what proves it and what its interlock asks",
  async (t) => {
    const center = await openTestCenter(t);
    const gateway = await enrolGateway(center);
    await gateway.begin();
    const [kind] = CATALOGUE.kinds;
    if (kind === undefined) throw new Error("the test's catalogue is empty");
    const [dim, ...others] = kind.points;
    if (dim === undefined) throw new Error("the test's kind has no point");
    const commanded: typeof dim = {
      ...dim,
      access: "read-write",
      commandClass: "K1",
      readBack: "value-1",
      interlock: ["value-8"],
    };
    await gateway.tellCatalogue({ ...CATALOGUE, kinds: [{ ...kind, points: [commanded, ...others] }] });
    // Two of the three, and one of the seven others.
    await gateway.snapshot([1, 2, 4].map((number) => reading({ number })));
    const [told] = await center.book.counts(NOW);
    const counts = (told?.counts ?? []).map(({ isControl, points, good }) => ({ isControl, points, good }));
    t.same(
      counts.toSorted((one, other) => one.points - other.points),
      [
        { isControl: true, points: 3, good: 2 },
        { isControl: false, points: 7, good: 1 },
      ],
    );
  },
);

t.test("a new catalogue keeps the history of what stays, and retires the rest", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  await gateway.snapshot([reading({ number: 1 }), reading({ number: 2 })]);
  const before = await rowsOf(center.database, "select point_no from points where name = 'dim-level'");
  const [lamp] = CATALOGUE.devices;
  const [kind] = CATALOGUE.kinds;
  if (lamp === undefined || kind === undefined) throw new Error("the test's catalogue is empty");
  // Another unit for the first point, another number, and the second one gone with a number that it had.
  const [dim, ...others] = kind.points;
  const points = [{ ...dim, unit: "1" }, ...others.slice(1)] as typeof kind.points;
  const numbers = lamp.numbers.filter((number) => number !== 2).map((number) => number + 100);
  const changed: Catalogue = {
    ...CATALOGUE,
    kinds: [{ ...kind, points }],
    devices: [{ ...lamp, numbers }],
    retired: [
      { pointId: "lamp-1/value-1", number: 2 },
      { pointId: "lamp-9/never-known", number: 300 },
    ],
  };
  t.equal((await gateway.tellCatalogue(changed)).status, 200);
  const now = "select point_no, number, unit, retired from points where name = 'dim-level'";
  t.match(await rowsOf(center.database, now), [{ ...before[0], number: 101, unit: "1", retired: false }]);
  t.match(
    await rowsOf(center.database, "select point_id, number, type from points where retired order by number"),
    [
      { point_id: "lamp-1/value-1", number: 2, type: "number" },
      { point_id: "lamp-9/never-known", number: 300, type: null },
    ],
  );
  t.same(await sums(center), { points: 9, told: 1, good: 1 }, "a retired point is not counted");
  // Its records are still taken: they refer to it.
  const answer = await gateway.send(
    gateway.readings(1, [reading({ number: 300 }), reading({ number: 9999 })]),
  );
  t.match(answer.data, {
    outcomes: [{ outcome: "stored" }, { outcome: "quarantined", cause: "unknown-point" }],
  });
});

t.test("a catalogue that names one thing twice is refused with the place", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.hello();
  const [lamp] = CATALOGUE.devices;
  const [kind] = CATALOGUE.kinds;
  if (lamp === undefined || kind === undefined) throw new Error("the test's catalogue is empty");
  const cases: readonly (readonly [Partial<Catalogue>, RegExp])[] = [
    [{ devices: [lamp, lamp] }, /\/devices\/1\/id/],
    [{ devices: [lamp, { ...lamp, id: "lamp-2" }] }, /\/devices\/1\/numbers\/0/],
    [{ retired: [{ pointId: "lamp-1/dim-level", number: 400 }] }, /\/retired\/0/],
    [{ retired: [{ pointId: "lamp-3/level", number: 1 }] }, /\/retired\/0/],
    [
      { kinds: [{ ...kind, points: kind.points.map((point) => ({ ...point, name: "same" })) }] },
      /points\/1\/name/,
    ],
  ];
  for (const [change, place] of cases) {
    const answer = await gateway.tellCatalogue({ ...CATALOGUE, ...change });
    t.equal(answer.status, 400);
    t.match(JSON.stringify(answer.data), place);
  }
});

t.test("I11 a heartbeat does not wait for what else is stored of its gateway", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  await center.database.transaction(async (tx) => {
    await lockLink(tx, GatewayId("gw-test"));
    t.equal((await gateway.heartbeat()).status, 200);
  });
});

t.test("I11 the parts of one gateway's snapshot leave the others their connections", async (t) => {
  const center = await openTestCenter(t);
  const [gateway, other] = [await enrolGateway(center), await enrolGateway(center, "gw-other")];
  await gateway.begin();
  await other.begin();
  let parts: Promise<unknown> = Promise.resolve();
  await center.database.transaction(async (tx) => {
    await lockLink(tx, GatewayId("gw-test"));
    const count = 12;
    parts = Promise.all(Array.from({ length: count }, () => gateway.snapshot([reading()])));
    // As many as the pool has connections: they would all wait for the lock.
    t.equal((await other.heartbeat()).status, 200);
    t.equal((await other.snapshot([reading()])).status, 200);
  });
  await parts;
});
