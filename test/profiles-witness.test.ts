import { readFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import t, { type Test } from "tap";
import type { PointDefinition } from "../domain/point.ts";
import type { PointValue } from "../domain/reading.ts";
import { systemClock } from "../domain/system-clock.ts";
import { Seconds } from "../domain/time.ts";
import { NO_HOLES } from "../drivers/driver.ts";
import { loadDriver } from "../drivers/registry.ts";
import type { DeviceProfile } from "../gateway/site/device-profile.ts";
import { loadProfile } from "../gateway/site/load-profile.ts";
import { ProblemList } from "../gateway/site/source/problem-list.ts";
import type { CabinetAction, CabinetView } from "../simulators/cabinet/cabinet-control.ts";
import { startSimulation } from "../simulators/simulation.ts";
import { parseSimulationConfig } from "../simulators/simulation-config.ts";
import { StillClock } from "./simulators/still-clock.ts";

/**
 * Two witnesses: profiles are written from the device's paper for the gateway, simulators from the same paper for the
 * device. Neither imports the other. Here the product's own driver reads the one by the other.
 */
async function profileOf(deviceClass: string, id: string): Promise<DeviceProfile> {
  const file = join(import.meta.dirname, "../profiles", deviceClass, `${id}.yaml`);
  const problems = new ProblemList();
  const loaded = await loadProfile({ file, id, text: readFileSync(file, "utf8") }, loadDriver, problems);
  if (loaded === undefined) throw new Error(JSON.stringify(problems.sorted()));
  return loaded;
}

/** Feeder n has n lamps, so that no two have the same current. */
const FEEDERS = Array.from({ length: 8 }, (_, way) =>
  Array.from({ length: way + 1 }, (_, lamp) => (way * (way + 1)) / 2 + lamp),
);
const CABINET = { id: "rue-x", feeders: FEEDERS, fadeMs: 0, minOnOffSec: 0 };

/** A cabinet with 36 lamps, and a session with one of its units. */
async function open(t: Test, profile: DeviceProfile, unit: number, bus: object = {}) {
  const clock = new StillClock();
  const simulation = await startSimulation(parseSimulationConfig({ cabinets: [CABINET] }), clock);
  const [cabinet] = simulation.cabinets;
  if (cabinet === undefined) throw new Error("no cabinet");
  const { signal } = new AbortController();
  const { driver } = profile;
  const context = {
    clock: systemClock,
    logger: pino({ enabled: false }),
    requestTimeout: Seconds(2),
    frames: () => {},
  };
  const config = driver.parseBusConfig({ transport: "tcp", ...cabinet.server.address, ...bus });
  const line = await driver.openBus(config, context, signal);
  t.teardown(async () => {
    await line[Symbol.asyncDispose]();
    await simulation[Symbol.asyncDispose]();
  });
  const session = line.openSession(driver.parseUnitAddress(unit), profile.profile.quirks);
  const points = profile.resolve({}, {}).definitions;
  const read = async () => {
    const values: Record<string, PointValue | string> = {};
    for (const exchange of session.plan(points, NO_HOLES)) {
      const samples = await session.exchange(exchange, signal);
      for (const [at, sample] of samples.entries()) {
        const name = exchange.points[at]?.name ?? "unnamed";
        values[name] = "value" in sample ? sample.value : `no value: ${Object.keys(sample)}`;
      }
    }
    return values;
  };
  const write = (name: string, value: PointValue) => session.write(get(points, name), value, signal);
  const plain = () => line.openSession(driver.parseUnitAddress(unit), []);
  return { clock, simulation, cabinet, points, read, write, plain, signal };
}

function get(points: readonly PointDefinition[], name: string): PointDefinition {
  const found = points.find((point) => point.name === name);
  if (found === undefined) throw new Error(`no point ${name}`);
  return found;
}

const segmentCabinet = await profileOf("segment-cabinet", "neutral-segment-cabinet");
const sdm630 = await profileOf("meter", "eastron-sdm630");

/** What each point should say, from the cabinet's own truth and not from its registers. */
function truthOf(view: CabinetView): Record<string, PointValue> {
  const { feeders, settings } = view;
  const [heartbeat = 0, lossTime = 0, fallback = 0, minOn = 0, minOff = 0, high = 0, low = 0] = settings;
  const ofFeeders = feeders.flatMap((way): [string, PointValue][] => [
    [`feeder-${way.feeder}-contactor-demand`, way.demand],
    [`feeder-${way.feeder}-contactor-feedback`, way.closed],
    [`feeder-${way.feeder}-breaker-tripped`, way.breakerTripped],
    [`feeder-${way.feeder}-current`, Math.round(way.currentMa) / 1_000],
    [`feeder-${way.feeder}-starts`, way.starts],
  ]);
  return {
    ...Object.fromEntries(ofFeeders),
    "door-open": view.doorOpen,
    "selector-local": view.selectorLocal,
    "local-on": view.localOn,
    "rcd-tripped": view.rcdTripped,
    "main-breaker-tripped": view.mainBreakerTripped,
    "surge-arrester-spent": view.surgeArresterSpent,
    "photocell-dark": view.dark,
    water: view.water,
    shock: view.shock,
    "cabinet-light": view.cabinetLight,
    heartbeat,
    "comm-loss-time": lossTime,
    "fallback-mode": fallback,
    "min-on-time": minOn,
    "min-off-time": minOff,
    "schedule-hash": high * 65_536 + low,
    // docs/devices.md, neutral segment cabinet, input register 0.
    mode: ["remote", "local", "astro", "photocell", "all-on", "locked"][view.mode] ?? "",
    temperature: Math.round(10 * view.temperatureC) / 10,
    "battery-voltage": view.batteryV,
    "leakage-current": view.leakageMa,
  };
}

/** Rounded, because 0.1 has no exact double. */
function rounded(values: Record<string, PointValue | string>): Record<string, PointValue | string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toFixed(4)) : value,
    ]),
  );
}

