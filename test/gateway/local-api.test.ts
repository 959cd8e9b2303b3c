import { request } from "node:http";
import t from "tap";
import { BusId, CommandId } from "../../domain/ids.ts";
import type { PointChange } from "../../domain/reading.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Instant, Millis, Uptime } from "../../domain/time.ts";
import { nameOf, openBench, refusalOf, succeededAt } from "./local-api-bench.ts";
import { reading } from "./store-run.ts";

const COMMAND = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const ORDER = {
  name: "anna",
  commandId: COMMAND,
  device: "lamp-1",
  point: "dim-level",
  value: 40,
  deadlineMs: 1_000,
};

t.test("the status counts readable points by quality and tells store, buses and hosts", async (t) => {
  const figures = {
    busId: BusId("bridge"),
    state: "open",
    occupancy: 0.25,
    exchangesPerSecond: 4,
    faults: { timeout: 2 },
    health: null,
    units: [],
  } as const;
  const bench = await openBench(t, {
    figures: () => [figures],
    fieldHosts: () => [{ group: "lighting", state: "running", pid: 7 }],
    broker: () => ({ host: "127.0.0.1", port: 1883 }),
    link: () => ({ phase: "live", session: "3.1", since: Uptime(400), detail: "sync session 3.1" }),
  });
  const number = bench.numberOf("lamp-1/actual-level");
  const doubtful: PointChange = {
    ...reading(bench.numberOf("lamp-2/actual-level"), 7),
    quality: "uncertain/last-usable-value",
    cause: "gateway-restarted",
  };
  await bench.accept([reading(number, 40), doubtful]);
  const status = await bench.client.status();
  const { total, ...counts } = status.points;
  t.strictSame(counts, { good: 1, uncertain: 1, bad: total - 2 });
  t.match(status, {
    gatewayId: "gw-1",
    site: { id: "old-town", name: "Old town" },
    software: "nerve 0.0.0-test",
    incarnation: bench.store.incarnation,
    pid: process.pid,
    link: { phase: "live", session: "3.1", sinceMs: 600 },
    broker: { host: "127.0.0.1", port: 1883 },
    buses: [{ id: "bridge", driver: "modbus", fieldHost: "lighting", state: "open", faults: { timeout: 2 } }],
    store: { state: "ok", findings: [] },
  });
  t.ok(status.store.backlog.A + status.store.backlog.B + status.store.backlog.C > 0, "a backlog is told");
});

t.test("a bus whose field host is down is not told as open", async (t) => {
  const figures = {
    busId: BusId("bridge"),
    state: "open",
    occupancy: 0,
    exchangesPerSecond: 0,
    faults: {},
    health: null,
    units: [],
  } as const;
  const bench = await openBench(t, {
    figures: () => [figures],
    fieldHosts: () => [{ group: "lighting", state: "down", pid: null }],
  });
  const { buses } = await bench.client.status();
  t.equal(buses[0]?.state, "host-down");
});

t.test("a value is told with its unit, quality, cause and the age since it was last confirmed", async (t) => {
  const bench = await openBench(t);
  const number = bench.numberOf("lamp-1/actual-level");
  const id = { device: "lamp-1", point: "actual-level" };
  t.match(await bench.client.point(id), {
    value: null,
    quality: "bad/waiting-for-initial-data",
    ageMs: null,
    isOld: true,
    gatewayTimestamp: null,
  });
  await bench.accept([reading(number, 40, bench.clock.now())]);
  await bench.clock.advance(30_000);
  t.match(await bench.client.point(id), {
    value: 40,
    unit: "%",
    quality: "good",
    cause: "none",
    ageMs: 30_000,
    isOld: false,
  });
  bench.sweeps.set(number, Uptime(bench.clock.uptime() - 2_000));
  t.equal((await bench.client.point(id)).ageMs, 2_000, "an unchanged value is confirmed by its sweep");
  await bench.clock.advance(100_000);
  t.match(await bench.client.point(id), { ageMs: 102_000, isOld: true });
  bench.sweeps.clear();
  bench.clock.setWall(Instant(0));
  t.match(
    await bench.client.point(id),
    { ageMs: null, isOld: true },
    "a clock that was set back makes no value young",
  );
});

