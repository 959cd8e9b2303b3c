import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import t from "tap";
import type { BusHealth } from "../../../domain/line/line-health.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import { Millis } from "../../../domain/time.ts";
import { NO_HOLES, type Sample, type UnitSession } from "../../../drivers/driver.ts";
import type { SerialAddress } from "../../../drivers/serial/serial-address.ts";
import { serialDriver } from "../../../drivers/serial/serial-driver.ts";
import { Fields } from "../../../simulators/input-fields.ts";
import { type Simulation, startSimulation } from "../../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../../simulators/simulation-config.ts";
import { CountingClock } from "../counting-clock.ts";
import { point } from "../modbus/modbus-unit.ts";
import { STRIKE } from "./osdp-peer.ts";

const DOORS = [
  { id: "north-door", address: 0, key: randomBytes(16).toString("hex") },
  { id: "south-door", address: 5, key: randomBytes(16).toString("hex") },
  { id: "cellar-door", address: 126, key: randomBytes(16).toString("hex") },
];
const DOOR_OPEN = point("door-open", { dialect: "osdp", item: "input", number: 0 }, { type: "boolean" });
const CARD = point("card", { dialect: "osdp", item: "card" }, { type: "text" });
const at = (doors: unknown) => ({ devices: [{ id: "doors", kind: "osdp-line", doors }] });

t.test("each field of a line of doors that can not be meant is named", (t) => {
  const [north, south] = DOORS;
  const wrong = [
    [undefined, "/devices/0/doors"],
    [[], "/devices/0/doors"],
    [Array.from({ length: 9 }, (_, address) => ({ id: `door-${address}`, address })), "/devices/0/doors"],
    [[north, { ...south, id: "North Door" }], "/devices/0/doors/1/id"],
    [[north, { ...south, id: north?.id }], "/devices/0/doors/1/id"],
    [[north, { ...south, address: north?.address }], "/devices/0/doors/1/address"],
    [[{ ...north, address: 127 }], "/devices/0/doors/0/address"],
    [[{ ...north, key: "secret" }], "/devices/0/doors/0/key"],
    [[{ ...north, colour: "red" }], "/devices/0/doors/0/colour"],
  ] as const;
  for (const [doors, pointer] of wrong) {
    t.throws(() => parseSimulationConfig(at(doors)), { name: "InvalidField", pointer }, pointer);
  }
  t.end();
});

t.test("doors on one line each have their key, their contacts, their orders and their journal", async (t) => {
  await using line = await openLine(t.testdir());
  for (const { id } of DOORS) t.same(await line.read(id, DOOR_OPEN), { value: false, takenAt: null }, id);
  t.match(await line.hand({ action: "push-door", door: "south-door", force: 1 }), { status: 200 });
  t.match(await line.read("south-door", DOOR_OPEN), { value: true });
  t.match(await line.read("north-door", DOOR_OPEN), { value: false }, "the one beside it stays shut");
  await line.session("cellar-door").write(definitionOf(STRIKE), true, line.signal);
  const { journal } = line.simulation;
  t.match(journal.query({ device: "south-door" }).entries, [
    { what: "door-contact", to: 1, deviceSeq: 1, cause: { by: "control", action: "force-door" } },
  ]);
  t.match(journal.query({ device: "cellar-door" }).entries, [
    { what: "strike", from: 0, to: 1, deviceSeq: 1, cause: { by: "order", order: { what: "OUT" } } },
  ]);
  t.same(journal.query({ device: "north-door" }).entries, []);
});

t.test("a card is told by the door at which it is shown", async (t) => {
  await using line = await openLine(t.testdir());
  const told: string[] = [];
  for (const { id } of DOORS) {
    const tell = (_: unknown, sample: Sample) => {
      if ("value" in sample) told.push(`${id} ${sample.value}`);
    };
    void line.session(id).subscribe?.([definitionOf(CARD)], { tell, confirm: () => {} }, line.signal);
  }
  await line.hand({ action: "present-card", door: "north-door", bits: 26, data: "a5000000" });
  await line.hand({ action: "present-card", door: "cellar-door", bits: 4, data: "70" });
  for (const { id } of DOORS) await line.session(id).keepAlive?.exchange(line.signal);
  t.same(told, ["north-door 26:2940000", "cellar-door 4:7"]);
});

t.test("a door without power is silent, and the others on its line are not", async (t) => {
  await using line = await openLine(t.testdir());
  await line.session("south-door").write(definitionOf(STRIKE), true, line.signal);
  await line.hand({ action: "unit-power", door: "south-door", to: 0 });
  t.match(await line.read("south-door", DOOR_OPEN).catch((error: unknown) => error), { code: "timeout" });
  t.match(await line.read("north-door", DOOR_OPEN), { value: false });
  t.match(line.simulation.journal.query({ device: "south-door" }).entries.at(-1), {
    what: "strike",
    from: 1,
    to: 0,
    cause: { action: "unit-power" },
  });
  await line.hand({ action: "unit-power", door: "south-door", to: 1 });
  t.match(await line.read("south-door", DOOR_OPEN), { value: false }, "it is back, with its key");
});

