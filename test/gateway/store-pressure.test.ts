import fc from "fast-check";
import t from "tap";
import type { PointNumber } from "../../domain/ids.ts";
import { seededRandom } from "../../domain/random.ts";
import { Hours, Instant, Minutes } from "../../domain/time.ts";
import { decodeEntry, type Entry } from "../../domain/wire/entry.ts";
import { decodePointsBlock } from "../../domain/wire/points-block.ts";
import { decodeEventRecord, type EventRecord } from "../../domain/wire/record-kinds.ts";
import { endOf, isAtLeast, nextPressure, PRESSURES } from "../../gateway/store/space/pressure.ts";
import type { Store } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

const START = Minutes(15) * 2_000_000;
const POINTS = 20;
const WINDOW = Minutes(15);

/** What was handed to the store, as (point, time, value). */
type Told = readonly [point: number, at: number, value: number];

/** A reading of each point a minute, of which the first of each is state (lane B) and the others are lane C. */
async function fillHours(store: Store, clock: SimulatedClock, hours: number): Promise<readonly Told[]> {
  const { next } = seededRandom(7);
  const points = numberLamps(store, POINTS);
  const told: Told[] = [];
  for (let minute = 0; minute < hours * 60; minute += 1) {
    clock.setWall(Instant(clock.now() + Minutes(1)));
    const round = points.map((point): [PointNumber, number, number] => [point, clock.now(), next()]);
    store.telemetry.accept(round.map(([point, at, value]) => reading(point, value, at)));
    if (minute > 0) told.push(...round);
    await store.telemetry.flush();
  }
  return told;
}

/** Least, greatest and last of each point and window, reckoned anew. */
function shapeOf(told: readonly Told[]): readonly string[] {
  const groups = Map.groupBy(told, ([point, at]) => `${point} ${Math.floor(at / WINDOW)}`);
  const kept = [...groups.values()].flatMap((group) => {
    const byValue = group.toSorted((left, right) => left[2] - right[2]);
    return [byValue[0], byValue.at(-1), group.at(-1)];
  });
  return [...new Set(kept.map(String))].sort();
}

function decoded(store: Store, lane: "B" | "C"): readonly Entry[] {
  return entriesOf(store, lane).map(({ frame }) => decodeEntry(frame));
}

function readingsOf(entries: readonly Entry[]): readonly Told[] {
  return entries
    .filter(({ kind }) => kind === "points")
    .flatMap(({ body }) => decodePointsBlock(body).readings)
    .map(({ point, gatewayTimestamp, value }): Told => [point, gatewayTimestamp, Number(value)]);
}

function eventsOf(store: Store): readonly EventRecord[] {
  return decoded(store, "B")
    .filter(({ kind }) => kind === "record")
    .map(({ body }) => decodeEventRecord(body));
}

function gapsOf(store: Store, lane: "B" | "C"): number {
  return eventsOf(store)
    .flatMap(({ body }) => (body.kind === "gap" && body.lane === lane ? [body.count ?? 0] : []))
    .reduce((sum, count) => sum + count, 0);
}

function alarmsOf(store: Store): readonly string[] {
  return eventsOf(store).flatMap(({ body }) =>
    body.kind === "alarm" && body.name === "store-pressure"
      ? [`${body.detail.split(":")[0]} ${body.active ? "active" : "over"}`]
      : [],
  );
}

function firstOf<Item>([first]: readonly (Item | undefined)[]): Item {
  if (first === undefined) throw new Error("there is none");
  return first;
}

/** Six hours in a closed store, and what it uses. */
async function filled(
  folder: string,
  clock: SimulatedClock,
): Promise<{ told: readonly Told[]; size: number }> {
  const store = await openTestStore({ folder }, { clock });
  const told = await fillHours(store, clock, 6);
  store.evidence.append({ kind: "audit", action: "kept", actor: "test", detail: "" });
  await store[Symbol.asyncDispose]();
  await using again = await openTestStore({ folder }, { clock });
  return { told, size: again.sync.disk().usedBytes };
}

