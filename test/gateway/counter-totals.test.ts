import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { pino } from "pino";
import t from "tap";
import type { Device } from "../../domain/device.ts";
import { PointId, PointNumber } from "../../domain/ids.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointChange } from "../../domain/reading.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Instant, Millis, Seconds } from "../../domain/time.ts";
import { advanceCounter, beginCounter } from "../../gateway/counter-machine.ts";
import { CounterTotals } from "../../gateway/counter-totals.ts";
import { openGateway } from "../../gateway/gateway.ts";
import { LocalApiClient } from "../../gateway/local-api/client.ts";
import { loadSite } from "../../gateway/site/load-site.ts";
import { Fields } from "../../simulators/input-fields.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);

const WIDTH = { bits: 16, maxStep: 10_000 };

t.test("a number that fell has gone round its end if little lies between, else it began anew", (t) => {
  const cases = [
    { name: "more was counted", from: 100, shows: 130, total: 130, epoch: 0 },
    { name: "nothing was", from: 100, shows: 100, total: 100, epoch: 0 },
    { name: "round the end", from: 65_530, shows: 4, total: 65_540, epoch: 0 },
    { name: "round the end by the most that can pass", from: 60_000, shows: 4_464, total: 70_000, epoch: 0 },
    { name: "one more is none", from: 60_000, shows: 4_465, total: 64_465, epoch: 60_000 },
    { name: "power was lost", from: 5_000, shows: 0, total: 5_000, epoch: 5_000 },
    { name: "and some have passed since", from: 5_000, shows: 7, total: 5_007, epoch: 5_000 },
    { name: "it fell a little", from: 5_000, shows: 4_999, total: 9_999, epoch: 5_000 },
  ];
  for (const { name, from, shows, total, epoch } of cases)
    t.same(advanceCounter(beginCounter(from), shows, WIDTH), { total, epoch }, name);
  t.end();
});

/** A device that is read after each step, and what was counted. */
function walk(first: number, steps: readonly { readonly passed: number; readonly isForgetful: boolean }[]) {
  const states = [beginCounter(first)];
  let shown = first;
  for (const { passed, isForgetful } of steps) {
    shown = ((isForgetful ? 0 : shown) + passed) % 65_536;
    states.push(advanceCounter(states.at(-1) ?? beginCounter(first), shown, WIDTH));
  }
  const passed = steps.reduce((sum, step) => sum + step.passed, first);
  return { states, shown, passed, last: states.at(-1) ?? beginCounter(first) };
}

const steps = (isForgetful: fc.Arbitrary<boolean>) =>
  fc.array(fc.record({ passed: fc.integer({ min: 0, max: WIDTH.maxStep }), isForgetful }), { maxLength: 60 });
const FIRST = fc.integer({ min: 0, max: 65_535 });
const RUNS = { seed, numRuns: Number(process.env["FUZZ_RUNS"] ?? 300) };

t.test("where a device forgets nothing, its total is what passed", (t) => {
  const run = fc.property(FIRST, steps(fc.constant(false)), (first, taken) => {
    const { last, passed } = walk(first, taken);
    return last.total === passed && last.epoch === 0;
  });
  fc.assert(run, RUNS);
  t.end();
});

t.test("a total never falls, and tells with its epoch what the device shows", (t) => {
  const run = fc.property(FIRST, steps(fc.boolean()), (first, taken) => {
    const { states, last, shown } = walk(first, taken);
    const isRising = states.every(
      ({ total, epoch }, at) =>
        at === 0 || (total >= (states[at - 1]?.total ?? 0) && epoch >= (states[at - 1]?.epoch ?? 0)),
    );
    return isRising && (last.total - last.epoch) % 65_536 === shown;
  });
  fc.assert(run, RUNS);
  t.end();
});

const TOTAL = PointNumber(1);
const EPOCH = PointNumber(2);
const OTHER = PointNumber(3);
const definition = (name: string, counter?: PointDefinition["counter"]): PointDefinition => ({
  ...{ name, type: "number", unit: "1", access: "read", address: null, deadband: 0, pollClass: "meter" },
  ...{ maxAge: Seconds(300), source: "test", ...(counter && { counter }) },
});
const POINTS = [
  { id: PointId("c-1/total"), number: TOTAL, definition: definition("total", WIDTH) },
  { id: PointId("c-1/epoch"), number: EPOCH, definition: definition("epoch", { epochOf: "total" }) },
  { id: PointId("c-1/covered"), number: OTHER, definition: definition("other") },
];
const DEVICES = [{ points: POINTS }] as unknown as readonly Device[];
const change = (
  point: PointNumber,
  value: PointChange["value"],
  more: Partial<PointChange> = {},
): PointChange => ({
  ...{ point, value, quality: "good", cause: "none", sourceTimestamp: null },
  gatewayTimestamp: Instant(1_000),
  ...more,
});
const both = (value: number): readonly PointChange[] => [change(TOTAL, value), change(EPOCH, value)];
const SILENT = { quality: "bad/no-communication", cause: "timeout" } as const;

