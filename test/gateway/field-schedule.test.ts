import fc from "fast-check";
import t from "tap";
import { PointNumber } from "../../domain/ids.ts";
import { POLL_CLASSES } from "../../domain/point.ts";
import {
  BusScheduler,
  dueAfter,
  rankOf,
  type ScheduledTask,
  spread,
  URGENT_MAX,
} from "../../gateway/field/bus-scheduler.ts";
import { busPlan, HostBench, operation, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit } from "./field/scripted-driver.ts";

const task = (rank: number, due: number, intervalMs = 1_000): ScheduledTask => ({
  rank,
  due,
  intervalMs,
  anchor: due,
  retired: false,
});

t.test(
  "priorities: polls by class, the one due longest first, probes last and only when allowed",
  async (t) => {
    const scheduler = new BusScheduler<string, ScheduledTask>();
    const slow = task(rankOf("slow"), 10);
    const probe = task(rankOf("probe"), 5);
    const late = task(rankOf("safety-status"), 20);
    const later = task(rankOf("safety-status"), 30);
    const notYet = task(rankOf("safety-status"), 999);
    for (const each of [probe, slow, later, notYet, late]) scheduler.add(each);
    t.equal(scheduler.nextDue("polls"), 10);
    t.equal(scheduler.nextDue("polls-and-probes"), 5);
    t.equal(scheduler.take(100, "polls-and-probes"), late);
    t.equal(scheduler.take(100, "polls-and-probes"), later);
    t.equal(scheduler.take(100, "polls-and-probes"), slow);
    t.equal(scheduler.take(100, "polls"), undefined);
    t.equal(scheduler.take(100, "polls-and-probes"), probe);
    t.equal(scheduler.take(100, "polls-and-probes"), undefined);
    notYet.retired = true;
    t.equal(scheduler.take(1_000, "polls-and-probes"), undefined, "a retired task is dropped");
  },
);

t.test("an overloaded line starves no class for ever: one turn in sixteen goes to the latest", async (t) => {
  const scheduler = new BusScheduler<string, ScheduledTask>();
  const greedy = task(rankOf("safety-status"), 0, 250);
  const starved = task(rankOf("lamp"), 0, 30_000);
  scheduler.add(greedy);
  scheduler.add(starved);
  let turns = 0;
  for (let now = 0; now < 1e6; now += 300) {
    const next = scheduler.take(now, "polls");
    turns += 1;
    if (next === starved) break;
    greedy.due = now + 1;
    scheduler.add(greedy);
  }
  t.ok(turns > 1 && turns <= 300, `served after ${turns} turns`);
});

t.test("keep-alives that fill a line leave the slow reads their turn", async (t) => {
  const scheduler = new BusScheduler<string, ScheduledTask>();
  const slow = task(rankOf("slow"), 0, 900_000);
  scheduler.add(slow);
  for (let unit = 0; unit < 10; unit += 1) scheduler.add(task(rankOf("safety-status"), 0, 50));
  let now = 0;
  for (
    let next = scheduler.take(now, "polls");
    next !== slow && next !== undefined;
    next = scheduler.take(now, "polls")
  ) {
    now += 20;
    next.due = dueAfter(next, now);
    scheduler.add(next);
    if (now > 900_000) break;
  }
  t.ok(now < 300_000, `served after ${now / 1_000} s of its 900`);
});

t.test("units do not start together, and a task keeps its phase", async (t) => {
  const dues = Array.from({ length: 50 }, (_, index) => spread(0, 5_000, { index, count: 50 }));
  t.ok(new Set(dues.map(({ due }) => due)).size >= 50, "each starts alone");
  t.ok(Math.max(...dues.map(({ due }) => due)) < 1_000, "all are read within the first second");
  t.equal(dueAfter({ anchor: 300, intervalMs: 1_000 }, 5_300), 6_300);
  t.equal(dueAfter({ anchor: 300, intervalMs: 1_000 }, 5_250), 5_300, "missed dues are not made up for");
});

t.test("the queue of operations is bounded: the 65th is refused", async (t) => {
  const scheduler = new BusScheduler<number, ScheduledTask>();
  for (let index = 0; index < URGENT_MAX; index += 1) t.equal(scheduler.offer(index), "accepted");
  t.equal(scheduler.offer(64), "busy");
  t.equal(scheduler.takeUrgent(), 0);
  t.equal(scheduler.offer(64), "accepted");
});