t.test("a device tells all its points, the list its worst quality", async (t) => {
  const bench = await openBench(t);
  await bench.accept([reading(bench.numberOf("lamp-1/actual-level"), 40)]);
  const { devices } = await bench.client.devices();
  t.strictSame(
    devices.map(({ id }) => id),
    ["lamp-1", "lamp-2", "all"],
  );
  t.match(devices[0], {
    class: "streetlight",
    busId: "bridge",
    unitAddress: "1",
    worstQuality: "bad/waiting-for-initial-data",
  });
  const device = await bench.client.device("lamp-1");
  t.equal(device.points.length, devices[0]?.points);
  t.match(await refusalOf(bench.client.device("lamp-9")), { code: "unknown-device", pointer: "/device" });
  const unknown = bench.client.point({ device: "lamp-1", point: "x" });
  t.match(await refusalOf(unknown), { code: "unknown-point", pointer: "/point" });
});

t.test("a fresh read asks the bus, is audited, and tells a silent device as a fault", async (t) => {
  const bench = await openBench(t);
  const number = bench.numberOf("lamp-1/actual-level");
  bench.bus.read = async ({ points }) => ({
    outcome: "read",
    changes: points.map((each) => reading(each, 33, bench.clock.now())),
  });
  const answer = await bench.client.read({ name: "anna", device: "lamp-1", point: "actual-level" });
  t.match(answer, {
    outcome: "read",
    points: [{ pointId: "lamp-1/actual-level", value: 33, unit: "%", quality: "good", ageMs: 0 }],
  });
  t.equal(bench.store.telemetry.latest(number), undefined, "the API itself stores nothing");
  const before = bench.store.sync.backlog().A;
  bench.bus.read = async () => ({ outcome: "fault", code: "timeout", detail: "unit 1 did not answer" });
  t.match(await bench.client.read({ name: "anna", device: "lamp-1" }), { outcome: "fault", code: "timeout" });
  t.equal(bench.store.sync.backlog().A, before + 1, "each read leaves one audit record");
});

t.test("more than eight reads at once are refused as busy, and end when the API does", async (t) => {
  const bench = await openBench(t);
  bench.bus.read = (_read, signal) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () =>
        resolve({ outcome: "fault", code: "busy", detail: "the gateway is stopping" }),
      );
    });
  const body = { name: "anna", device: "lamp-1" };
  const held = Array.from({ length: 8 }, () => bench.client.read(body));
  const first = Promise.race([bench.client.read(body), ...held.map((each) => each.then(() => "too early"))]);
  t.match(await refusalOf(first), { code: "busy" });
  await bench.api[Symbol.asyncDispose]();
  for (const each of await Promise.all(held)) t.match(each, { outcome: "fault", code: "busy" });
});

t.test(
  "a command waits for its end; repeating it gives the same verdict and no second effect (I22)",
  async (t) => {
    const bench = await openBench(t);
    let moved = 0;
    bench.bus.operation = async () => {
      moved += 1;
      return succeededAt(40);
    };
    const first = await bench.client.command(ORDER, Millis(0));
    t.match(first, {
      id: COMMAND,
      unit: "%",
      origin: "local",
      issuedBy: "crew/anna (claimed)",
      session: null,
      state: { name: "succeeded" },
    });
    t.strictSame(await bench.client.command(ORDER, Millis(0)), first);
    t.equal(moved, 1);
    t.strictSame(await bench.client.findCommand(COMMAND), first);
    t.strictSame((await bench.client.commands(5)).commands, [first]);
    t.match(await bench.client.point({ device: "lamp-1", point: "dim-level" }), {
      desired: { value: 40, issuedBy: "crew/anna (claimed)" },
    });
  },
);

t.test("a command that is refused says why; the unknown point too is in the ledger", async (t) => {
  const bench = await openBench(t);
  const tooMuch = await bench.client.command({ ...ORDER, value: 140 }, Millis(0));
  t.match(tooMuch.state, { name: "rejected", cause: "out-of-range" });
  const id = COMMAND.replace("b2", "b3");
  const unknown = await bench.client.command({ ...ORDER, commandId: id, device: "lamp-9" }, Millis(0));
  t.match(unknown, { state: { name: "rejected", cause: "unknown-point" }, unit: null });
  t.equal((await bench.client.commands(10)).commands.length, 2);
});

t.test("a command whose end is not awaited any longer is told as executing", async (t) => {
  const bench = await openBench(t);
  let end: () => void = () => undefined;
  bench.bus.operation = () =>
    new Promise((resolve) => {
      end = () => resolve(succeededAt(40));
    });
  const asked = bench.client.command(ORDER, Millis(60_000));
  while (bench.store.commands.find(CommandId(COMMAND)) === undefined)
    await systemClock.sleep(Millis(5), new AbortController().signal);
  await bench.clock.advance(61_000);
  t.equal(nameOf((await asked).state), "executing");
  end();
  await systemClock.sleep(Millis(10), new AbortController().signal);
  t.equal(nameOf((await bench.client.findCommand(COMMAND)).state), "succeeded");
});