/** Told readings, as the store keeps them. */
function newTotals(memory = new Map<PointNumber, PointChange>()) {
  const totals = new CounterTotals(DEVICES, (number) => memory.get(number) as never);
  const tell = (changes: readonly PointChange[]) => {
    const told = totals.told(changes);
    for (const each of told) memory.set(each.point, each);
    return told.map(({ point, value, quality, cause }) => [point, value, quality, cause]);
  };
  return { totals, tell, memory };
}

t.test("an epoch that stands is told once, other points pass as they are", (t) => {
  const { tell } = newTotals();
  t.same(tell([...both(50), change(OTHER, 50)]), [
    [TOTAL, 50, "good", "none"],
    [EPOCH, 0, "good", "none"],
    [OTHER, 50, "good", "none"],
  ]);
  t.same(tell(both(60)), [[TOTAL, 60, "good", "none"]]);
  t.same(tell(both(7)), [
    [TOTAL, 67, "good", "none"],
    [EPOCH, 60, "good", "none"],
  ]);
  t.end();
});

t.test("while a device shows nothing its total stands as the last usable, also over a restart", (t) => {
  const { tell, memory } = newTotals();
  t.same(
    tell([change(TOTAL, null, SILENT)]),
    [[TOTAL, null, "bad/no-communication", "timeout"]],
    "never read",
  );
  tell(both(50));
  tell(both(5));
  const last = "uncertain/last-usable-value";
  t.same(tell([change(TOTAL, null, SILENT), change(EPOCH, null, SILENT)]), [
    [TOTAL, 55, last, "timeout"],
    [EPOCH, 50, last, "timeout"],
  ]);
  const again = newTotals(memory);
  t.same(again.tell([change(TOTAL, 65_536), change(EPOCH, 0.5)]), [
    [TOTAL, 55, last, "out-of-range"],
    [EPOCH, 50, last, "out-of-range"],
  ]);
  t.same(again.tell(both(9)), [
    [TOTAL, 59, "good", "none"],
    [EPOCH, 50, "good", "none"],
  ]);
  t.end();
});

t.test("a read on somebody's behalf shows the total and moves nothing, whatever it overtakes", (t) => {
  const { totals, tell } = newTotals();
  tell(both(50));
  t.match(totals.seen([change(TOTAL, 70), change(OTHER, 70)]), [{ value: 70 }, { value: 70 }]);
  t.match(totals.seen([change(TOTAL, 3)]), [{ value: 53, quality: "good" }]);
  t.match(totals.seen([change(TOTAL, null, SILENT)]), [
    { value: 50, quality: "uncertain/last-usable-value" },
  ]);
  t.same(tell(both(60)), [[TOTAL, 60, "good", "none"]], "a poll that was made before it is no fall");
  t.end();
});

