import { readFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import t, { type Test } from "tap";
import type { PointValue } from "../domain/reading.ts";
import { systemClock } from "../domain/system-clock.ts";
import { Seconds } from "../domain/time.ts";
import { NO_HOLES, type Sample } from "../drivers/driver.ts";
import { loadDriver } from "../drivers/registry.ts";
import { loadProfile } from "../gateway/site/load-profile.ts";
import { ProblemList } from "../gateway/site/source/problem-list.ts";
import { Fields } from "../simulators/input-fields.ts";
import { startSimulation } from "../simulators/simulation.ts";
import { parseSimulationConfig } from "../simulators/simulation-config.ts";
import { RawClient } from "./simulators/modbus-client.ts";
import { StillClock } from "./simulators/still-clock.ts";

/** A device of this kind, read through this profile by the product's own driver; what was read, by point. */
async function open(t: Test, given: { readonly profile: string; readonly device: object }) {
  const file = join(import.meta.dirname, "../profiles", `${given.profile}.yaml`);
  const id = given.profile.split("/")[1] ?? "";
  const problems = new ProblemList();
  const loaded = await loadProfile({ file, id, text: readFileSync(file, "utf8") }, loadDriver, problems);
  if (loaded === undefined) throw new Error(JSON.stringify(problems.sorted()));
  const clock = new StillClock();
  const config = parseSimulationConfig({ devices: [{ id: "d-1", ...given.device }] });
  const simulation = await startSimulation(config, clock);
  const device = simulation.getDevice("d-1");
  const { host, port } = Object(device.reach);
  const { signal } = new AbortController();
  const context = {
    clock: systemClock,
    logger: pino({ enabled: false }),
    requestTimeout: Seconds(2),
    frames: () => {},
  };
  const { driver, profile } = loaded;
  const bus = await driver.openBus(
    driver.parseBusConfig({ transport: "tcp", host, port, gapRegisters: 124 }),
    context,
    signal,
  );
  t.teardown(async () => {
    await bus[Symbol.asyncDispose]();
    await simulation[Symbol.asyncDispose]();
  });
  const session = bus.openSession("1", profile.quirks);
  const { definitions } = loaded.resolve({}, {});
  const readable = definitions.filter(({ access }) => access !== "write");
  const read = async () => {
    const values: Record<string, PointValue> = {};
    for (const exchange of session.plan(readable, NO_HOLES)) {
      const samples = await session.exchange(exchange, signal);
      for (const [at, { name }] of exchange.points.entries()) values[name] = shown(samples[at]);
    }
    return values;
  };
  const write = async (name: string, value: PointValue) => {
    const point = definitions.find((each) => each.name === name);
    if (point === undefined) throw new Error(`no point ${name}`);
    await session.write(point, value, signal);
  };
  const act = async (name: string, more: object = {}) => {
    const action = device.actions.find((each) => each.name === name);
    if (action === undefined) throw new Error(`no action ${name}`);
    await action.prepare(new Fields(more))();
  };
  return { profile, definitions, session, clock, simulation, device, read, write, act, host, port };
}

function shown(sample: Sample | undefined): PointValue {
  if (sample === undefined) return "not read";
  if ("value" in sample) return sample.value;
  return "fault" in sample ? sample.fault.code : "no value";
}

const near = (
  t: Test,
  values: Record<string, PointValue>,
  expected: Record<string, readonly [number, number]>,
) => {
  for (const [name, [value, tolerance]] of Object.entries(expected)) {
    const seen = Number(values[name]);
    t.ok(Math.abs(seen - value) <= tolerance, `${name} is ${values[name]}, ${value} expected`);
  }
};

for (const [profile, kind] of [
  ["meter/schneider-iem3000", "iem3000"],
  ["meter/abb-b23", "b23"],
] as const) {
  t.test(`${kind}: what the meter shows is what its load takes, in the units of every meter`, async (t) => {
    const { clock, read, act } = await open(t, { profile, device: { kind, loadW: [1_000, 2_000, 3_000] } });
    const before = await read();
    near(t, before, {
      "voltage-l1": [230, 4],
      "current-l2": [2_000 / 0.95 / 230, 0.3],
      "power-l1": [1_000, 0.02],
      "power-l3": [3_000, 0.02],
      power: [6_000, 0.02],
      "power-factor": [0.95, 0.001],
      frequency: [50, 0.05],
      "energy-export": [0, 0],
    });
    clock.advance(7_200_000);
    const after = await read();
    near(t, after, { "energy-import": [Number(before["energy-import"]) + 12, 0.02] });
    t.ok(Number(before["energy-import"]) > 1_000, "it had counted before it came here");
    await act("lose-phase", { phase: 2 });
    const lost = await read();
    t.equal(lost["voltage-l2"], "no value", "a phase that is not there has no voltage, not a wild one");
    t.ok(lost["power-l2"] === 0 || lost["power-l2"] === "no value");
    near(t, lost, { "voltage-l1": [230, 4], power: [4_000, 0.02] });
  });
}

t.test(
  "Schneider counts from 1: register 3028 is address 0x0BD3, and 3028 itself is half a float",
  async (t) => {
    const { definitions, session, host, port } = await open(t, {
      profile: "meter/schneider-iem3000",
      device: { kind: "iem3000" },
    });
    const register = (name: string) =>
      Object(definitions.find((each) => each.name === name)?.address).register;
    t.equal(register("voltage-l1"), 0x0bd3);
    t.equal(register("voltage-l1"), 3_028 - 1);
    for (const { address, source } of definitions) {
      const documented = Number(/register (\d+)/.exec(source)?.[1]);
      t.equal(Object(address).register, documented - 1, source);
    }
    await using client = await RawClient.open({ host, port });
    t.equal((await client.ask("03 0bd4 0002")).toString("hex"), "8302", "the next address is no value");
    const energies = definitions.filter(({ name }) => name.startsWith("energy"));
    t.equal(energies.length, 5);
    for (const energy of energies) {
      const whole = session.plan(definitions, NO_HOLES).filter(({ points }) => points.includes(energy));
      t.equal(whole.length, 1, `${energy.name}: four registers in one frame, or a carry tears it`);
    }
  },
);

t.test("a probe tells the meter from another: the model text, and the grid's frequency", async (t) => {
  const right = await open(t, { profile: "meter/schneider-iem3000", device: { kind: "iem3000" } });
  const values = await right.read();
  const [model] = right.profile.probe ?? [];
  if (model === undefined || !("matches" in model)) throw new Error("the first check is the model's text");
  t.match(values["model"], new RegExp(model.matches, "u"));
  for (const check of right.profile.probe ?? []) {
    if ("min" in check)
      near(t, values, { [check.point]: [(check.min + check.max) / 2, (check.max - check.min) / 2] });
    t.ok(check.why.length > 20);
  }
});

t.test(
  'the weather station: each quantity, its own "no value", and an identity in either order',
  async (t) => {
    const profile = "weather-station/lufft-ws600";
    const { definitions, read, act } = await open(t, { profile, device: { kind: "lufft-ws" } });
    await act("set-weather", {
      temperatureC: -12.3,
      precipitationType: 70,
      precipitationMmH: 1.25,
      windGustMs: 17.6,
    });
    const values = await read();
    near(t, values, {
      temperature: [-12.3, 0.001],
      humidity: [88, 0.001],
      pressure: [1_013.2, 0.001],
      "wind-gust": [17.6, 0.001],
      "precipitation-rate": [1.25, 0.001],
      precipitation: [12.34, 0.001],
      identity: [0x2006, 0],
    });
    t.equal(values["precipitation-type"], "snow");
    await act("fail-sensor", { quantity: "temperatureC" });
    await act("fail-sensor", { quantity: "precipitationMmH" });
    const failed = await read();
    t.match(failed, { temperature: "no value", "precipitation-rate": "no value", "temperature-status": 7 });
    t.equal(failed["dew-point"], values["dew-point"]);
    for (const { name, pollClass } of definitions) {
      t.ok(pollClass === "meter" || pollClass === "slow", `${name}: the vendor advises 10 s or slower`);
    }
    const other = await open(t, { profile, device: { kind: "lufft-ws", identity: "type-high" } });
    t.equal((await other.read())["identity"], 0x0620);
  },
);

t.test("a barrier's points are its contacts, and its orders its pulses", async (t) => {
  const { clock, device, read, write, act } = await open(t, {
    profile: "barrier/neutral-barrier",
    device: { kind: "barrier" },
  });
  t.match(await read(), {
    state: "closed",
    "closed-limit": true,
    "open-limit": false,
    "at-rest": true,
    "light-red": true,
  });
  await write("open", true);
  t.match(await read(), { state: "opening", "closed-limit": false, "at-rest": false });
  clock.advance(3_000);
  const opened = await read();
  t.match(opened, { state: "open", "open-limit": true, "light-green": true, cycles: 1, "travel-time": 3 });
  const turned = [
    ["occupy-safety-loop", "safety-loop-occupied"],
    ["occupy-entry-loop", "entry-loop-occupied"],
    ["interrupt-photocell", "photocell-interrupted"],
    ["press-edge", "edge-pressed"],
    ["break-arm", "arm-missing"],
    ["drain-battery", "battery-low"],
    ["turn-key-local", "local-key"],
  ] as const;
  let before = opened;
  for (const [action, name] of turned) {
    await act(action);
    const now = await read();
    const differing = Object.keys(now).filter((each) => now[each] !== before[each] && each !== "state");
    t.strictSame(differing, [name], `${action} shows in one point only`);
    before = now;
  }
  t.match(device.view(), { state: "local", localKey: true });
});

t.test(
  "a junction by wires is asked and never driven, and its watchdog makes every order a lease",
  async (t) => {
    const { clock, read, write, act } = await open(t, {
      profile: "traffic-cabinet/neutral-wire-cabinet",
      device: { kind: "wire-cabinet", watchdogSec: 20 },
    });
    t.match(await read(), {
      coordinated: false,
      flashing: false,
      stage: 1,
      "green-1": true,
      "green-5": false,
      plan: 0,
    });
    await write("flashing-request", true);
    t.match(await read(), { flashing: false }, "not before the minimum green is over");
    clock.advance(6_000);
    t.match(await read(), { flashing: true, "green-1": false, "green-5": false });
    await write("flashing-request", false);
    clock.advance(6_000);
    t.match(await read(), { flashing: false, stage: 1 });
    await write("take-over", true);
    clock.advance(6_000);
    await write("end-phase", true);
    t.match(await read(), { coordinated: true, "phase-end-taken": true, stage: 1 });
    clock.advance(1);
    t.match(await read(), { "phase-end-taken": false, stage: 2, "green-5": true, "green-1": false });
    await write("plan-select", 3);
    t.match(await read(), { "plan-select": 3, plan: 0 }, "a plan changes at the end of a cycle only");
    clock.advance(10_000);
    await act("turn-police-key");
    t.match(await read(), { flashing: true, coordinated: false, "police-key": true });
    await act("return-police-key");
    clock.advance(15_000);
    clock.advance(20_000);
    t.match(
      await read(),
      { "take-over": false, "plan-select": 0 },
      "nobody asked for 20 s: all outputs fell",
    );
  },
);

t.test("a counter rolls over, forgets at power loss, and has no more than totals", async (t) => {
  const { profile, read, act } = await open(t, {
    profile: "counter/neutral-people-counter",
    device: { kind: "modbus-counter", in: 65_530 },
  });
  await act("pass", { in: 10, out: 3 });
  t.match(await read(), { "people-in": 4, "people-out": 3, covered: false });
  await act("power-loss");
  await act("cover");
  t.match(await read(), { "people-in": 0, "people-out": 0, covered: true });
  const names = ["in", "out"].flatMap((way) => [
    `people-${way}`,
    `people-${way}-epoch`,
    `people-${way}-total`,
  ]);
  t.strictSame(profile.points.map(({ name }) => name).toSorted(), ["covered", ...names]);
});

t.test("a supervised loop tells four states apart, and says so where nobody can tell", async (t) => {
  const { simulation, read, act } = await open(t, {
    profile: "building/neutral-building",
    device: { kind: "building" },
  });
  t.match(await read(), { "loop-1": "normal", "loop-2": "normal", "loop-3": "normal", "loop-4": "normal" });
  for (const state of ["alarm", "cut", "short", "normal"] as const) {
    await act("set-loop", { loop: 2, state });
    t.match(await read(), { "loop-1": "normal", "loop-2": state });
  }
  await act("set-temperature", { celsius: -4.5 });
  await act("count-pulses", { pulses: 70_000 });
  await act("make-contact", { contact: "flood" });
  t.match(await read(), { temperature: -4.5, "meter-pulses": 70_000, flood: true, smoke: false });
  t.equal(simulation.journal.query({ device: "d-1", kind: "effect" }).entries.length, 7);
});
