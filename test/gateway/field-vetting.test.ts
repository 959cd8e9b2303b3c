import t from "tap";
import { DeviceFault } from "../../domain/errors.ts";
import { DeviceId, PointNumber } from "../../domain/ids.ts";
import type { ProbeCheck } from "../../domain/profile.ts";
import { isMet } from "../../gateway/field/unit/device-vetting.ts";
import { busPlan, HostBench, operation, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit } from "./field/scripted-driver.ts";

const MODEL: ProbeCheck = {
  point: "register-8",
  equals: "iEM3155",
  why: "another meter has other registers",
};
const VOLTAGE: ProbeCheck = { point: "register-9", min: 180, max: 260, why: "not a mains voltage" };

/** Unit 1 has two devices: a meter that is known by registers 8 and 9, and a lamp of registers 20 and 21. */
function meter(change: (unit: ScriptedUnit) => void = () => undefined) {
  const unit = new ScriptedUnit();
  unit.values.set(0, 5).set(8, "iEM3155").set(9, 230).set(20, 1).set(21, 1);
  change(unit);
  const driver = new ScriptedDriver({ "1": unit });
  const own = [sitePoint(1, 0), sitePoint(1, 8, { type: "text" }), sitePoint(1, 9)];
  const bus = busPlan([[...own, sitePoint(1, 20), sitePoint(1, 21)]], 200);
  const checks = [
    { number: PointNumber(1_008), check: MODEL },
    { number: PointNumber(1_009), check: VOLTAGE },
  ];
  const probes = [{ device: DeviceId("meter-1"), points: own.map(({ number }) => number), checks }];
  const units = bus.units.map((each) => ({ ...each, probes }));
  return { unit, driver, bench: new HostBench(driver, { ...bus, units }) };
}
const told = (bench: HostBench, point: number) =>
  bench.changesOf(point).map((change) => [change.value, change.cause]);

t.test("a device is asked first whether it is the one of its profile; then all is polled", async (t) => {
  const { driver, bench: opened } = meter();
  await using bench = opened;
  await bench.clock.advance(3_000);
  t.equal(driver.events[0]?.label, "8,9", "before anything else of it");
  t.same(told(bench, 1_000), [[5, "none"]]);
  t.same(told(bench, 1_020), [[1, "none"]]);
  t.same(bench.figures?.units[0]?.wrongDevices ?? [], []);
});

t.test(
  "a wrong device tells nothing but that, is not written to, and is asked again until it is mended",
  async (t) => {
    const { unit, driver, bench: opened } = meter((unit) => unit.values.set(8, "SDM630"));
    await using bench = opened;
    await bench.clock.advance(6_000);
    for (const point of [1_000, 1_008, 1_009]) t.same(told(bench, point), [[null, "wrong-device"]]);
    t.same(told(bench, 1_020), [[1, "none"]], "its neighbour on the unit is polled as ever");
    t.match(bench.figures?.units[0]?.wrongDevices, [
      { deviceId: "meter-1", why: /register-8 is "SDM630", expected "iEM3155": another meter/ },
    ]);
    const refused = await bench.operate(operation({ readBack: null }));
    t.match(refused, {
      outcome: "rejected",
      cause: "blocked",
      detail: /meter-1 is not what its profile says/,
    });
    t.equal(driver.events.filter(({ kind }) => kind === "write").length, 0);
    const read = bench.host.readNow(
      { busId: bench.busId, unitAddress: "1", points: [PointNumber(1_000)] },
      new AbortController().signal,
    );
    await bench.clock.advance(100);
    t.match(await read, {
      changes: [{ value: null, quality: "bad/configuration-error", cause: "wrong-device" }],
    });
    const asked = () => driver.events.filter(({ label }) => label === "8,9").length;
    const before = asked();
    await bench.clock.advance(100_000);
    t.equal(asked() - before, 3, "asked again after 10, 20, 40 s …");
    unit.values.set(8, "iEM3155");
    await bench.clock.advance(90_000);
    t.same(told(bench, 1_000), [
      [null, "wrong-device"],
      [5, "none"],
    ]);
    t.match(await bench.operate(operation({ readBack: null })), { outcome: "outcome-unknown" });
  },
);

t.test("a device that was exchanged while it was silent is found", async (t) => {
  const { unit, bench: opened } = meter();
  await using bench = opened;
  await bench.clock.advance(3_000);
  unit.isSilent = true;
  await bench.clock.advance(1_000);
  unit.values.set(9, 12);
  unit.isSilent = false;
  await bench.clock.advance(10_000);
  t.same(
    told(bench, 1_000).map(([, cause]) => cause),
    ["none", "timeout", "wrong-device"],
  );
});

t.test("checks that can not be read, or are refused, hold nothing", async (t) => {
  const { bench: opened } = meter((unit) => unit.holes.add(9));
  await using bench = opened;
  await bench.clock.advance(6_000);
  t.match(bench.figures?.units[0]?.wrongDevices, [{ why: /can not be read \(unknown-address\)/ }]);
  const fault = { fault: new DeviceFault("refused-by-device", "read") };
  const value = (of: number | string) => ({ value: of, takenAt: null });
  const checks: readonly (readonly [ProbeCheck, Parameters<typeof isMet>[1], boolean])[] = [
    [MODEL, value("iEM3155"), true],
    [MODEL, fault, false],
    [MODEL, undefined, false],
    [VOLTAGE, value(180), true],
    [VOLTAGE, value(Number.NaN), false],
    [VOLTAGE, { sentinel: 0xffff }, false],
    [{ point: "p", why: "w", oneOf: [1, 2] }, value(2), true],
    [{ point: "p", why: "w", oneOf: [1, 2] }, value(3), false],
    [{ point: "p", why: "w", matches: "^iEM3\\d{3}" }, value("iEM3255 "), true],
    [{ point: "p", why: "w", matches: "^iEM3\\d{3}" }, value(3_255), false],
  ];
  for (const [check, sample, holds] of checks)
    t.equal(isMet(check, sample), holds, JSON.stringify([check, sample]));
});

t.test(
  "an action is invoked with its arguments; what it returns is evidence, what it refuses is a failure",
  async (t) => {
    const unit = new ScriptedUnit();
    unit.values.set(1, "normal");
    unit.onInvoke = (_, args) => {
      if (args[0] === "dark") throw new DeviceFault("refused-by-device", "call SetFunctionalPosition");
      unit.values.set(1, String(args[0]));
      return "accepted";
    };
    const driver = new ScriptedDriver({ "1": unit });
    const action = sitePoint(1, 0, { type: "action", access: "write" });
    await using bench = new HostBench(driver, busPlan([[action, sitePoint(1, 1, { type: "text" })]]));
    await bench.clock.advance(1_000);
    const run = (position: string) => {
      const asked = operation({ value: true, args: [position, 30] });
      if (asked.readBack === null) throw new Error("an operation without read-back");
      return bench.operate({ ...asked, readBack: { ...asked.readBack, expected: position } });
    };
    t.match(await run("yellow-flash"), {
      outcome: "succeeded",
      evidence: {
        target: "yellow-flash",
        detail: /read back yellow-flash of yellow-flash, .*; the device returned accepted/,
      },
    });
    t.match(await run("dark"), { outcome: "failed", evidence: { acknowledged: false } });
    t.same(
      driver.events.filter(({ kind }) => kind === "write").map(({ label }) => label),
      ["0(yellow-flash,30)", "0(dark,30)"],
    );
  },
);