t.test("a level begins at its share and ends 5 % below: what is near a border does not flap", (t) => {
  for (const [share, level] of [
    [0.69, "none"],
    [0.7, "warn"],
    [0.8, "drop"],
    [0.9, "thin"],
    [0.95, "thin-live"],
    [0.98, "least"],
    [3, "least"],
  ] as const) {
    t.equal(nextPressure("none", share), level, `at ${share}`);
  }
  t.equal(nextPressure("drop", 0.76), "drop");
  t.equal(nextPressure("drop", 0.74), "warn");
  t.equal(nextPressure("least", 0.92), "thin-live");
  const level = fc.constantFrom(...PRESSURES);
  fc.assert(
    fc.property(level, fc.double({ min: 0, max: 1.2, noNaN: true }), (before, share) => {
      const next = nextPressure(before, share);
      t.equal(nextPressure(next, share), next, "the same share again changes nothing");
      t.ok(isAtLeast(next, nextPressure("none", share)));
      t.ok(next === "none" || share >= endOf(next));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test("I14 at 90 % the oldest readings keep their shape, and each that goes lies in a gap", async (t) => {
  const folder = t.testdir();
  const clock = new SimulatedClock(Instant(START));
  const { told, size } = await filled(folder, clock);
  {
    await using store = await openTestStore({ folder, quotaBytes: Math.floor(size / 0.92) }, { clock });
    const report = await store.runRetention(clock.now());
    t.match(report, { pressure: "thin", gaps: 0, pressed: 0 });
    t.ok(report.usedShare < 0.85 && report.thinned > 0, JSON.stringify(report));
    const own = (entry: Entry): boolean => entry.incarnation === store.incarnation;
    const left = decoded(store, "C");
    const retold = readingsOf(left.filter(own));
    const whole = readingsOf(left.filter((entry) => !own(entry)));
    t.equal(gapsOf(store, "C"), report.thinned);
    t.equal(whole.length + report.thinned, told.length, "gaps equal what is gone");
    t.same(whole.map(String), told.slice(report.thinned).map(String), "the oldest went");
    t.same(retold.map(String).sort(), shapeOf(told.slice(0, report.thinned)));
    t.equal(store.sync.backlog().C, whole.length + retold.length);
    const first = firstOf(numberLamps(store, 1));
    t.equal(store.telemetry.latest(first)?.value, told.at(-POINTS)?.[2], "no state moves back");
    const span = { from: Instant(START), to: clock.now(), limit: 10_000 };
    const kept = [...retold, ...whole].filter(([point]) => point === first).map(([, , value]) => value);
    // The first reading of a point is state.
    t.same(
      new Set(
        store.telemetry
          .history(first, span)
          .slice(1)
          .map(({ value }) => value),
      ),
      new Set(kept),
    );
    const { tWall, tMono } = firstOf(eventsOf(store));
    for (const { body } of left.filter(own)) {
      const { storedAt, readings } = decodePointsBlock(body);
      t.equal(
        storedAt - tMono,
        (readings.at(-1)?.gatewayTimestamp ?? 0) - tWall,
        "the time the center reckons",
      );
    }
    await store.runRetention(clock.now());
    await store.telemetry.flush();
    t.same(alarmsOf(store), ["thin active", "drop active"]);
    t.equal(gapsOf(store, "C"), report.thinned, "below 85 % nothing more is thinned");
    for (let count = 0; count < 5; count += 1) await store.runRetention(clock.now());
    await store.telemetry.flush();
    t.same(alarmsOf(store), ["thin active", "drop active"], "and nothing flaps");
  }
  await using store = await openTestStore({ folder }, { clock });
  await store.runRetention(clock.now());
  t.equal(readingsOf(decoded(store, "C")).length, store.sync.backlog().C, "a restart forgets no gap");
});

t.test(
  "at 95 % the last hour is thinned too, but for the window that is being filled, and only once",
  async (t) => {
    const folder = t.testdir();
    const clock = new SimulatedClock(Instant(START));
    const { told, size } = await filled(folder, clock);
    clock.setWall(Instant(clock.now() + Minutes(5)));
    const options = { folder, quotaBytes: Math.floor(size / 5) };
    const window = Math.floor(clock.now() / WINDOW) * WINDOW;
    const old = told.filter(([, at]) => at < window);
    let thinned = 0;
    {
      await using store = await openTestStore({ folder, quotaBytes: Math.floor(size / 0.97) }, { clock });
      const report = await store.runRetention(clock.now());
      t.equal(report.pressure, "thin-live");
      thinned = report.thinned;
    }
    t.ok(thinned > 0 && thinned < old.length);
    await using store = await openTestStore(options, { clock });
    const report = await store.runRetention(clock.now());
    t.equal(report.pressure, "least");
    t.equal(report.thinned, old.length - thinned, "what was thinned is not thinned again");
    t.equal(gapsOf(store, "C"), old.length + report.gaps, "I14");
    t.ok(report.gaps > 0, "then even these give way, as far as they must");
    t.equal(entriesOf(store, "A").length, 1, "I13");
  },
);

t.test("at 98 % lane B keeps alarms, gaps and the latest state of each point", async (t) => {
  const folder = t.testdir();
  const clock = new SimulatedClock(Instant(START));
  const { size, points } = await fillStates(folder, clock);
  await using store = await openTestStore({ folder, quotaBytes: Math.floor(size / 0.985) }, { clock });
  const before = readingsOf(decoded(store, "B")).length;
  const report = await store.runRetention(clock.now());
  t.match(report, { pressure: "least", gaps: 0 });
  t.ok(report.usedShare < 0.93);
  const alarms = eventsOf(store).flatMap(({ body }) => (body.kind === "alarm" ? [body.subject] : []));
  t.same(
    alarms.slice(0, 40),
    Array.from({ length: 40 }, (_, index) => `door-${index}`),
  );
  const left = readingsOf(decoded(store, "B"));
  const links = 400 - eventsOf(store).filter(({ body }) => body.kind === "link").length;
  t.equal(gapsOf(store, "B"), report.thinned);
  t.equal(before + links - report.thinned + report.retold, left.length, "I14 gaps equal what is gone");
  for (const point of points) {
    const { value, gatewayTimestamp } = firstOf([store.telemetry.latest(point)]);
    t.ok(
      left.some(([id, at]) => id === point && at === gatewayTimestamp),
      `${point} keeps ${value}`,
    );
  }
});

/** States that change all the time, link events, and an alarm now and then. */
async function fillStates(
  folder: string,
  clock: SimulatedClock,
): Promise<{ readonly size: number; readonly points: readonly PointNumber[] }> {
  const store = await openTestStore({ folder }, { clock });
  const points = numberLamps(store, 50);
  for (let round = 0; round < 400; round += 1) {
    clock.setWall(Instant(clock.now() + Minutes(1)));
    // One of them changes only once, early.
    const changed = round < 5 ? points : points.slice(1);
    store.telemetry.accept(changed.map((point) => reading(point, round % 2 === 0, clock.now())));
    store.telemetry.appendEvent("B", { kind: "link", state: "down", detail: "x".repeat(300) });
    if (round % 10 === 0) {
      store.telemetry.appendEvent("B", {
        kind: "alarm",
        name: "open-too-long",
        active: true,
        severity: "medium",
        subject: `door-${round / 10}`,
        detail: "",
      });
    }
    await store.telemetry.flush();
  }
  await store[Symbol.asyncDispose]();
  await using again = await openTestStore({ folder }, { clock });
  return { size: again.sync.disk().usedBytes, points };
}

t.test("I13 I14 whatever is filled and freed in whatever order, the counts equal the truth", async (t) => {
  const folder = t.testdir();
  const clock = new SimulatedClock(Instant(START));
  let evidence = 0;
  for (const share of [0.6, 0.85, 0.93, 1.2, 0.96, 4]) {
    const opened = await openTestStore({ folder }, { clock });
    const size = opened.sync.disk().usedBytes;
    await opened[Symbol.asyncDispose]();
    await using store = await openTestStore({ folder, quotaBytes: Math.floor(size / share) }, { clock });
    await fillHours(store, clock, 2);
    evidence += 1;
    store.evidence.append({ kind: "audit", action: "kept", actor: "test", detail: "" });
    await store.runRetention(clock.now());
    await store.runRetention(Instant(clock.now() + Hours(1)));
    const backlog = store.sync.backlog().C;
    t.equal(readingsOf(decoded(store, "C")).length, backlog, `at ${share}`);
    const written = store.sync
      .heads()
      .filter(({ lane }) => lane === "C")
      .reduce((sum, { highestWritten }) => sum + highestWritten, 0);
    t.equal(gapsOf(store, "C") + backlog, written, `each sequence is there or in a gap, at ${share}`);
    t.equal(entriesOf(store, "A").length, evidence, "I13");
  }
});