t.test(
  "totals of people go on over restarts of the gateway, roll-over, power loss and silence",
  async (t) => {
    const simulation = await startSimulation(
      parseSimulationConfig({
        devices: [
          { id: "mat", kind: "modbus-counter", in: 65_530 },
          { id: "beam", kind: "people-counter", line: "tcp", address: 7, in: 2 ** 24 - 5 },
        ],
      }),
    );
    const folder = mkdtempSync(join(tmpdir(), "nerve-count-"));
    t.teardown(async () => {
      await simulation[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });
    const reach = (id: string) =>
      simulation.getDevice(id).reach as { readonly host: string; readonly port: number };
    const { host, port } = reach("mat");
    const line = { kind: "tcp", host: reach("beam").host, port: reach("beam").port, baud: 9_600 };
    writeFileSync(
      join(folder, "site.yaml"),
      JSON.stringify({
        ...{ site: { id: "old-town", name: "Old town" }, gateway: "gw-1", dataFolder: "data" },
        broker: { host: "127.0.0.1", port: 0 },
        buses: [
          { id: "socket", driver: "modbus", transport: "tcp", host, port, requestTimeout: "300 ms" },
          { id: "line", driver: "serial", dialect: "ascii", line },
        ],
        devices: [
          { id: "mat", profile: "neutral-people-counter", bus: "socket", unit: 1 },
          { id: "beam", profile: "serial-people-counter", bus: "line", unit: 7 },
        ],
      }),
    );
    const act = async (id: string, name: string, more: object = {}): Promise<void> =>
      await simulation
        .getDevice(id)
        .actions.find((action) => action.name === name)
        ?.prepare(new Fields(more))();
    const END = 2 ** 24;

    await withGateway(folder, async (shows) => {
      t.ok(
        await shows("mat", { "people-in": 65_530, "people-in-total": 65_530, "people-in-epoch": 0 }),
        "first seen",
      );
      t.ok(await shows("beam", { "people-in-total": END - 5, "people-out-total": 0 }));
    });
    await act("mat", "pass", { in: 10 });
    await act("beam", "pass", { in: 10, out: 3 });
    await withGateway(folder, async (shows) => {
      t.ok(
        await shows("mat", { "people-in": 4, "people-in-total": 65_540, "people-in-epoch": 0 }),
        "16 bits, round",
      );
      t.ok(
        await shows("beam", { "people-in": 5, "people-in-total": END + 5, "people-in-epoch": 0 }),
        "24 bits, round",
      );
    });
    await act("mat", "power-loss");
    await act("beam", "lose-power");
    await act("mat", "pass", { in: 3 });
    await act("beam", "pass", { in: 4 });
    await withGateway(folder, async (shows) => {
      t.ok(
        await shows("mat", { "people-in": 3, "people-in-total": 65_543, "people-in-epoch": 65_540 }),
        "began anew",
      );
      t.ok(
        await shows("beam", { "people-in": 4, "people-in-total": END + 9, "people-in-epoch": END + 5 }),
        "began anew",
      );
      await act("mat", "pass", { in: 6 });
      t.ok(
        await shows("mat", { "people-in": 9, "people-in-total": 65_549 }, "fresh"),
        "a read on the bus counts too",
      );
    });
    simulation.getDevice("mat").faults?.add({ kind: "silent" });
    await withGateway(folder, async (shows) => {
      t.ok(
        await shows("mat", { "people-in": null, "people-in-total": 65_549, "people-in-epoch": 65_540 }),
        "silent",
      );
    });
    await act("mat", "pass", { in: 2 });
    simulation.getDevice("mat").faults?.clear();
    await withGateway(folder, async (shows) => {
      t.ok(
        await shows("mat", { "people-in": 11, "people-in-total": 65_551, "people-in-epoch": 65_540 }),
        "and back",
      );
    });
  },
);

type Shows = (
  device: string,
  expected: Readonly<Record<string, unknown>>,
  how?: "told" | "fresh",
) => Promise<boolean>;

/** The gateway on this folder from its start to its end; it asks each counter once, at its start. */
async function withGateway(folder: string, use: (shows: Shows) => Promise<void>): Promise<void> {
  const site = await loadSite(join(folder, "site.yaml"));
  const parts = { site, identity: null, hosting: "in-process", software: "nerve 0.0.0-test" } as const;
  const logger = pino({ level: "silent" });
  const gateway = await openGateway({ ...parts, clock: systemClock, random: systemRandom, logger });
  const stop = new AbortController();
  const { signal } = stop;
  const run = gateway.run(signal);
  const api = new LocalApiClient({
    socketPath: gateway.socketPath,
    timeout: Seconds(5),
    clock: systemClock,
    signal,
  });
  try {
    await use(async (device, expected, how = "told") => {
      for (let turn = 0; turn < 100; turn += 1) {
        await systemClock.sleep(Millis(50), signal);
        const values = await Promise.all(
          Object.keys(expected).map((point) => readingOf(api, { device, point }, how)),
        );
        if (JSON.stringify(values) === JSON.stringify(Object.values(expected))) return true;
      }
      return false;
    });
  } finally {
    stop.abort();
    await run;
  }
}

/** Told by this run: what the last one left is no answer. */
async function readingOf(
  api: LocalApiClient,
  place: { readonly device: string; readonly point: string },
  how: "told" | "fresh",
) {
  if (how === "told") {
    const { cause, value } = await api.point(place);
    return cause === "gateway-restarted" ? "not yet" : value;
  }
  const answer = await api.read({ name: "test", ...place });
  return answer.outcome === "read" ? answer.points[0]?.value : answer.outcome;
}