t.test("history is told newest last within its span", async (t) => {
  const bench = await openBench(t);
  const number = bench.numberOf("lamp-1/actual-level");
  const start = bench.clock.now();
  await bench.accept([1, 2, 3].map((value) => reading(number, value, start + value * 1_000)));
  await bench.clock.advance(10_000);
  const id = { device: "lamp-1", point: "actual-level" };
  const all = await bench.client.history(id, {});
  t.strictSame(
    all.readings.map(({ value }) => value),
    [1, 2, 3],
  );
  const from = new Date(start + 2_000).toISOString();
  const some = await bench.client.history(id, { from, to: String(start + 3_000) });
  t.strictSame(
    some.readings.map(({ value }) => value),
    [2, 3],
  );
});

t.test("a wrong request is refused with its code and JSON pointer", async (t) => {
  const bench = await openBench(t);
  const cases = [
    {
      name: "an unknown key",
      path: "/v1/read",
      body: '{"name":"a","device":"lamp-1","x":1}',
      status: 400,
      pointer: "/x",
    },
    { name: "no device", path: "/v1/read", body: '{"name":"a"}', status: 400, pointer: "/device" },
    { name: "no JSON", path: "/v1/read", body: '{"name', status: 400, pointer: "" },
    { name: "another media type", path: "/v1/read", body: "x", type: "text/plain", status: 400, pointer: "" },
    {
      name: "a user name that is none",
      path: "/v1/read",
      body: '{"name":"../x","device":"lamp-1"}',
      status: 400,
      pointer: "/name",
    },
    {
      name: "a value that is none",
      path: "/v1/commands",
      body: '{"name":"a","device":"d","point":"p","value":{}}',
      status: 400,
      pointer: "/value",
    },
    {
      name: "a deadline out of range",
      path: "/v1/commands",
      body: '{"name":"a","device":"d","point":"p","value":1,"deadlineMs":0}',
      status: 400,
      pointer: "/deadlineMs",
    },
    {
      name: "a body that is too long",
      path: "/v1/read",
      body: `{"name":"${"a".repeat(70_000)}"}`,
      status: 400,
      pointer: "",
    },
    { name: "a limit out of range", path: "/v1/commands?limit=0", status: 400, pointer: "/limit" },
    { name: "an id that is none", path: "/v1/commands/x", status: 400, pointer: "/id" },
    {
      name: "a time that is none",
      path: "/v1/history/lamp-1/actual-level?from=yesterday",
      status: 400,
      pointer: "/from",
    },
    { name: "an unknown route", path: "/v1/nothing", status: 404, pointer: undefined },
  ];
  for (const { name, path, body, type, status, pointer } of cases) {
    const answer = await raw(bench.api.socketPath, { path, body, type });
    t.equal(answer.status, status, name);
    t.equal(answer.json?.error?.pointer, pointer, `${name}: pointer`);
    t.match(answer.json?.error?.message, /: .+/, `${name}: says what to do`);
  }
});

t.test("the group that only writes has nothing to read, and says so", async (t) => {
  const bench = await openBench(t);
  const { points } = await bench.client.device("all");
  const written = points.find(({ access }) => access === "write");
  if (written === undefined) return t.fail("the group's profile has a point that is only written");
  const read = bench.client.read({ name: "a", device: "all", point: written.name });
  return t.match(await refusalOf(read), { code: "not-readable" });
});

t.test("metrics are Prometheus text", async (t) => {
  const bench = await openBench(t, { fieldHosts: () => [{ group: 'a"b', state: "down", pid: null }] });
  const { text, type } = await raw(bench.api.socketPath, { path: "/metrics" });
  t.match(type, "version=0.0.4");
  for (const line of text.trimEnd().split("\n"))
    t.match(line, /^(# (HELP|TYPE) nerve_\w+ .+|nerve_\w+(\{.+\})? -?[\d.e+-]+)$/);
  t.match(text, 'nerve_field_host_up{group="a\\"b"} 0');
  t.match(text, "nerve_link_live 0");
});

interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly json: { readonly error?: { readonly message: string; readonly pointer?: string } } | null;
}

function raw(
  socketPath: string,
  asked: { readonly path: string; readonly body?: string | undefined; readonly type?: string | undefined },
): Promise<RawAnswer> {
  const { path, body, type = "application/json" } = asked;
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const sent = request(
      { socketPath, path, method, agent: false, headers: body === undefined ? {} : { "content-type": type } },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("end", () => {
          const kind = String(response.headers["content-type"]);
          resolve({
            status: response.statusCode ?? 0,
            type: kind,
            text,
            json: kind.includes("json") ? JSON.parse(text) : null,
          });
        });
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}
