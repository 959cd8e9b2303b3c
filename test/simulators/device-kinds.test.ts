import t from "tap";
import { DeviceJournal } from "../../simulators/device-journal.ts";
import { DEVICE_KINDS, MODBUS_UNIT_KINDS } from "../../simulators/device-kinds.ts";
import { Journal } from "../../simulators/journal.ts";
import { CannotBind, startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";
import { RawClient } from "./modbus-client.ts";
import { StillClock } from "./still-clock.ts";

const bank = { id: "unit-1", kind: "register-bank", holding: { 10: 7, 11: 8 }, coil: { 0: 1 } };

async function start(devices: readonly object[]) {
  const config = parseSimulationConfig({ devices, control: "127.0.0.1:0" });
  const simulation = await startSimulation(config, new StillClock());
  const ask = async (method: string, path: string, body?: unknown) => {
    const { host, port } = simulation.control ?? { host: "", port: 0 };
    const sent = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const answer = await fetch(`http://${host}:${port}${path}`, sent);
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  return { simulation, ask, [Symbol.asyncDispose]: () => simulation[Symbol.asyncDispose]() };
}

t.test("a device is configured by its kind, and each field that can not be meant is named", (t) => {
  const wrong = [
    [{ ...bank, id: "Unit 1" }, "/devices/0/id"],
    [{ ...bank, kind: "toaster" }, "/devices/0/kind"],
    [{ ...bank, kind: "constructor" }, "/devices/0/kind"],
    [{ ...bank, unit: 256 }, "/devices/0/unit"],
    [{ ...bank, listen: "localhost:0" }, "/devices/0/listen"],
    [{ ...bank, colour: "red" }, "/devices/0/colour"],
    [{ ...bank, holding: { "-1": 0 } }, "/devices/0/holding/-1"],
    [{ ...bank, coil: { 3: 2 } }, "/devices/0/coil/3"],
    [{ id: "m", kind: "sdm630", loadW: [1, 2] }, "/devices/0/loadW"],
  ] as const;
  for (const [device, pointer] of wrong) {
    t.throws(() => parseSimulationConfig({ devices: [device] }), { name: "InvalidField", pointer }, pointer);
  }
  t.throws(() => parseSimulationConfig({ devices: [bank, bank] }), {
    name: "InvalidField",
    pointer: "/devices/1/id",
  });
  for (const [name, { about }] of Object.entries(DEVICE_KINDS))
    t.ok(about.length > 20, `${name} is described`);
  t.ok(Object.keys(MODBUS_UNIT_KINDS).every((name) => Object.hasOwn(DEVICE_KINDS, name)));
  t.end();
});

t.test(
  "the control API lists every device with its actions, shows it, and refuses what it can not do",
  async (t) => {
    await using at = await start([bank, { id: "meter-1", kind: "sdm630" }]);
    const listed = await at.ask("GET", "/devices");
    t.match(listed.body, {
      devices: [
        { id: "unit-1", kind: "register-bank", host: "127.0.0.1", unit: 1, actions: [{ name: "set" }] },
        { id: "meter-1", kind: "sdm630", actions: [{ name: "set-load", takes: { loadW: /W$/ } }] },
      ],
    });
    const set = { action: "set", table: "holding", address: 10, value: 9 };
    t.match(await at.ask("POST", "/devices/unit-1", set), {
      status: 200,
      body: { state: { holding: { 10: 9 } } },
    });
    t.match((await at.ask("GET", "/devices/meter-1")).body, { state: { loadW: [1_000, 2_000, 3_000] } });
    const wrong = [
      [{ action: "explode" }, "/action"],
      [{ action: "set", table: "holding", address: 10 }, "/value"],
      [{ ...set, hard: true }, "/hard"],
    ] as const;
    for (const [body, field] of wrong) {
      t.match(
        await at.ask("POST", "/devices/unit-1", body),
        { status: 400, body: { error: { field } } },
        field,
      );
    }
    t.equal((await at.ask("GET", "/devices/unit-2")).status, 404);
    const { entries } = at.simulation.journal.query({ device: "unit-1" });
    t.match(entries, [
      { what: "holding-10", from: 7, to: 9, cause: { by: "control", action: "set" }, deviceSeq: 1 },
    ]);
    t.equal(entries.length, 1, "what was refused changed nothing");
  },
);

t.test("a write over the wire is an effect of the device, and a fault stands before it", async (t) => {
  await using at = await start([bank]);
  await using client = await RawClient.open((await at.ask("GET", "/devices/unit-1")).body);
  t.equal((await client.ask("06 000a 002a")).toString("hex"), "06000a002a");
  t.equal((await client.ask("03 000a 0002")).toString("hex"), "0304002a0008");
  t.equal((await client.ask("03 000a 0003")).toString("hex"), "8302", "what it was not given does not exist");
  t.equal((await client.ask("05 0000 0000")).toString("hex"), "0500000000");
  t.equal((await client.ask("05 0001 ff00")).toString("hex"), "8502");
  const fault = { bridge: "unit-1", kind: "exception", code: 6, functions: [6] };
  t.match(await at.ask("POST", "/faults", fault), {
    status: 201,
    body: { faults: [{ bridge: "unit-1", id: 1 }] },
  });
  t.equal((await client.ask("06 000a 0001")).toString("hex"), "8606");
  t.match((await at.ask("GET", "/faults")).body, { faults: [{ bridge: "unit-1", met: 1 }] });
  t.match(at.simulation.journal.query({}).entries, [
    { kind: "write", outcome: "executed" },
    {
      kind: "effect",
      device: "unit-1",
      what: "holding-10",
      from: 7,
      to: 42,
      cause: { by: "request", writeSeq: 1 },
    },
    { kind: "write", outcome: "executed" },
    { kind: "effect", device: "unit-1", what: "coil-0", from: 1, to: 0 },
    { kind: "write", outcome: "exception-2" },
    { kind: "write", outcome: "fault-exception" },
  ]);
});

t.test("a device that can not be opened is named, and nothing stays open", async (t) => {
  await using at = await start([bank]);
  const { body } = await at.ask("GET", "/devices/unit-1");
  const clash = [
    { ...bank, id: "a" },
    { ...bank, id: "b", listen: `${body.host}:${body.port}` },
  ];
  const refused = await startSimulation(parseSimulationConfig({ devices: clash })).catch(
    (error: unknown) => error,
  );
  t.ok(refused instanceof CannotBind);
  t.match(refused, { message: /\/devices\/1, the register-bank b/, cause: { code: "EADDRINUSE" } });
});

t.test("an order of another protocol has its own entry, and its effects name it", (t) => {
  const journal = new Journal({ clock: new StillClock() });
  const log = new DeviceJournal("door-1", journal);
  const order = { protocol: "osdp", what: "OUT", values: [0, 5, 50] };
  const cause = log.ordered(order, "executed", [{ what: "strike", from: 0, to: 1 }]);
  log.effect(cause, [
    { what: "strike", from: 1, to: 0 },
    { what: "bolt", from: 1, to: 1 },
  ]);
  log.ordered(order, "refused-no-key");
  t.match(journal.query({}).entries, [
    { seq: 1, kind: "order", bridge: "door-1", order, outcome: "executed" },
    {
      seq: 2,
      kind: "effect",
      what: "strike",
      to: 1,
      deviceSeq: 1,
      cause: { by: "order", orderSeq: 1, order },
    },
    { seq: 3, kind: "effect", what: "strike", to: 0, deviceSeq: 2, cause: { orderSeq: 1 } },
    { seq: 4, kind: "order", outcome: "refused-no-key" },
  ]);
  t.equal(log.effects, 2);
  t.equal(journal.query({ kind: "order" }).entries.length, 2);
  t.end();
});
