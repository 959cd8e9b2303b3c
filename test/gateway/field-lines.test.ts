import t from "tap";
import { BusId } from "../../domain/ids.ts";
import type { BusHealth } from "../../domain/line/line-health.ts";
import { advice, formatBus, formatBuses } from "../../gateway/cli/commands/format-bus.ts";
import { palette } from "../../gateway/cli/paint.ts";
import { parseArguments, parseValue } from "../../gateway/cli/parse-value.ts";
import type { UnitHoles } from "../../gateway/field/field-plan.ts";
import { LineHealth } from "../../gateway/field/line-health.ts";
import { withKnownHoles } from "../../gateway/known-holes.ts";
import type { BusAnswer, UnitAnswer } from "../../gateway/local-api/client/answers.ts";
import { formatMetrics } from "../../gateway/local-api/metrics.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { busPlan, HostBench, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit } from "./field/scripted-driver.ts";
import { openTestStore } from "./store-run.ts";

const POINTS = Array.from({ length: 16 }, (_, register) => sitePoint(1, register));
const PLAN = busPlan([POINTS]);
const PLACE = { busId: BusId("bus-1"), unitAddress: "1" };

function holey() {
  const unit = new ScriptedUnit();
  unit.holes.add(5);
  return { unit, driver: new ScriptedDriver({ "1": unit }) };
}
const holesTold = (bench: HostBench): readonly UnitHoles[] =>
  bench.reports.flatMap((report) => (report.kind === "holes" ? report.units : []));

t.test(
  "holes are told to the core once they are found, and handed back they are not looked for again",
  async (t) => {
    const store = await openTestStore({ folder: t.testdir() }, { clock: new SimulatedClock() });
    t.teardown(() => store[Symbol.asyncDispose]());
    const first = holey();
    {
      await using bench = new HostBench(first.driver, PLAN);
      await bench.clock.advance(20_000);
      const [told, ...more] = holesTold(bench);
      t.match(told, {
        ...PLACE,
        fingerprint: "as-tested",
        holes: [{ space: "register", first: 5, count: 1 }],
      });
      t.same(more, [], "told once");
      t.same(bench.figures?.units[0]?.holes, ["register:5"]);
      if (told !== undefined) store.holes.remember(told);
    }
    const second = holey();
    const [plan] = withKnownHoles([{ group: "lighting", buses: [PLAN] }], store.holes);
    const bus = plan?.buses[0] ?? PLAN;
    await using bench = new HostBench(second.driver, bus);
    await bench.clock.advance(30_000);
    t.same(holesTold(bench), [], "nothing new");
    t.match(bench.changesOf(1_005), [
      { value: null, quality: "bad/configuration-error", cause: "unknown-address" },
    ]);
    t.equal(
      new Set(second.driver.events.map(({ label }) => label)).size,
      2,
      "two blocks round the hole, from the first exchange on",
    );
    second.unit.holes.clear();
    await bench.clock.advance(3_700_000);
    t.match(bench.changesOf(1_005).at(-1), { value: 0, quality: "good" }, "looked for again after a while");
    t.match(holesTold(bench).at(-1)?.holes, []);
  },
);

t.test("what was learnt of a unit is forgotten when a profile of its devices changed", async (t) => {
  const recalled = { fingerprint: "of-before", holes: [{ space: "register", first: 5, count: 1 }] };
  const [plan] = withKnownHoles([{ group: "lighting", buses: [PLAN] }], { recall: () => recalled });
  t.equal(plan?.buses[0]?.units[0]?.holes, undefined);
});

t.test("after a silence known holes stay known, and are looked at again a minute later", async (t) => {
  const { unit, driver } = holey();
  await using bench = new HostBench(driver, PLAN);
  await bench.clock.advance(100_000);
  unit.isSilent = true;
  await bench.clock.advance(1_000);
  unit.isSilent = false;
  await bench.clock.advance(2_000);
  unit.holes.clear();
  const before = driver.events.length;
  await bench.clock.advance(20_000);
  t.equal(new Set(driver.events.slice(before).map(({ label }) => label)).size, 2);
  await bench.clock.advance(60_000);
  t.match(bench.changesOf(1_005).at(-1), { quality: "good" });
});

t.test("each unit's share of the line is what its exchanges took", async (t) => {
  const dear = Object.assign(new ScriptedUnit(), { latencyMs: 300 });
  const driver = new ScriptedDriver({ "1": dear, "2": new ScriptedUnit() });
  await using bench = new HostBench(driver, busPlan([[sitePoint(1, 0)], [sitePoint(2, 0)]]));
  await bench.clock.advance(30_000);
  const [first, second] = bench.figures?.units ?? [];
  t.ok(Math.abs((first?.lineShare ?? 0) - 0.3) < 0.02, `300 ms a second: ${first?.lineShare}`);
  t.ok(Math.abs((second?.lineShare ?? 0) - 0.01) < 0.005, `10 ms a second: ${second?.lineShare}`);
});

const HEALTH: BusHealth = {
  ...{ requests: 0, answers: 0, retries: 0, silences: 0, crcErrors: 0, shortFrames: 0, lateReplies: 0 },
  ...{ unexpectedSenders: 0, noiseBytes: 0, hints: [] },
};

t.test("what a driver can not see stays absent over all openings", (t) => {
  const line = new LineHealth();
  line.note({ requests: 20, answers: 20, retries: 0, silences: 0, shortFrames: 1, hints: [] });
  line.closed();
  line.note({ requests: 20, answers: 20, retries: 0, silences: 0, shortFrames: 1, hints: [] });
  const counted = { requests: 40, answers: 40, retries: 0, silences: 0, shortFrames: 2 };
  t.same(line.takeFigures(), { ...counted, hints: [], scorePercent: 95 });
  t.end();
});

