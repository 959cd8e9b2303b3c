import t from "tap";
import { busPlan, HostBench, INTERVALS, operation, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit } from "./field/scripted-driver.ts";

t.test("a point is told at its first poll and then only past its deadband", async (t) => {
  const unit = new ScriptedUnit();
  unit.values.set(0, 20);
  const driver = new ScriptedDriver({ "1": unit });
  await using bench = new HostBench(driver, busPlan([[sitePoint(1, 0, { deadband: 2 })]]));
  await bench.clock.advance(5_000);
  t.match(bench.changes, [
    { point: 1_000, value: 20, quality: "good", cause: "none", sourceTimestamp: null },
  ]);
  unit.values.set(0, 21);
  await bench.clock.advance(2_000);
  t.equal(bench.changes.length, 1, "one below the deadband is not told");
  unit.values.set(0, 22);
  await bench.clock.advance(2_000);
  t.match(bench.changes.at(-1), { value: 22, quality: "good" });
  t.equal(driver.concurrent, 1);
  t.ok(driver.events.length >= 9, "polled each second");
});

t.test("points that neighbour are read in one exchange, each class at its interval", async (t) => {
  const driver = new ScriptedDriver({ "1": new ScriptedUnit() });
  const points = [0, 1, 2].map((register) => sitePoint(1, register));
  const slow = sitePoint(1, 9, { pollClass: "normal" });
  await using bench = new HostBench(driver, busPlan([[...points, slow]]));
  await bench.clock.advance(60_000);
  const count = (label: string): number => driver.events.filter((event) => event.label === label).length;
  t.equal(count("0,1,2"), 60);
  t.equal(count("9"), 12);
  t.match(bench.figures, {
    state: "open",
    units: [
      {
        state: "answering",
        intervals: [{ askedMs: 1_000, reachedMs: 1_000 }, { askedMs: INTERVALS.normal }],
      },
    ],
  });
});

t.test("an operation writes, reads back and ends as succeeded with its evidence", async (t) => {
  const unit = new ScriptedUnit();
  unit.onWrite = (_, value) => unit.values.set(1, value);
  unit.values.set(1, 100);
  const driver = new ScriptedDriver({ "1": unit });
  await using bench = new HostBench(driver, busPlan([[sitePoint(1, 0), sitePoint(1, 1)]]));
  await bench.clock.advance(1_000);
  t.match(await bench.operate(operation()), {
    outcome: "succeeded",
    evidence: { target: 40, acknowledged: true, readBacks: [{ before: 100, value: 40, agrees: true }] },
  });
  await bench.clock.advance(100);
  t.match(bench.changesOf(1_001).at(-1), { value: 40 }, "the read-back is told as a reading too");
});