t.test("a full queue rejects as busy, and the bus works it off", async (t) => {
  const unit = new ScriptedUnit();
  const driver = new ScriptedDriver({ "1": unit });
  await using bench = new HostBench(driver, busPlan([[sitePoint(1, 0), sitePoint(1, 1)]]));
  await bench.clock.advance(1_000);
  const none = new AbortController().signal;
  const order = operation({ readBack: null });
  const orders = Array.from({ length: URGENT_MAX + 1 }, () => bench.host.runOperation(order, none));
  await bench.clock.advance(5_000);
  const ends = await Promise.all(orders);
  t.equal(ends.filter((end) => end.outcome === "rejected").length, 1);
  t.match(ends.at(-1), { outcome: "rejected", cause: "busy" });
  t.equal(driver.events.filter((event) => event.kind === "write").length, URGENT_MAX);
});

t.test("an overload is visible: the reached interval is above the asked one", async (t) => {
  const unit = new ScriptedUnit();
  unit.latencyMs = 400;
  const driver = new ScriptedDriver({ "1": unit });
  const points = [0, 10, 20, 30].map((register) => sitePoint(1, register, { pollClass: "safety-status" }));
  await using bench = new HostBench(
    driver,
    busPlan([[...points, sitePoint(1, 40, { pollClass: "normal" })]]),
  );
  await bench.clock.advance(120_000);
  const intervals = bench.figures?.units[0]?.intervals ?? [];
  t.ok((intervals[0]?.reachedMs ?? 0) >= 1_600, `asked 250 ms, reached ${intervals[0]?.reachedMs}`);
  t.ok((bench.figures?.occupancy ?? 0) > 0.95);
  const counts = [0, 10, 20, 30].map((at) => driver.events.filter((event) => event.label === `${at}`).length);
  t.ok(Math.max(...counts) - Math.min(...counts) <= 2, `within a class all get their turn: ${counts}`);
  t.ok(
    driver.events.some((event) => event.label === "40"),
    "the lower class too",
  );
});

const scenario = fc.record({
  units: fc.array(
    fc.record({
      latencyMs: fc.integer({ min: 1, max: 80 }),
      isSilent: fc.boolean(),
      classes: fc.array(fc.constantFrom(...POLL_CLASSES.slice(0, 3)), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  orders: fc.array(fc.record({ at: fc.integer({ min: 0, max: 3_000 }), unit: fc.nat({ max: 4 }) }), {
    maxLength: 6,
  }),
});

t.test(
  "whatever comes, one exchange is on the line, and an operation waits for at most the one in flight",
  async (t) => {
    const seed = Number(process.env["SEED"] ?? 20_260_101);
    t.comment(`SEED=${seed}`);
    await fc.assert(
      fc.asyncProperty(scenario, async ({ units, orders }) => {
        const scripted = Object.fromEntries(
          units.map((unit, index) => [`${index + 1}`, Object.assign(new ScriptedUnit(), unit)]),
        );
        const driver = new ScriptedDriver(scripted);
        const points = units.map((unit, index) =>
          unit.classes.map((pollClass, place) => sitePoint(index + 1, place * 10, { pollClass })),
        );
        await using bench = new HostBench(driver, busPlan(points, 200));
        const asked: number[] = [];
        const ends: Promise<unknown>[] = [];
        let now = 0;
        for (const order of orders.toSorted((left, right) => left.at - right.at)) {
          await bench.clock.advance(order.at - now);
          now = order.at;
          const number = (order.unit % units.length) + 1;
          const point = PointNumber(number * 1_000);
          asked.push(bench.clock.uptime());
          const given = operation({ unitAddress: `${number}`, point, readBack: null });
          ends.push(bench.host.runOperation(given, new AbortController().signal));
        }
        await bench.clock.advance(5_000);
        await Promise.all(ends);
        checkLine(driver, asked);
      }),
      { seed, numRuns: 60 },
    );
    t.pass("60 schedules");
  },
);

function checkLine(driver: ScriptedDriver, asked: readonly number[]): void {
  if (driver.concurrent > 1) throw new Error(`${driver.concurrent} exchanges at once`);
  const polls = driver.events.filter((event) => !event.label.includes("="));
  const writes = driver.events.filter((event) => event.label.includes("="));
  if (writes.length !== asked.length)
    throw new Error(`${asked.length} operations made ${writes.length} writes`);
  for (const [index, at] of asked.entries()) {
    const start = writes[index]?.start ?? 0;
    const between = polls.filter((poll) => poll.start > at && poll.start < start);
    if (between.length > 0) throw new Error(`${between.length} polls began before an operation that waited`);
  }
}
