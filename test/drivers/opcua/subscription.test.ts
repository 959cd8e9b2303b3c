import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { StatusCodes } from "node-opcua";
import t from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import { Millis } from "../../../domain/time.ts";
import { openProxy } from "./answers-proxy.ts";
import { NotingSink, never, openBus, point, read, shown } from "./opened-bus.ts";
import { openTestServer } from "./test-nodes.ts";

const folder = t.testdir();
const shared = await openTestServer(join(folder, "pki"));
t.teardown(() => shared[Symbol.asyncDispose]());
const config = () => ({ endpoint: shared.server.url, security: "none", publishInterval: "100 ms" });

/** Waits for what a subscription brings; fails by returning false. */
async function until(is: () => boolean, ms = 5_000): Promise<boolean> {
  for (let left = ms; left > 0 && !is(); left -= 20) await pause(20);
  return is();
}

t.test("every type comes as the point's own, and what does not fit is a fault and no value", async (t) => {
  shared.set("Level", 12.5);
  shared.set("Wide", -5);
  shared.set("Mode", 2);
  shared.set("On", true);
  shared.set("Title", { text: "Rue X", locale: "fr" });
  shared.set("At", new Date("2026-11-26T10:00:00Z"));
  shared.set("List", [3, 1]);
  shared.set("Bits", 0x8000_0001);
  const names = { startup: 0, failure: 2 };
  const cases = [
    [point("double", "s={unit}.Level"), 12.5],
    [point("scaled", "s={unit}.Level", { scale: { kind: "linear", factor: 0.1, offset: 1 } }), 2.25],
    [point("int64", "s={unit}.Wide"), -5],
    [point("boolean", "s={unit}.On", { type: "boolean" }), true],
    [point("enumeration", "s={unit}.Mode", { type: "text", address: { names } }), "failure"],
    [
      point("unnamed number", "s={unit}.Mode", { type: "text", address: { names: { startup: 0 } } }),
      "malformed-reply",
    ],
    [point("localized text", "s={unit}.Title", { type: "text" }), "Rue X"],
    [point("time", "s={unit}.At", { type: "text" }), "2026-11-26T10:00:00.000Z"],
    [point("list", "s={unit}.List", { type: "text" }), "3,1"],
    [point("element", "s={unit}.List", { address: { element: 1 } }), 1],
    [point("no such element", "s={unit}.List", { address: { element: 9 } }), "malformed-reply"],
    [point("lowest bit", "s={unit}.Bits", { type: "boolean", address: { bit: 0 } }), true],
    [point("another bit", "s={unit}.Bits", { type: "boolean", address: { bit: 1 } }), false],
    [point("highest bit", "s={unit}.Bits", { type: "boolean", address: { bit: 31 } }), true],
    [point("sentinel", "s={unit}.Wide", { sentinels: [-5] }), "sentinel -5"],
    [point("text for a number", "s={unit}.Title"), "malformed-reply"],
    [point("no such node", "s={unit}.Nothing"), "unknown-address"],
    [
      point("no such namespace", "s={unit}.Level", { address: { namespace: "urn:elsewhere" } }),
      "unknown-address",
    ],
  ] as const;
  await using bus = await openBus(config(), { folder });
  const samples = await read(
    bus,
    cases.map(([definition]) => definition),
  );
  t.strictSame(
    samples.map((sample, index) => [cases[index]?.[0].name, shown(sample)]),
    cases.map(([definition, expected]) => [definition.name, expected]),
  );
  shared.set("Wide", 2 ** 60);
  t.equal(shown((await read(bus, [point("too wide", "s={unit}.Wide")]))[0]), "malformed-reply");
  shared.set("Level", Number.NaN);
  t.equal(shown((await read(bus, [point("nan", "s={unit}.Level")]))[0]), "sentinel NaN");
});

