import { readFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import t, { type Test } from "tap";
import type { PointDefinition } from "../domain/point.ts";
import type { PointValue } from "../domain/reading.ts";
import { conditionsOf, findUnmet } from "../domain/safety/interlock.ts";
import { systemClock } from "../domain/system-clock.ts";
import { Seconds } from "../domain/time.ts";
import { NO_HOLES } from "../drivers/driver.ts";
import { loadDriver } from "../drivers/registry.ts";
import { loadProfile } from "../gateway/site/load-profile.ts";
import { ProblemList } from "../gateway/site/source/problem-list.ts";
import { Fields } from "../simulators/input-fields.ts";
import { startSimulation } from "../simulators/simulation.ts";
import { parseSimulationConfig } from "../simulators/simulation-config.ts";
import { StillClock } from "./simulators/still-clock.ts";

/** The traffic cabinet on both sides of its paper: the profile read by the product's driver, the simulator by its own view. */
const id = "neutral-traffic-cabinet";
const file = join(import.meta.dirname, "../profiles/traffic-cabinet", `${id}.yaml`);
const problems = new ProblemList();
const profile = await loadProfile({ file, id, text: readFileSync(file, "utf8") }, loadDriver, problems);
if (profile === undefined) throw new Error(JSON.stringify(problems.sorted()));
const { driver } = profile;
const points = profile.resolve({}, {}).definitions;

const clock = new StillClock();
const config = {
  devices: [{ id: "junctions", kind: "traffic-controllers", cabinets: ["junction-1", "junction-2"] }],
};
const simulation = await startSimulation(parseSimulationConfig(config), clock);
t.teardown(() => simulation[Symbol.asyncDispose]());
const running = simulation.getDevice("junctions");
const folder = t.testdir();
const { signal } = new AbortController();
const context = {
  clock: systemClock,
  logger: pino({ enabled: false }),
  requestTimeout: Seconds(5),
  frames: () => {},
};
const reach = running.reach as { readonly url: string };
const bus = await driver.openBus(
  driver.parseBusConfig({ endpoint: reach.url, security: "none" }, { site: folder, data: folder }),
  context,
  signal,
);
t.teardown(() => bus[Symbol.asyncDispose]());
const session = bus.openSession("junction-1", []);

type View = Readonly<Record<string, unknown>>;
function view(cabinet = 0): View {
  const { cabinets } = running.view() as { readonly cabinets: readonly View[] };
  return cabinets[cabinet] ?? {};
}

async function treat(action: string, more: object = {}): Promise<void> {
  const found = running.actions.find(({ name }) => name === action);
  if (found === undefined) throw new Error(`no action ${action}`);
  await found.prepare(new Fields({ cabinet: "junction-1", ...more }))();
}

function get(name: string): PointDefinition {
  const found = points.find((point) => point.name === name);
  if (found === undefined) throw new Error(`no point ${name}`);
  return found;
}

async function readAll(): Promise<Readonly<Record<string, PointValue | string>>> {
  const values: Record<string, PointValue | string> = {};
  const read = points.filter(({ access, type }) => access !== "write" && type !== "action");
  for (const exchange of session.plan(read, NO_HOLES)) {
    const samples = await session.exchange(exchange, signal);
    for (const [at, sample] of samples.entries()) {
      const name = exchange.points[at]?.name ?? "";
      values[name] =
        "value" in sample ? sample.value : "bad" in sample ? sample.bad : `no value: ${Object.keys(sample)}`;
    }
  }
  return values;
}

/** Why the profile would refuse an order to the point now. */
async function unmet(name: string): Promise<string | undefined> {
  const { interlock } = get(name);
  const values = await readAll();
  return findUnmet(conditionsOf(interlock, true), ({ point }) => ({
    pointId: point,
    finding: { value: values[point] ?? "nothing" },
  }));
}

/** Seconds of the cabinets' life. */
function live(seconds: number): void {
  for (let second = 0; second < seconds; second += 1) clock.advance(1_000);
}

/** What each point should say, from the cabinet's own truth. */
function truth(): Readonly<Record<string, unknown>> {
  const seen = view();
  const alarms = seen["alarms"] as readonly string[];
  return {
    "control-mode": seen["controlMode"],
    "functional-position": seen["position"],
    "functional-position-source": seen["source"],
    "police-key": ["off", "dark", "yellow-flash", "all-red"][Number(seen["policeKey"])],
    "signal-groups": seen["groups"],
    "cycle-counter": seen["counter"],
    stage: seen["stage"],
    "active-plan": seen["plan"],
    "requested-plan": seen["forcedPlan"],
    "cycle-time": seen["cycleSec"],
    offset: seen["offsetSec"],
    "emergency-routes": String(seen["routes"]),
    "active-emergency-route": (seen["routes"] as readonly number[])[0] ?? 0,
    "door-open": seen["doorOpen"],
    "ups-on-battery": seen["mainsPresent"] === false,
    "major-fault": alarms.includes("A0006"),
    "serious-lamp-error": alarms.includes("A0201"),
    "detector-hardware-error": alarms.includes("A0301"),
  };
}

async function agrees(t: Test, what: string): Promise<void> {
  t.match(await readAll(), truth(), what);
}

t.test("every point reads what the cabinet is, whatever happens in it", async (t) => {
  t.equal(view()["controlMode"], "startup");
  await agrees(t, "at its start");
  live(10);
  t.equal(view()["controlMode"], "control");
  await agrees(t, "in control");
  const values = await readAll();
  t.strictSame(
    Object.entries(values).filter(([, value]) => String(value).startsWith("no value")),
    [],
    "every point has a value",
  );
  for (const { name, range } of points) {
    const value = values[name];
    if (range !== undefined && typeof value === "number")
      t.ok(value >= range.min && value <= range.max, `${name} is ${value}`);
  }
  for (const [action, more] of [
    ["open-door", {}],
    ["cut-mains", {}],
    ["set-alarm", { alarm: "A0201" }],
    ["police-key", { position: 2 }],
    ["police-key", { position: 0 }],
    ["local-panel", { position: "all-red" }],
    ["local-panel", { position: "off" }],
    ["begin-test", {}],
    ["end-test", {}],
    ["pass-detector", { detector: 3 }],
  ] as const) {
    await treat(action, more);
    await agrees(t, action);
  }
  t.match(await readAll(), { "detector-3-count": 1, "detector-3-occupied": true, "detector-4-count": 0 });
  await treat("set-alarm", { alarm: "A0301" });
  t.match(await readAll(), {
    "detector-1-occupancy": "no value: sentinel",
    "detector-1-speed": "no value: sentinel",
  });
  await treat("temperature-sensor", { condition: "broken" });
  t.match(await readAll(), { "cabinet-temperature": "bad/sensor-failure" });
  t.equal(view(1)["doorOpen"], false, "the other cabinet of the server is another");
});

t.test(
  "a mode is a lease that the controller ends by itself, and a plan begins at the end of a cycle",
  async (t) => {
    await session.write(get("functional-position"), "yellow-flash", signal);
    t.match(view(), { position: "yellow-flash", source: "forced" });
    await agrees(t, "flashing");
    live(30 * 60 - 1);
    t.match(view(), { position: "yellow-flash" });
    live(2);
    t.match(view(), { position: "normal" }, "nobody renewed it");
    t.match(simulation.journal.query({ device: "junction-1", kind: "effect" }).entries.at(-1), {
      cause: { rule: "timeout" },
    });
    await session.write(get("requested-plan"), 2, signal);
    t.match(await readAll(), { "requested-plan": 2, "active-plan": 1 }, "asked, not begun");
    live((view()["cycleSec"] as number) + 10);
    t.match(await readAll(), { "requested-plan": 2, "active-plan": 2, "plan-source": "forced" });
    await session.invoke?.(get("release-plan"), [], signal);
    live((view()["cycleSec"] as number) + 10);
    t.match(await readAll(), { "requested-plan": 0, "active-plan": 1, "plan-source": "calendar-clock" });
    await session.write(get("offset"), 12, signal);
    await agrees(t, "offset");
  },
);

t.test(
  "an emergency route holds its stage after what the running one is owed, and a second is refused",
  async (t) => {
    t.equal(await unmet("begin-emergency-route"), undefined);
    await session.invoke?.(get("begin-emergency-route"), [2], signal);
    live(40);
    t.match(view(), { stage: 2, routes: [2] });
    t.match(await unmet("begin-emergency-route"), /active-emergency-route is 2, but must be 0/);
    t.equal(await unmet("end-emergency-route"), undefined);
    await session.invoke?.(get("end-emergency-route"), [2], signal);
    await agrees(t, "released");
    await session.invoke?.(get("begin-emergency-route"), [1], signal);
    live(15 * 60 + 1);
    t.match(view(), { routes: [] }, "let go by the controller");
    await session.invoke?.(get("request-priority"), [3, 7, 1, 20], signal);
    t.match(await readAll(), { "priority-requests": "3/7/received" });
    t.ok(Number(view()["shortestGreenSec"]) >= 6, "no green was ever shorter than its least");
  },
);

t.test("what the profile refuses with a reason, the controller refuses too", async (t) => {
  const cases = [
    ["police-key", { position: 3 }, /police-key is all-red, but must be off/, "police-key", { position: 0 }],
    [
      "local-panel",
      { position: "dark" },
      /functional-position-source is operator-panel/,
      "local-panel",
      { position: "off" },
    ],
    ["begin-test", {}, /control-mode is test, but must be control or standby/, "end-test", {}],
    ["fail", {}, /control-mode is failure/, "reset-failure", {}],
  ] as const;
  const mode = points.filter(({ commandClass }) => commandClass === "K3").map(({ name }) => name);
  t.same(mode, ["functional-position", "begin-emergency-route", "end-emergency-route"]);
  for (const [action, more, reason, undo, undone] of cases) {
    await treat(action, more);
    for (const name of [...mode, "requested-plan"]) t.match(await unmet(name), reason, `${action}: ${name}`);
    const before = view();
    await t.rejects(session.write(get("functional-position"), "dark", signal), {
      code: "refused-by-device",
      cause: { message: /BadInvalidState/ },
    });
    t.strictSame(view(), before, "and nothing moved");
    await treat(undo, undone);
    live(5);
    t.equal(await unmet("functional-position"), undefined, undo);
  }
  const reset = points.filter(
    ({ access, address }) => access !== "read" && /A0006|reset/i.test(JSON.stringify(address)),
  );
  t.strictSame(reset, [], "a major fault has no reset from here");
  await t.rejects(session.write({ ...get("door-open"), access: "read-write" }, true, signal), {
    code: "refused-by-device",
  });
});