t.test("a hand says at which door it is, unless there is only one", async (t) => {
  await using line = await openLine(t.testdir());
  for (const door of [undefined, "west-door"]) {
    const refused = await line.hand({ action: "tamper", to: 1, ...(door === undefined ? {} : { door }) });
    t.match(refused, { status: 400, body: { error: { field: "/door" } } });
  }
  const shown = await line.hand({ action: "tamper", to: 1, door: "north-door" });
  t.match(shown.body, { state: { doors: { "north-door": { tamper: 1 }, "south-door": { tamper: 0 } } } });
  await using alone = await startSimulation(parseSimulationConfig(at([DOORS[0]])));
  const tamper = alone.getDevice("doors").actions.find(({ name }) => name === "tamper");
  await tamper?.prepare(new Fields({ to: 1 }))();
  t.match(alone.getDevice("doors").view(), { doors: { "north-door": { tamper: 1 } } });
});

t.test(
  "on a line with a speed every character takes its time, and a wire that turns bits is heard through",
  async (t) => {
    await using line = await openLine(t.testdir(), { baud: 9_600 });
    await line.read("north-door", DOOR_OPEN);
    const start = performance.now();
    await line.read("north-door", DOOR_OPEN);
    // Question and answer in a secure channel have 28 characters and more: 29 ms at 10 bits each.
    t.ok(performance.now() - start >= 29, "not faster than the wire");
    t.match(await line.hand({ action: "set-wire", bitErrorsPerMillion: 600 }), { status: 200 });
    let right = 0;
    for (let count = 0; count < 25; count += 1) {
      const sample = await line.read("south-door", DOOR_OPEN).catch(() => undefined);
      if (sample !== undefined && "value" in sample) {
        t.equal(sample.value, false, "never a wrong value");
        right += 1;
      }
    }
    t.ok(right > 12, `${right} of 25 were heard`);
    const health = line.health();
    t.ok((health?.retries ?? 0) > 0, `${health?.retries} asked again`);
    t.ok((health?.crcErrors ?? 0) > 0, `${health?.crcErrors} came damaged`);
    await line.hand({ action: "mend-wire" });
    t.match(await line.read("south-door", DOOR_OPEN), { value: false });
  },
);

interface OpenLine extends AsyncDisposable {
  readonly simulation: Simulation;
  readonly signal: AbortSignal;
  session(door: string): UnitSession<SerialAddress>;
  read(door: string, definition: PointDefinition): Promise<Sample | undefined>;
  hand(body: object): Promise<{ readonly status: number; readonly body: unknown }>;
  health(): BusHealth | undefined;
}

/** The doors on a pseudo terminal, and the driver as the panel on it. */
async function openLine(folder: string, speed: { readonly baud?: number } = {}): Promise<OpenLine> {
  const link = join(folder, "doors");
  const keyFile = join(folder, "doors.keys");
  writeFileSync(keyFile, DOORS.map(({ address, key }) => `${address} ${key}\n`).join(""), { mode: 0o600 });
  const [entry] = at(DOORS).devices;
  const config = parseSimulationConfig({ devices: [{ ...entry, ...speed, link }], control: "127.0.0.1:0" });
  await using opened = new AsyncDisposableStack();
  const simulation = opened.use(await startSimulation(config));
  const stop = new AbortController();
  opened.defer(() => stop.abort());
  const written = {
    dialect: "osdp",
    line: { kind: "serial", path: link },
    security: { mode: "required", keyFile },
    // What takes its time on the wire takes more on a machine that is busy.
    replyTimeout: speed.baud === undefined ? "80 ms" : "200 ms",
  };
  const context = {
    clock: new CountingClock(),
    logger: pino({ enabled: false }),
    requestTimeout: Millis(400),
    frames: () => {},
  };
  const bus = opened.use(
    await serialDriver.openBus(serialDriver.parseBusConfig(written), context, stop.signal),
  );
  const sessions = new Map(DOORS.map(({ id, address }) => [id, bus.openSession(String(address), [])]));
  const session = (door: string): UnitSession<SerialAddress> => {
    const found = sessions.get(door);
    if (found === undefined) throw new RangeError(`no door ${door}`);
    return found;
  };
  const resources = opened.move();
  return {
    simulation,
    signal: stop.signal,
    session,
    health: () => bus.health?.(),
    read: async (door, definition) => {
      const [exchange] = session(door).plan([definitionOf(definition)], NO_HOLES);
      if (exchange === undefined) throw new Error("nothing planned");
      return (await session(door).exchange(exchange, stop.signal))[0];
    },
    hand: async (body) => {
      const { host, port } = simulation.control ?? { host: "", port: 0 };
      const answer = await fetch(`http://${host}:${port}/devices/doors`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: JSON.parse(await answer.text()) };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function definitionOf(definition: PointDefinition): PointDefinition<SerialAddress> {
  return { ...definition, address: serialDriver.parseAddress(definition.address, definition) };
}
