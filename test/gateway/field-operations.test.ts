import t from "tap";
import { DeviceId, PointNumber, pointIdOf } from "../../domain/ids.ts";
import type { PointValue } from "../../domain/reading.ts";
import { Millis, Uptime } from "../../domain/time.ts";
import type { OperationReadBack, OperationResult } from "../../gateway/field/field-plan.ts";
import { busPlan, evidenceOf, HostBench, operation, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit } from "./field/scripted-driver.ts";

/** Unit 1 takes levels at register 0 and shows them at 1 (and 2, 3 for a group); unit 2 is polled 4 times a second. */
async function lamp() {
  const unit = new ScriptedUnit();
  unit.values.set(1, 100);
  unit.onWrite = (_, value) => unit.values.set(1, value);
  const driver = new ScriptedDriver({ "1": unit, "2": new ScriptedUnit() });
  const points = [0, 1, 2, 3].map((register) => sitePoint(1, register, { pollClass: "meter" }));
  const bench = new HostBench(driver, busPlan([points, [sitePoint(2, 0, { pollClass: "safety-status" })]]));
  await bench.clock.advance(1_000);
  driver.events.length = 0;
  return { unit, driver, bench };
}

const member = (register: number) => ({
  number: PointNumber(1_000 + register),
  pointId: pointIdOf(DeviceId("unit-1"), `register-${register}`),
});
const readBack = (more: Partial<OperationReadBack> = {}): OperationReadBack => ({
  points: [member(1)],
  expected: 40,
  tolerance: 1,
  within: Millis(2_000),
  settle: Millis(0),
  ...more,
});

interface Case {
  readonly name: string;
  readonly prepare: (unit: ScriptedUnit) => void;
  readonly value?: PointValue;
  readonly readBack?: OperationReadBack | null;
  readonly outcome: OperationResult["outcome"];
  readonly acknowledged: boolean | null;
  readonly detail: RegExp;
}

const CASES: readonly Case[] = [
  {
    name: "I24 acknowledged and the read-back agrees: succeeded",
    prepare: () => undefined,
    outcome: "succeeded",
    acknowledged: true,
    detail: /read back 40 of 40, before it was 100/,
  },
  {
    name: "within the tolerance, inclusive: succeeded",
    prepare: (unit) => (unit.onWrite = () => unit.values.set(1, 41)),
    outcome: "succeeded",
    acknowledged: true,
    detail: /read back 41 of 40/,
  },
  {
    name: "acknowledged, but the read-back contradicts (F45): outcome-unknown",
    prepare: (unit) => (unit.onWrite = () => undefined),
    outcome: "outcome-unknown",
    acknowledged: true,
    detail: /acknowledged, but read back 100 of 40/,
  },
  {
    name: "refused, and the read-back proves that nothing changed: failed",
    prepare: (unit) => (unit.refusesWrites = true),
    outcome: "failed",
    acknowledged: false,
    detail: /refused .* nothing changed/,
  },
  {
    name: "refused, yet the level moved: outcome-unknown",
    prepare: (unit) => {
      unit.refusesWrites = true;
      setWhenRead(unit, 3, 55);
    },
    outcome: "outcome-unknown",
    acknowledged: false,
    detail: /not proven/,
  },
  {
    name: "I26 no acknowledgement and nothing changed: it may still act, so outcome-unknown",
    prepare: (unit) => {
      unit.losesWriteAnswers = true;
      unit.onWrite = () => undefined;
    },
    outcome: "outcome-unknown",
    acknowledged: null,
    detail: /no acknowledgement/,
  },
  {
    name: "no acknowledgement, though the read-back agrees (F44): outcome-unknown, never succeeded",
    prepare: (unit) => (unit.losesWriteAnswers = true),
    outcome: "outcome-unknown",
    acknowledged: null,
    detail: /no acknowledgement .* read back 40 of 40, before it was 100/,
  },
  {
    name: "silent before the write: failed, and nothing was written",
    prepare: (unit) => (unit.isSilent = true),
    outcome: "failed",
    acknowledged: null,
    detail: /nothing was written/,
  },
  {
    name: "acknowledged, then the unit is silent: outcome-unknown",
    prepare: (unit) => (unit.onWrite = () => (unit.isSilent = true)),
    outcome: "outcome-unknown",
    acknowledged: true,
    detail: /could not be read \(timeout\)/,
  },
  {
    name: "a manual switch is no proof of ours: outcome-unknown",
    prepare: (unit) => unit.samples.set(1, { value: 40, takenAt: null, quality: "good/local-override" }),
    outcome: "outcome-unknown",
    acknowledged: true,
    detail: /good\/local-override/,
  },
  {
    name: "no read-back in the profile: outcome-unknown though acknowledged",
    prepare: () => undefined,
    readBack: null,
    outcome: "outcome-unknown",
    acknowledged: true,
    detail: /no point shows the effect/,
  },
  {
    name: "a group of which every member agrees: succeeded",
    prepare: (unit) => {
      unit.onWrite = (_, value) => {
        for (const register of [1, 2, 3]) unit.values.set(register, value);
      };
    },
    readBack: readBack({ points: [member(3), member(1), member(2)] }),
    outcome: "succeeded",
    acknowledged: true,
    detail: /3 of 3 points read back 40/,
  },
  {
    name: "a group of which one member does not: outcome-unknown, and the evidence lists it",
    prepare: (unit) => unit.values.set(2, 40),
    readBack: readBack({ points: [member(1), member(2), member(3)] }),
    outcome: "outcome-unknown",
    acknowledged: true,
    detail: /2 of 3 points/,
  },
];

