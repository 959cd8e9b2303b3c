import t from "tap";
import { type Millis, Seconds, Uptime } from "../../domain/time.ts";
import { SilenceBudget } from "../../gateway/field/silence-budget.ts";
import { busPlan, HostBench, operation, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit } from "./field/scripted-driver.ts";

function bus(count: number, timeout = 500) {
  const units = Array.from({ length: count }, () => new ScriptedUnit());
  const driver = new ScriptedDriver(Object.fromEntries(units.map((unit, index) => [`${index + 1}`, unit])));
  const points = units.map((_, index) => [sitePoint(index + 1, 0)]);
  const first = units[0] ?? new ScriptedUnit();
  return { units, driver, first, bench: new HostBench(driver, busPlan(points, timeout)) };
}

t.test(
  "the first miss marks all points of the unit, once, and the answer after it tells them again",
  async (t) => {
    const { first, bench: opened } = bus(2);
    await using bench = opened;
    await bench.clock.advance(3_000);
    first.isSilent = true;
    await bench.clock.advance(20_000);
    t.same(
      bench.changesOf(1_000).map(({ value, quality, cause }) => [value, quality, cause]),
      [
        [0, "good", "none"],
        [null, "bad/no-communication", "timeout"],
      ],
    );
    t.match(bench.figures?.units, [{ state: "silent" }, { state: "answering" }]);
    first.isSilent = false;
    await bench.clock.advance(60_000);
    t.equal(bench.changesOf(1_000).length, 3);
    t.match(
      bench.changesOf(1_000).at(-1),
      { value: 0, quality: "good" },
      "told again though its value is the old one",
    );
    t.equal(bench.changesOf(2_000).length, 1, "the other unit was not touched");
  },
);

