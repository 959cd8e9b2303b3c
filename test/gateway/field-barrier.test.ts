import { join } from "node:path";
import { pino } from "pino";
import t, { type Test } from "tap";
import { CommandId, DeviceId, PointNumber, pointIdOf } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { after, Millis, Seconds } from "../../domain/time.ts";
import { compileOperation } from "../../gateway/control/operation-compiler.ts";
import { buildField } from "../../gateway/field/build-field.ts";
import { planField } from "../../gateway/field/plan-field.ts";
import { loadSite } from "../../gateway/site/load-site.ts";
import { numberSite } from "../../gateway/site/number-site.ts";
import { PointIndex } from "../../gateway/site/site.ts";
import type { JournalEntry } from "../../simulators/journal.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";

/** A real barrier or bollard on a socket, commanded through its shipped profile by the product's own field. */
async function open(t: Test, kind: "barrier" | "bollard") {
  const devices = [{ id: "gate-1", kind, travelMs: 300, pulseMs: 500 }];
  const simulation = await startSimulation(parseSimulationConfig({ devices, control: "127.0.0.1:0" }));
  const device = simulation.getDevice("gate-1");
  const { host, port } = Object(device.reach);
  const site = [
    "site: { id: gates, name: Gates }",
    "gateway: gw-1",
    "dataFolder: data",
    `buses: [{ id: gates, driver: modbus, transport: tcp, host: ${host}, port: ${port}, requestTimeout: 300 ms }]`,
    `devices: [{ id: gate-1, profile: neutral-${kind}, bus: gates, unit: 1 }]`,
    "",
  ].join("\n");
  const loaded = numberSite(
    await loadSite(join(t.testdir({ "site.yaml": site }), "site.yaml")),
    (ids) => new Map(ids.map((id, at) => [id, PointNumber(at + 1)])),
  );
  const index = new PointIndex(loaded);
  const plans = planField(loaded.buses, loaded.devices);
  const given = {
    plans,
    hosting: "in-process",
    clock: systemClock,
    logger: pino({ enabled: false }),
  } as const;
  const { field, services } = buildField({ ...given, sink: () => undefined });
  const stop = new AbortController();
  const ended = Promise.all(services.map((service) => service.run(stop.signal)));
  t.teardown(async () => {
    stop.abort();
    await ended;
    await simulation[Symbol.asyncDispose]();
  });
  let count = 0;
  const order = async (name: string, value = true) => {
    const target = index.find(pointIdOf(DeviceId("gate-1"), name));
    if (target === undefined) throw new Error(`no point ${name}`);
    count += 1;
    const commandId = CommandId(`0190a5d0-0000-7000-8000-${String(count).padStart(12, "0")}`);
    const deadline = after(systemClock.uptime(), Seconds(10));
    return await field.runOperation(
      compileOperation(target, { commandId, value, args: [], deadline }, index),
      stop.signal,
    );
  };
  const act = async (action: string, more: object = {}) => {
    const { host: at = "", port: on = 0 } = simulation.control ?? {};
    const body = JSON.stringify({ action, ...more });
    const answer = await fetch(`http://${at}:${on}/devices/gate-1`, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const entries = (): readonly JournalEntry[] => simulation.journal.query({ limit: 10_000 }).entries;
  const writes = () => entries().filter(({ kind: what }) => what === "write").length;
  const moves = () =>
    entries().flatMap((entry) => (entry.kind === "effect" && entry.what === "motor" ? [entry.to] : []));
  const pulses = () =>
    entries().flatMap((entry) => (entry.kind === "effect" && entry.what.startsWith("pulse-") ? [entry] : []));
  const pause = (ms: number) => systemClock.sleep(Millis(ms), stop.signal);
  // The first operation waits for the line; so that the others are judged by what they ask.
  for (let tries = 0; tries < 100; tries += 1) {
    const read = await field.readNow(
      { busId: loaded.buses[0]?.id ?? raise(), unitAddress: "1", points: [PointNumber(5)] },
      stop.signal,
    );
    if (read.outcome === "read") break;
    await pause(20);
  }
  return { simulation, device, order, act, writes, moves, pulses, pause };
}

function raise(): never {
  throw new Error("the site has no bus");
}

t.test("a barrier opens by one pulse that ends by itself, and its limit switch is the proof", async (t) => {
  const { order, moves, pulses, pause, writes } = await open(t, "barrier");
  const opened = await order("open");
  t.match(opened, {
    outcome: "succeeded",
    evidence: { readBacks: [{ before: false, value: true, agrees: true }] },
  });
  t.equal(writes(), 1);
  t.strictSame(moves(), [1, 0], "one opening, and its end");
  await pause(350);
  t.match(pulses(), [
    { what: "pulse-open", to: 1, cause: { by: "request" } },
    { what: "pulse-open", to: 0, cause: { by: "device", rule: "pulse-over" } },
  ]);
  t.match(await order("close"), { outcome: "succeeded" });
});

t.test(
  "a bollard rises only where nobody is, and whoever is there is known from this very moment",
  async (t) => {
    const { simulation, order, act, writes, moves } = await open(t, "bollard");
    t.match(await order("lower"), { outcome: "succeeded" });
    const before = writes();
    const hindrances = [
      ["occupy-safety-loop", "free-safety-loop", /gate-1\/safety-loop-occupied is true, but must be false/],
      ["interrupt-photocell", "clear-photocell", /gate-1\/photocell-interrupted is true/],
      ["turn-key-local", "turn-key-remote", /gate-1\/local-key is true/],
      ["fire-alarm", "end-fire-alarm", /gate-1\/fire-open-active is true/],
    ] as const;
    for (const [hinder, free, says] of hindrances) {
      await act(hinder);
      t.match(await order("raise"), { outcome: "rejected", cause: "blocked", detail: says }, hinder);
      await act(free);
    }
    const address = { addressMin: 4, addressMax: 4, functions: [4] };
    simulation.getDevice("gate-1").faults?.add({ kind: "exception", code: 4, ...address });
    t.match(
      await order("raise"),
      { outcome: "rejected", cause: "blocked", detail: /safety-loop-occupied is not known/ },
      "unknown is not free",
    );
    simulation.getDevice("gate-1").faults?.clear();
    t.equal(writes(), before, "none of them reached the device as a write");
    t.strictSame(moves(), [1, 0], "and nothing moved");
    t.match(await order("raise"), { outcome: "succeeded" });
  },
);

t.test("a motor that is stuck never proves anything, and then holds every further order", async (t) => {
  const { order, act, pause, moves } = await open(t, "barrier");
  await act("jam");
  const result = order("open");
  await pause(600);
  t.strictSame(moves(), [1, 0], "after 1.5 times its travel the device gave up");
  await act("fire-alarm");
  t.match(await order("close"), { outcome: "rejected", detail: /is true/ });
  await act("end-fire-alarm");
  await act("repair");
  t.match(await result, { outcome: "outcome-unknown", evidence: { acknowledged: true } });
});

t.test("fire-open is held, proven by the device's own word, and beats what is closing", async (t) => {
  const { device, order, act, moves, pause } = await open(t, "barrier");
  t.match(await order("fire-open"), { outcome: "succeeded" });
  await pause(400);
  t.match(await order("close"), { outcome: "rejected", detail: /fire-open-active is true/ });
  t.match(await order("fire-open", false), { outcome: "succeeded" });
  t.match(device.view(), { state: /^open$/, fireOpen: false }, "nothing moves by itself afterwards");
  t.strictSame(moves(), [1, 0]);
  await act("turn-key-local");
  t.match(
    await order("stop"),
    { outcome: /failed|outcome-unknown/ },
    "the key at the device wins over a stop too",
  );
});