t.test("every point of the cabinet reads what the cabinet is, whatever happens in it", async (t) => {
  const { clock, cabinet, read } = await open(t, segmentCabinet, 2);
  const { controller, bridge } = cabinet;
  const order = { connection: 0, transaction: 0, unit: 1, function: 6 };
  bridge.writeRegisters({ origin: order, address: 6_800, values: [100], effect: "normal" });
  const happenings: readonly [CabinetAction | "nothing", number, readonly string[]][] = [
    ["nothing", 1, []],
    ["open-door", 1, ["door-open", "temperature"]],
    ["shock", 1, ["shock"]],
    ["water", 1, ["water"]],
    ["spend-arrester", 1, ["surge-arrester-spent"]],
    ["photocell-light", 1, ["photocell-dark"]],
    ["leak", 1, ["leakage-current"]],
    ["local-on", 1, ["local-on"]],
    ["select-local", 1, ["mode", "selector-local"]],
    ["select-auto", 1, ["mode", "selector-local"]],
    [
      "trip-breaker",
      2,
      [
        "feeder-2-breaker-tripped",
        "feeder-2-contactor-demand",
        "feeder-2-contactor-feedback",
        "feeder-2-current",
        "last-switch-reason",
        "last-switch-time",
        "leakage-current",
      ],
    ],
  ];
  let before = await read();
  for (const [action, feeder, changed] of happenings) {
    if (action !== "nothing") controller.treat(action, feeder - 1);
    clock.advance(80);
    const now = await read();
    const { "last-switch-time": _, "last-switch-reason": __, ...seen } = rounded(now);
    t.strictSame(seen, rounded(truthOf(controller.view())), action);
    const differing = Object.keys(now).filter((name) => now[name] !== before[name]);
    t.strictSame(differing.toSorted(), changed, `${action} shows in these points only`);
    before = now;
  }
  t.equal(before["last-switch-time"], Math.floor(clock.wallMs() / 1_000));
  t.equal(before["last-switch-reason"], "trip");
  for (const action of ["trip-rcd", "trip-main"] as const) {
    controller.treat(action, 0);
    clock.advance(80);
    const now = await read();
    t.match(now, { mode: "locked", "rcd-tripped": true, "main-breaker-tripped": action === "trip-main" });
  }
});

t.test(
  "every contactor, the light and every setting obey the point that names them, and no other",
  async (t) => {
    const { clock, cabinet, points, write, read } = await open(t, segmentCabinet, 2);
    for (let feeder = 1; feeder <= 8; feeder += 1) {
      await write(`feeder-${feeder}-contactor-demand`, false);
      clock.advance(80);
      const closed = cabinet.controller.view().feeders.filter((way) => way.closed);
      t.strictSame(
        closed.map((way) => way.feeder),
        [1, 2, 3, 4, 5, 6, 7, 8].slice(feeder),
      );
      t.match(rounded(await read()), rounded(truthOf(cabinet.controller.view())), `open up to ${feeder}`);
      cabinet.controller.treat("trip-breaker", feeder - 1);
      t.match(rounded(await read()), rounded(truthOf(cabinet.controller.view())), `tripped up to ${feeder}`);
    }
    cabinet.controller.treat("reset-breaker", 4);
    await write("feeder-5-contactor-demand", true);
    clock.advance(80);
    t.equal((await read())["feeder-5-contactor-feedback"], true, "and its read-back proves it");
    await write("cabinet-light", true);
    t.equal(cabinet.controller.view().cabinetLight, true);
    const settings = points.filter(({ access, type }) => access === "read-write" && type === "number");
    t.equal(settings.length, 6);
    for (const { name, range } of settings) {
      for (const value of [range?.min ?? -1, range?.max ?? -1]) {
        await write(name, value);
        t.equal(truthOf(cabinet.controller.view())[name], value, `${name} takes its whole range`);
      }
    }
  },
);