t.test("a silent unit is asked again after 1, 2, 4 … 60 s", async (t) => {
  const { first, driver, bench: opened } = bus(1, 50);
  await using bench = opened;
  first.isSilent = true;
  await bench.clock.advance(300_000);
  const starts = driver.events.map((event) => event.start);
  const waits = starts
    .slice(1)
    .map((start, index) => Math.round((start - (starts[index] ?? 0) - 50) / 1_000));
  t.same(waits.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
});

t.test("dead units together cost at most 5 % of line time, and the others keep their rate", async (t) => {
  const { units, driver, bench: opened } = bus(20);
  await using bench = opened;
  await bench.clock.advance(10_000);
  for (const dead of units.slice(0, 5)) dead.isSilent = true;
  const start = bench.clock.uptime();
  await bench.clock.advance(600_000);
  const wasted = driver.events
    .filter((event) => event.kind === "timeout" && event.start >= start)
    .reduce((sum, event) => sum + event.end - event.start, 0);
  t.ok(wasted / 600_000 <= 0.05, `${((100 * wasted) / 600_000).toFixed(2)} % of line time`);
  for (const unit of ["6", "20"]) {
    const polls = driver.events.filter((event) => event.unit === unit && event.start >= start).length;
    t.ok(polls >= 595, `unit ${unit} was polled ${polls} times in 600 s`);
  }
  for (const dead of units.slice(0, 5)) dead.isSilent = false;
  await bench.clock.advance(120_000);
  t.ok(
    bench.figures?.units.every((unit) => unit.state === "answering"),
    "all are found again",
  );
});

t.test(
  "a line that is silent as a whole is asked as each unit's back-off says: nobody is held up",
  async (t) => {
    const { units, driver, bench: opened } = bus(10, 1_000);
    for (const unit of units) unit.isSilent = true;
    await using bench = opened;
    await bench.clock.advance(60_000);
    const asked = units.map((_, index) => driver.events.filter(({ unit }) => unit === `${index + 1}`).length);
    t.ok(
      asked.every((count) => count >= 3),
      `asked ${asked.join(", ")} times in a minute, though that took all of it`,
    );
    t.equal(bench.figures?.units.filter(({ state }) => state === "silent").length, 10);
  },
);

t.test("once the first of a silent line answers, all are asked again at once", async (t) => {
  const { units, driver, bench: opened } = bus(4, 200);
  await using bench = opened;
  await bench.clock.advance(3_000);
  for (const unit of units) unit.isSilent = true;
  await bench.clock.advance(240_000);
  for (const unit of units) unit.isSilent = false;
  const back = bench.clock.uptime();
  await bench.clock.advance(120_000);
  const answers = driver.events.filter(({ kind, start }) => kind !== "timeout" && start >= back);
  const firstOf = units.map((_, index) => answers.find(({ unit }) => unit === `${index + 1}`)?.start ?? 0);
  const spread = Math.max(...firstOf) - Math.min(...firstOf);
  t.ok(spread <= 1_500, `the last came ${spread} ms after the first`);
  t.ok(bench.figures?.units.every(({ state }) => state === "answering"));
});

t.test("in no minute does silence cost more than 5 %, once the first misses are over", async (t) => {
  const budget = new SilenceBudget(Seconds(0.5));
  const spent: { at: number; cost: number }[] = [];
  for (let now = 0; now < 600_000; now += 100) {
    if (!budget.allows(Uptime(now))) continue;
    budget.spend(Uptime(now), 500 as Millis);
    spent.push({ at: now, cost: 500 });
  }
  for (const { at } of spent) {
    const minute = spent.filter((each) => each.at >= at && each.at < at + 60_000).length * 500;
    t.ok(minute <= 3_000, `${minute} ms in the minute from ${at} ms`);
  }
  t.ok(spent.length >= 50, `yet ${spent.length} probes were made in ten minutes`);
});

t.test("a lost line marks every point, refuses operations, and is opened again with back-off", async (t) => {
  const { driver, bench: opened } = bus(2);
  await using bench = opened;
  await bench.clock.advance(3_000);
  driver.isUnreachable = true;
  driver.cut();
  await bench.clock.advance(500);
  for (const point of [1_000, 2_000]) {
    t.match(bench.changesOf(point).at(-1), { quality: "bad/no-communication", cause: "connection-lost" });
  }
  t.match(await bench.operate(operation({ readBack: null })), { outcome: "rejected", cause: "busy" });
  await bench.clock.advance(20_000);
  t.equal(bench.figures?.state, "lost");
  t.equal(bench.changesOf(1_000).length, 2, "told once");
  driver.isUnreachable = false;
  await bench.clock.advance(30_000);
  t.equal(driver.opened, 2);
  t.match(bench.changesOf(2_000).at(-1), { value: 0, quality: "good" });
  t.equal(bench.figures?.state, "open");
});

t.test("a block over a hole is planned anew around it: no good point is lost", async (t) => {
  for (const hole of [0, 5, 7, 15]) {
    const unit = new ScriptedUnit();
    unit.holes.add(hole);
    const driver = new ScriptedDriver({ "1": unit });
    const points = Array.from({ length: 16 }, (_, register) => sitePoint(1, register));
    await using bench = new HostBench(driver, busPlan([points]));
    await bench.clock.advance(5_000);
    const told = new Map(bench.changes.map((change) => [change.point as number, change]));
    t.match(told.get(1_000 + hole), {
      value: null,
      quality: "bad/configuration-error",
      cause: "unknown-address",
    });
    t.equal([...told.values()].filter((change) => change.quality === "good").length, 15);
    const before = driver.events.length;
    await bench.clock.advance(10_000);
    const perSecond = (driver.events.length - before) / 10;
    t.ok(perSecond <= 2, `hole ${hole}: ${perSecond} exchanges a second`);
  }
});

t.test("a hole between two good points splits the block and no more", async (t) => {
  const unit = new ScriptedUnit();
  unit.holes.add(4);
  const driver = new ScriptedDriver({ "1": unit });
  await using bench = new HostBench(
    driver,
    busPlan([[0, 1, 2, 3, 5].map((register) => sitePoint(1, register))]),
  );
  await bench.clock.advance(10_000);
  t.ok(bench.changes.every((change) => change.quality === "good"));
  t.same([...new Set(driver.events.slice(-4).map((event) => event.label))].toSorted(), ["0,1,2,3", "5"]);
});

t.test("a point that was missing is looked for again after an hour", async (t) => {
  const unit = new ScriptedUnit();
  unit.holes.add(1);
  const driver = new ScriptedDriver({ "1": unit });
  const points = [0, 1].map((register) => sitePoint(1, register, { pollClass: "meter" }));
  await using bench = new HostBench(driver, busPlan([points]));
  await bench.clock.advance(60_000);
  unit.holes.clear();
  await bench.clock.advance(3_700_000);
  t.match(bench.changesOf(1_001).at(-1), { value: 0, quality: "good" });
});

t.test(
  "a sweep is told with the time since which all of it is confirmed, and not while the unit is silent",
  async (t) => {
    const { first, bench: opened } = bus(2);
    await using bench = opened;
    await bench.clock.advance(5_000);
    const last = bench.sweeps.filter(([sweep]) => sweep === 10).at(-1);
    t.ok((last?.[1] ?? 0) > bench.clock.uptime() - 2_000);
    first.isSilent = true;
    await bench.clock.advance(2_000);
    const silent = bench.clock.uptime();
    await bench.clock.advance(30_000);
    t.notOk(bench.sweeps.some(([sweep, at]) => sweep === 10 && at > silent));
    t.ok(bench.sweeps.some(([sweep, at]) => sweep === 20 && at > silent + 25_000));
  },
);

t.test("a wall-clock step moves no poll and no back-off", async (t) => {
  const { driver, bench: opened } = bus(1);
  await using bench = opened;
  await bench.clock.advance(5_000);
  const before = driver.events.length;
  bench.clock.setWall(0 as never);
  await bench.clock.advance(5_000);
  t.equal(driver.events.length - before, 5);
});

t.test("frames are kept only while somebody looks", async (t) => {
  const { bench: opened } = bus(1);
  await using bench = opened;
  await bench.clock.advance(5_000);
  const id = operation().busId;
  t.equal((await bench.host.readFrames(id)).length, 0);
  await bench.clock.advance(5_000);
  t.match(
    await bench.host.readFrames(id),
    Array.from({ length: 5 }, () => ({ direction: "sent" })),
  );
  await bench.clock.advance(70_000);
  t.equal((await bench.host.readFrames(id)).length, 0, "a minute after the last look it is empty again");
});

t.test("a driver that lets an exchange hang ends the host, so that it is started anew", async (t) => {
  const { first, bench: opened } = bus(1);
  await using bench = opened;
  await bench.clock.advance(2_000);
  first.latencyMs = 1e9;
  await bench.clock.advance(70_000);
  await t.rejects(bench.ended, /hang beyond its time-out/);
});