t.test("a line's score is of the last five minutes, its counts of all openings", async (t) => {
  const line = new LineHealth();
  t.equal(line.takeFigures(), null, "a driver that counts nothing");
  line.note({ ...HEALTH, requests: 9, crcErrors: 3 });
  t.equal(line.takeFigures()?.scorePercent, null, "too few to judge");
  line.note({ ...HEALTH, requests: 100, crcErrors: 10, silences: 50, retries: 50 });
  t.equal(line.takeFigures()?.scorePercent, 90, "a silent unit is no fault of the line");
  line.closed();
  line.note({ ...HEALTH, requests: 100, hints: ["raise the latency timer"] });
  t.match(line.takeFigures(), {
    requests: 200,
    crcErrors: 10,
    scorePercent: 95,
    hints: ["raise the latency timer"],
  });
  for (let window = 1; window <= 60; window += 1) {
    line.note({ ...HEALTH, requests: 100 + window });
    line.takeFigures();
  }
  t.equal(line.takeFigures()?.scorePercent, 100, "what was long ago is forgiven");
});

const unitAnswer = (more: Partial<UnitAnswer> = {}): UnitAnswer => ({
  ...{
    unitAddress: "7",
    state: "answering",
    failures: 0,
    lineShare: 0.42,
    holes: [],
    subscription: null,
    wrongDevices: [],
  },
  intervals: [{ pollClass: "fast", askedMs: 1_000, reachedMs: 1_000 }],
  ...more,
});
const busAnswer = (more: Partial<BusAnswer> = {}): BusAnswer => ({
  ...{
    id: "line-1",
    driver: "modbus",
    fieldHost: "lighting",
    state: "open",
    occupancy: 0.5,
    exchangesPerSecond: 12,
  },
  ...{ faults: {}, health: null, units: [unitAnswer()], ...more },
});

t.test(
  "nerve buses says what stands badly and what to do next; a line that is well needs nothing",
  async (t) => {
    t.same(advice(busAnswer()), []);
    const health = { ...HEALTH, scorePercent: 80, requests: 200, crcErrors: 30, lateReplies: 10 };
    const ill = busAnswer({
      ...{ health, occupancy: 0.99 },
      units: [
        unitAnswer({ state: "silent", failures: 4 }),
        unitAnswer({
          unitAddress: "8",
          holes: ["holding:20-21"],
          subscription: { points: 3, state: "live" },
        }),
        unitAnswer({ unitAddress: "9", wrongDevices: [{ deviceId: "meter-1", why: "model is SDM630" }] }),
      ],
    });
    const text = formatBus(ill, palette("off"));
    for (const part of [
      /unit 7 does not answer: check its power/,
      /meter-1 is another device than its profile says \(model is SDM630\)/,
      /answers arrive broken \(CRC\): check termination/,
      /raise requestTimeout/,
      /the line is full; unit 7 takes most of it \(42 %\)/,
      /holding:20-21/,
      /3 points told by itself/,
      /silent \(4 misses\)/,
      /80 % of the last 5 min well/,
    ])
      t.match(text, part);
    t.match(formatBuses([ill, busAnswer({ id: "line-2" })], palette("off")), /nerve buses line-1\n$/);
    t.match(advice(busAnswer({ state: "lost" })), [/can not be opened/]);
    t.match(
      advice(busAnswer({ units: [unitAnswer({ state: "silent" }), unitAnswer({ state: "silent" })] })),
      [/no unit answers: check the polarity/],
    );
    const metrics = formatMetrics({
      ...{ points: {}, store: { backlog: {} }, memory: {}, link: null, fieldHosts: [], site: { id: "s" } },
      ...{ gatewayId: "gw-1", software: "nerve" },
      buses: [ill],
    } as never);
    t.match(metrics, /nerve_bus_line_score_ratio\{bus="line-1"\} 0\.8\n/);
    t.match(metrics, /nerve_bus_line_events_total\{bus="line-1",event="crc-error"\} 30\n/);
    const { crcErrors: _, ...unseen } = health;
    const board = busAnswer({ health: unseen });
    t.match(text, /30 CRC errors, 0 short frames/);
    t.notMatch(formatBus(board, palette("off")), /CRC/, "what a protocol can not see is not told as none");
    t.match(metrics, /nerve_unit_line_share_ratio\{bus="line-1",unit="7"\} 0\.42\n/);
    t.match(metrics, /nerve_unit_wrong_devices\{bus="line-1",unit="9"\} 1\n/);
    t.match(metrics, /nerve_unit_interval_seconds\{bus="line-1",unit="8",class="fast"\} 1\n/);
  },
);

t.test(
  "an action's arguments are given by name, in any order, in their units; what is missing or unknown is said",
  async (t) => {
    const action = {
      pointId: "junction-7/set-position",
      type: "action",
      unit: "1",
      args: [
        { name: "position", type: "text", unit: "1" },
        { name: "timeout", type: "number", unit: "min" },
      ],
    } as const;
    t.same(parseArguments(["timeout=30 min", "position=a=b"], action), ["a=b", 30]);
    t.equal(parseValue("run", action), true);
    t.throws(() => parseValue("on", action), /is an action: write run/);
    t.throws(() => parseArguments(["position=x"], action), /takes position=… timeout=…: timeout is missing/);
    t.throws(
      () => parseArguments(["position=x", "timeout=5 s"], action),
      /argument timeout, is in min, not in s/,
    );
    t.throws(() => parseArguments(["x=1"], action), /not "x"/);
    t.throws(() => parseArguments(["x"], { ...action, args: [] }), /takes no arguments/);
  },
);