t.test("a status code is a quality, and the source's time is when it was taken", async (t) => {
  const at = new Date("2026-11-25T08:00:00Z");
  const cases = [
    [StatusCodes.Good, { value: 5, takenAt: at.getTime() }],
    [StatusCodes.GoodClamped, { value: 5, takenAt: at.getTime() }],
    [StatusCodes.GoodLocalOverride, { value: 5, takenAt: at.getTime(), quality: "good/local-override" }],
    [StatusCodes.UncertainLastUsableValue, { quality: "uncertain/last-usable-value" }],
    [StatusCodes.UncertainInitialValue, { quality: "uncertain/last-usable-value" }],
    [StatusCodes.UncertainEngineeringUnitsExceeded, { quality: "uncertain/engineering-units-exceeded" }],
    [StatusCodes.BadNoCommunication, { bad: "bad/no-communication", takenAt: at.getTime() }],
    [StatusCodes.BadNotConnected, { bad: "bad/no-communication" }],
    [StatusCodes.BadDeviceFailure, { bad: "bad/device-failure" }],
    [StatusCodes.BadSensorFailure, { bad: "bad/sensor-failure" }],
    [StatusCodes.BadOutOfService, { bad: "bad/out-of-service" }],
    [StatusCodes.BadConfigurationError, { bad: "bad/configuration-error" }],
    [StatusCodes.BadWaitingForInitialData, { bad: "bad/waiting-for-initial-data" }],
    [StatusCodes.BadInternalError, { bad: "bad/device-failure" }],
  ] as const;
  await using bus = await openBus(config(), { folder });
  for (const [status, expected] of cases) {
    shared.set("Count", 5, { status, at });
    const [sample] = await read(bus, [point("count", "s={unit}.Count")]);
    t.match(sample, expected, status.name);
  }
  shared.set("Count", 5, { at: new Date("1970-01-01T00:00:10Z") });
  t.match(
    (await read(bus, [point("count", "s={unit}.Count")]))[0],
    { value: 5, takenAt: null },
    "a clock that was never set",
  );
});

t.test(
  "changes come by themselves, past the deadband only, and silence without change is a confirmation",
  async (t) => {
    shared.set("Level", 10);
    shared.set("Count", 1);
    await using bus = await openBus(config(), { folder });
    const points = [
      point("level", "s={unit}.Level", { deadband: 1 }),
      point("count", "s={unit}.Count"),
      point("nothing", "s={unit}.Nothing"),
    ];
    const session = bus.openSession("one", []);
    t.ok(points.every((each) => session.tellsByItself?.(each)));
    const sink = new NotingSink();
    const stop = new AbortController();
    const served = session.subscribe?.(points, sink, stop.signal);
    t.ok(await until(() => sink.confirms > 0), "confirmed once all were told");
    t.strictSame(sink.values("level"), [10]);
    t.strictSame(sink.values("nothing"), ["unknown-address"]);
    shared.set("Level", 10.5);
    shared.set("Count", 2, { at: new Date("2026-11-26T09:00:00Z") });
    t.ok(await until(() => sink.values("count").length === 2));
    const told = sink.told.at(-1)?.sample;
    t.match(told, { value: 2, takenAt: Date.parse("2026-11-26T09:00:00Z") }, "with the source's time");
    t.strictSame(sink.values("level"), [10], "the server itself kept what is inside the deadband");
    shared.set("Level", 11.5);
    t.ok(await until(() => sink.values("level").length === 2));
    const confirms = sink.confirms;
    t.ok(await until(() => sink.confirms > confirms + 1), "a keep-alive confirms");
    shared.set("Level", 11.5, { status: StatusCodes.GoodLocalOverride });
    t.ok(
      await until(
        () => sink.told.at(-1)?.sample !== undefined && "quality" in (sink.told.at(-1)?.sample ?? {}),
      ),
      "a change of status alone is told",
    );
    stop.abort();
    await served;
    const after = sink.told.length;
    shared.set("Level", 99);
    await pause(300);
    t.equal(sink.told.length, after, "nothing is told after the end");
  },
);

t.test(
  "a server that needs not look tells each change of what is urgent, and the others are sampled",
  async (t) => {
    await using bus = await openBus(config(), { folder });
    const sink = new NotingSink();
    const stop = new AbortController();
    const served = bus
      .openSession("one", [])
      .subscribe?.(
        [
          point("alert", "s={unit}.Alert", { type: "boolean", pollClass: "normal" }),
          point("seldom", "s={unit}.Alert", { type: "boolean", pollClass: "slow" }),
          point("sampled", "s={unit}.On", { type: "boolean", pollClass: "normal" }),
        ],
        sink,
        stop.signal,
      );
    t.ok(await until(() => sink.confirms > 0));
    const before = sink.values("alert").length;
    for (const isOn of [true, false, true, false]) {
      shared.set("Alert", isOn);
      shared.set("On", isOn);
      await pause(150);
    }
    t.ok(
      await until(() => sink.values("alert").length === before + 4),
      "each, though looking would be every 2 s",
    );
    t.strictSame(sink.values("alert").slice(before), [true, false, true, false]);
    t.equal(sink.values("seldom").length, 1, "once in 30 s is enough");
    t.ok(sink.values("sampled").length < 4, "what is shorter than the sampling is not seen");
    stop.abort();
    await served;
  },
);