/** From the read number `count` of register 1 on, it shows `value`. */
function setWhenRead(unit: ScriptedUnit, count: number, value: number): void {
  let reads = 0;
  const get = unit.values.get.bind(unit.values);
  unit.values.get = (register) => {
    reads += register === 1 ? 1 : 0;
    return register === 1 && reads >= count - 1 ? value : get(register);
  };
}

t.test("how an operation ends", async (t) => {
  for (const { name, prepare, outcome, acknowledged, detail, ...more } of CASES) {
    const { unit, driver, bench: opened } = await lamp();
    await using bench = opened;
    prepare(unit);
    const asked = operation({ readBack: more.readBack === undefined ? readBack() : more.readBack });
    const result = await bench.operate(asked);
    t.match(result, { outcome, evidence: { target: 40, acknowledged, detail } }, name);
    const points = asked.readBack?.points ?? [];
    t.same(
      evidenceOf(result).readBacks.map((seen) => seen.pointId),
      points.map((point) => point.pointId),
      name,
    );
    const writes = driver.events.filter((event) => event.label.includes("="));
    t.ok(writes.length <= 1, `I22 ${name}: written ${writes.length} times`);
  }
});

t.test("I21 an operation whose turn comes after its deadline writes nothing", async (t) => {
  const { driver, bench: opened } = await lamp();
  await using bench = opened;
  const late = await bench.operate(operation({ deadline: bench.clock.uptime() }));
  t.match(late, { outcome: "expired", detail: /nothing was written/ });
  const tooShort = Uptime(bench.clock.uptime() + 5);
  t.match(
    await bench.operate(operation({ deadline: tooShort })),
    { outcome: "expired" },
    "it passes while `before` is read",
  );
  t.notOk(driver.events.some((event) => event.kind === "write"));
});

t.test("an operation withdrawn before its turn writes nothing", async (t) => {
  const { driver, bench: opened } = await lamp();
  await using bench = opened;
  const result = await bench.operate(operation(), AbortSignal.abort());
  t.match(result, { outcome: "rejected", cause: "shutting-down" });
  t.notOk(driver.events.some((event) => event.kind === "write"));
});