t.test("a refused demand is the device's answer, not silence", async (t) => {
  const { cabinet, write } = await open(t, segmentCabinet, 2);
  cabinet.controller.treat("select-local", 0);
  await t.rejects(write("feeder-3-contactor-demand", false), { code: "refused-by-device" });
});

t.test("every point of the meter agrees with the lamps that it feeds", async (t) => {
  const { clock, cabinet, read } = await open(t, sdm630, 3);
  const { bridge } = cabinet;
  const before = await read();
  const order = { connection: 0, transaction: 0, unit: 1, function: 6 };
  bridge.writeRegisters({ origin: order, address: 6_800, values: [80], effect: "normal" });
  const lit = bridge.lamps();
  clock.advance(36_000_000);
  const now = await read();
  const number = (values: Record<string, unknown>, name: string) => Number(values[name]);
  const near = (name: string, expected: number, tolerance: number) =>
    t.ok(Math.abs(number(now, name) - expected) <= tolerance, `${name}: ${now[name]}, ${expected} expected`);
  const watts = (...lamps: number[]) => lamps.reduce((sum, lamp) => sum + (lit[lamp]?.powerW ?? 0), 0);
  // Feeders 1, 4, 7 are on L1 with the cabinet's own 9 W, feeders 2, 5, 8 on L2, 3 and 6 on L3.
  const onFeeders = (...feeders: number[]) =>
    watts(...feeders.flatMap((feeder) => FEEDERS[feeder - 1] ?? []));
  const phases = [9 + onFeeders(1, 4, 7), onFeeders(2, 5, 8), onFeeders(3, 6)];
  const total = phases.reduce((sum, phase) => sum + phase, 0);
  for (const [at, phase] of phases.entries()) {
    const line = `l${at + 1}`;
    near(`power-${line}`, phase, 0.01);
    near(`voltage-${line}`, 230, 6);
    near(`power-factor-${line}`, 0.95, 0.001);
    near(`current-${line}`, phase / 0.95 / number(now, `voltage-${line}`), 0.001);
    near(`energy-import-${line}`, number(before, `energy-import-${line}`) + phase / 100, 0.01);
    near(`voltage-distortion-${line}`, 1.5, 0.5);
  }
  near("power", total, 0.01);
  near("apparent-power", total / 0.95, 0.1);
  near("reactive-power", Math.sqrt((total / 0.95) ** 2 - total ** 2), 0.1);
  near("power-factor", 0.95, 0.001);
  near("frequency", 50, 0.05);
  near("energy-import", number(before, "energy-import") + total / 100, 0.02);
  near("energy-total", number(now, "energy-import"), 0);
  near("energy-export", 0, 0);
  near("power-demand", total, 1);
  t.ok(number(now, "serial-number-high") * 65_536 + number(now, "serial-number-low") >= 18_000_000);
  t.equal(Object.keys(now).length, sdm630.profile.points.length);
});

t.test("the meter's limit of 80 registers is kept, and without it a read is refused", async (t) => {
  const { points, read, plain, signal } = await open(t, sdm630, 3, { gapRegisters: 124 });
  const values = await read();
  t.ok(Object.values(values).every((value) => typeof value === "number"));
  const session = plain();
  const [first] = session.plan(
    points.filter(({ name }) => !name.startsWith("serial")),
    NO_HOLES,
  );
  if (first === undefined) throw new Error("nothing planned");
  await t.rejects(session.exchange(first, signal), { code: "refused-by-device" });
});

t.test("what a device shows at rest lies in the range that its profile gives", async (t) => {
  for (const [profile, unit] of [
    [segmentCabinet, 2],
    [sdm630, 3],
  ] as const) {
    const { points, read } = await open(t, profile, unit);
    const values = await read();
    for (const { name, range } of points) {
      const value = values[name];
      // The simulated cabinet rests 0 s here, less than an operator may set.
      if (range === undefined || typeof value !== "number" || name.startsWith("min-o")) continue;
      t.ok(value >= range.min && value <= range.max, `${name} is ${value}`);
    }
  }
});