t.test("two units of one server share its subscription, each told its own", async (t) => {
  await using bus = await openBus(config(), { folder });
  const stop = new AbortController();
  const sinks = ["one", "two"].map((unit) => {
    shared.set("Level", unit === "one" ? 1 : 2, { unit });
    const sink = new NotingSink();
    const ended = bus
      .openSession(unit, [])
      .subscribe?.([point("level", "s={unit}.Level")], sink, stop.signal);
    return { sink, ended };
  });
  t.ok(await until(() => sinks.every(({ sink }) => sink.confirms > 0)));
  t.strictSame(
    sinks.map(({ sink }) => sink.values("level")),
    [[1], [2]],
  );
  stop.abort();
  await Promise.all(sinks.map(({ ended }) => ended));
});

t.test(
  "a method takes what the profile fixes and what the command gives, and its refusal is the device's",
  async (t) => {
    shared.set("Level", 1);
    await using bus = await openBus(config(), { folder });
    const session = bus.openSession("one", []);
    const place = { object: "s={unit}", method: "s={unit}.Set" };
    const minutes = { dataType: "UInt16", value: 30 };
    const written = point("level", "s={unit}.Level", {
      access: "read-write",
      address: { write: { ...place, arguments: [{ dataType: "Double" }, minutes] } },
    });
    await session.write(written, 40, never);
    t.strictSame(shared.calls.at(-1), [40, 30]);
    t.equal(shown((await read(bus, [written]))[0]), 40);
    const refusal = await session.write(written, 101, never).catch((error: unknown) => error);
    t.match(refusal, { code: "refused-by-device", cause: { message: /BadOutOfRange/ } });
    const action = {
      ...point("set", "s=x", { access: "read" }),
      type: "action" as const,
      address: {
        kind: "action" as const,
        namespace: "urn:nerve:test:1",
        ...place,
        arguments: [{ dataType: "Double" as const }, { dataType: "UInt16" as const }],
      },
    };
    t.equal(await session.invoke?.(action, [50, 5], never), 40, "and gives back what it was");
    const calls = shared.calls.length;
    for (const args of [[50], [50, 5, 6], [50, 70_000], ["much", 5]]) {
      await t.rejects(
        async () => await session.invoke?.(action, args, never),
        { code: "refused-by-device" },
        String(args),
      );
    }
    t.equal(shared.calls.length, calls, "what can not be is not sent");
    const fixed = point("fixed", "s={unit}.Fixed", { access: "read-write" });
    await t.rejects(session.write(fixed, 1, never), { code: "refused-by-device" }, "a read-only node");
  },
);

t.test(
  "a server that falls silent is given up, and garbage from it ends a line and nothing else",
  async (t) => {
    const proxy = await openProxy(shared.server.address.port);
    const through = { ...config(), endpoint: `opc.tcp://127.0.0.1:${proxy.port}` };
    const silent = await openBus(through, { folder, requestTimeout: Millis(200) });
    const sink = new NotingSink();
    const served = silent.openSession("one", []).subscribe?.([point("level", "s={unit}.Level")], sink, never);
    const ended = served?.catch((error: unknown) => error);
    t.ok(await until(() => sink.confirms > 0));
    proxy.hold();
    t.match(await silent.lost, { code: "timeout" });
    t.type(await ended, DeviceFault);
    proxy.release();
    await silent[Symbol.asyncDispose]();
    for (let round = 0; round < 8; round += 1) {
      const bus = await openBus(through, { folder, requestTimeout: Millis(200) });
      proxy.spoilNext(round);
      const end = await read(bus, [point("level", "s={unit}.Level"), point("count", "s={unit}.Count")]).catch(
        (error: unknown) => error,
      );
      t.ok(Array.isArray(end) || end instanceof DeviceFault, `byte ${round}`);
      await bus[Symbol.asyncDispose]();
    }
    await proxy[Symbol.asyncDispose]();
  },
);

t.test("a server that restarts with other indexes is found again by URI", async (t) => {
  shared.set("Level", 7);
  const bus = await openBus(config(), { folder });
  const sink = new NotingSink();
  const served = bus.openSession("one", []).subscribe?.([point("level", "s={unit}.Level")], sink, never);
  const ended = served?.catch((error: unknown) => error);
  t.ok(await until(() => sink.told.length > 0));
  await shared.server.stop();
  await bus.lost;
  t.match(await ended, { code: "connection-lost" }, "the subscription ends with the line");
  await bus[Symbol.asyncDispose]();
  await t.rejects(openBus(config(), { folder }), { code: "connection-lost" }, "while it is away");
  await shared.server.start("reversed");
  shared.set("Level", 8);
  await using again = await openBus(config(), { folder });
  t.equal(shown((await read(again, [point("level", "s={unit}.Level")]))[0]), 8);
});