t.test("an unknown bus, unit or point is rejected", async (t) => {
  const { bench: opened } = await lamp();
  await using bench = opened;
  t.match(await bench.operate(operation({ unitAddress: "9" })), {
    outcome: "rejected",
    cause: "unknown-point",
  });
  t.match(await bench.operate(operation({ point: PointNumber(7) })), {
    outcome: "rejected",
    cause: "unknown-point",
  });
});

t.test(
  "nothing comes between up to the first read-back; later the line is lent to polls, not to operations",
  async (t) => {
    const { unit, driver, bench: opened } = await lamp();
    await using bench = opened;
    unit.onWrite = (_, value) => bench.clock.schedule(Millis(1_500), () => unit.values.set(1, value));
    const none = new AbortController().signal;
    const second = operation({ value: 10, readBack: readBack({ expected: 10 }) });
    const first = bench.host.runOperation(operation({ readBack: readBack({ settle: Millis(300) }) }), none);
    const next = bench.host.runOperation(second, none);
    await bench.clock.advance(10_000);
    t.match(await first, { outcome: "succeeded" });
    t.match(await next, { outcome: "succeeded" });
    const labels = driver.events.map((event) => `${event.unit}:${event.label}`);
    const write = labels.indexOf("1:0=40");
    t.same(
      labels.slice(write - 1, write + 2),
      ["1:1", "1:0=40", "1:1"],
      "before, write, read-back without anything between",
    );
    const later = labels.slice(write + 2, labels.indexOf("1:0=10"));
    t.ok(later.filter((label) => label === "2:0").length >= 4, "the fast unit was polled meanwhile");
    t.equal(driver.concurrent, 1);
  },
);

t.test("read-back waits the settle time and is repeated every 50 to 100 ms until it agrees", async (t) => {
  const { unit, driver, bench: opened } = await lamp();
  await using bench = opened;
  unit.onWrite = (_, value) => bench.clock.schedule(Millis(600), () => unit.values.set(1, value));
  const result = await bench.operate(operation({ readBack: readBack({ settle: Millis(300) }) }));
  t.match(result, { outcome: "succeeded" });
  const write = driver.events.find((event) => event.kind === "write");
  const reads = driver.events.filter(
    (event) => event.unit === "1" && event.kind === "read" && event.start > (write?.start ?? 0),
  );
  t.equal((reads[0]?.start ?? 0) - (write?.end ?? 0), 300);
  t.ok(reads.length >= 3 && reads.length <= 6, `${reads.length} read-backs`);
  t.ok(evidenceOf(result).took < 800, `took ${evidenceOf(result).took} ms`);
});

t.test("a line lost after the write ends as outcome-unknown", async (t) => {
  const { unit, driver, bench: opened } = await lamp();
  await using bench = opened;
  unit.onWrite = () => driver.cut();
  t.match(await bench.operate(operation()), { outcome: "outcome-unknown", evidence: { acknowledged: true } });
});

t.test("a stop after the write ends as outcome-unknown, and what waits is rejected", async (t) => {
  const { unit, bench: opened } = await lamp();
  await using bench = opened;
  unit.onWrite = () => undefined;
  const none = new AbortController().signal;
  const running = bench.host.runOperation(operation(), none);
  const waiting = bench.host.runOperation(operation(), none);
  await bench.clock.advance(500);
  bench.stop();
  await bench.clock.advance(0);
  t.match(await running, { outcome: "outcome-unknown" });
  t.match(await waiting, { outcome: "rejected", cause: "shutting-down" });
  t.match(await bench.host.runOperation(operation(), none), { outcome: "rejected", cause: "shutting-down" });
  await bench.ended;
});

t.test("a fresh read answers with one sample a point, told or not", async (t) => {
  const { unit, bench: opened } = await lamp();
  await using bench = opened;
  const { busId, unitAddress } = operation();
  const read = { busId, unitAddress, points: [PointNumber(1_003), PointNumber(1_001)] };
  const reading = bench.host.readNow(read, new AbortController().signal);
  await bench.clock.advance(1_000);
  t.match(await reading, {
    outcome: "read",
    changes: [
      { point: 1_003, value: 0 },
      { point: 1_001, value: 100, quality: "good" },
    ],
  });
  unit.isSilent = true;
  const silent = bench.host.readNow(read, new AbortController().signal);
  await bench.clock.advance(1_000);
  t.match(await silent, { outcome: "fault", code: "timeout" });
});

t.test("one missing point of a group hides no other in the read-back", async (t) => {
  const { unit, bench: opened } = await lamp();
  await using bench = opened;
  unit.holes.add(2);
  const points = [member(1), member(2), member(3)];
  const result = await bench.operate(operation({ readBack: readBack({ points }) }));
  t.match(evidenceOf(result).readBacks, [
    { value: 40, agrees: true },
    { value: null, fault: "unknown-address" },
    { value: 0 },
  ]);
});

const condition = (register: number, equals: PointValue, maxAge = 90_000) => ({
  ...member(register),
  equals,
  maxAge: Millis(maxAge),
});
const oneOf = (register: number, values: readonly PointValue[]) => ({
  ...member(register),
  oneOf: values,
  maxAge: Millis(90_000),
});

t.test(
  "I33 the interlock is read with the proofs and judged as the last step before the write",
  async (t) => {
    const cases = [
      { name: "holds", conditions: [condition(2, 0), condition(3, 7)], outcome: "succeeded", detail: /./ },
      {
        name: "one does not",
        conditions: [condition(2, 0), condition(3, 8)],
        outcome: "rejected",
        detail: /register-3 is 7, but must be 8/,
      },
      {
        name: "holds with one of several",
        conditions: [oneOf(3, [6, 7])],
        outcome: "succeeded",
        detail: /./,
      },
      {
        name: "none of several",
        conditions: [oneOf(3, [5, 6])],
        outcome: "rejected",
        detail: /register-3 is 7, but must be 5 or 6/,
      },
      {
        name: "not known",
        conditions: [condition(2, 0)],
        prepare: "silent",
        outcome: "rejected",
        detail: /register-2 is not known \(timeout\)/,
      },
      { name: "too old", conditions: [condition(2, 0, -1)], outcome: "rejected", detail: /too-old/ },
      {
        name: "a switch's value",
        conditions: [condition(2, 0)],
        prepare: "override",
        outcome: "rejected",
        detail: /good\/local-override/,
      },
    ] as const;
    for (const { name, conditions, outcome, detail, ...more } of cases) {
      const { unit, driver, bench: opened } = await lamp();
      await using bench = opened;
      unit.values.set(2, 0);
      unit.values.set(3, 7);
      if ("prepare" in more && more.prepare === "silent") unit.isSilent = true;
      if ("prepare" in more && more.prepare === "override")
        unit.samples.set(2, { value: 0, takenAt: null, quality: "good/local-override" });
      const order = operation({ readBack: readBack(), interlock: { name: "gate", conditions } });
      const result = await bench.operate(order);
      t.equal(result.outcome, outcome, name);
      if (result.outcome === "rejected") {
        t.match(result, { cause: "blocked", detail }, name);
        t.notOk(
          driver.events.some((event) => event.kind === "write"),
          `${name}: nothing was written`,
        );
      }
    }
  },
);

t.test("an operation whose interlock names a point that the unit has not is refused", async (t) => {
  const { bench: opened } = await lamp();
  await using bench = opened;
  const conditions = [condition(9, 0)];
  const order = operation({ readBack: readBack(), interlock: { name: "gate", conditions } });
  const result = await bench.operate(order);
  t.match(result, { outcome: "rejected", cause: "unknown-point", detail: /no point number 1009/ });
});
