import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import t from "tap";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { Millis } from "../../../domain/time.ts";
import { type Bus, NO_HOLES, type Sample, type UnitSession } from "../../../drivers/driver.ts";
import type { SerialAddress } from "../../../drivers/serial/serial-address.ts";
import { serialDriver } from "../../../drivers/serial/serial-driver.ts";
import { conformance } from "../conformance.ts";
import { CountingClock } from "../counting-clock.ts";
import { point } from "../modbus/modbus-unit.ts";
import { ADDRESS, lineTo, type OsdpPeer, openConformingDoor, openOsdpPeer, STRIKE } from "./osdp-peer.ts";

const FOLDER = t.testdir();
const OFF = { mode: "off" };
const INSTALL_KEY = Buffer.from("303132333435363738393a3b3c3d3e3f", "hex");

const refusals = {
  driver: serialDriver,
  refusedBusConfigs: [
    { name: "no dialect", data: {}, pointer: "/dialect" },
    {
      name: "security left open",
      data: { dialect: "osdp", line: { kind: "serial", path: "/dev/x" } },
      pointer: "/security",
    },
    {
      name: "a line without a path",
      data: { dialect: "osdp", line: { kind: "serial" }, security: OFF },
      pointer: "/line/path",
    },
    {
      name: "an unknown key",
      data: { dialect: "osdp", line: {}, security: OFF, polling: 1 },
      pointer: "/polling",
    },
  ],
  refusedAddresses: [
    {
      name: "no item",
      data: { dialect: "osdp" },
      pointer: "/item",
      point: { type: "boolean", access: "read" },
    },
    {
      name: "a card that is written",
      data: { dialect: "osdp", item: "card" },
      pointer: "/item",
      point: { type: "text", access: "read-write" },
    },
    {
      name: "an input beyond the last",
      data: { dialect: "osdp", item: "input", number: 255 },
      pointer: "/number",
      point: { type: "boolean", access: "read" },
    },
  ],
  refusedUnitAddresses: [127, 255, -1, "x", 1.5],
  counts: ["refusals", "crcErrors", "shortFrames", "lateReplies", "unexpectedSenders", "noiseBytes"],
} as const;

t.test("conformance in clear", async (t) => {
  conformance(t, { ...refusals, openUnit: () => openConformingDoor({ clear: "allowed", security: OFF }) });
});
t.test("conformance in a secure channel", async (t) => {
  const key = randomBytes(16);
  const keyFile = keyFileOf(`${ADDRESS} ${key.toString("hex")}\n`);
  const security = { mode: "required", keyFile };
  conformance(t, { ...refusals, openUnit: () => openConformingDoor({ key, clear: "refused", security }) });
});

t.test("the strike is pulsed by the unit's own timer, and by nothing else", async (t) => {
  await using line = await openLine({});
  await line.session.write(definitionOf(STRIKE), true, line.signal);
  const order = line.peer.journal.query({}).entries.find(({ kind }) => kind === "order");
  t.match(order, { order: { protocol: "osdp", what: "OUT", values: [0, 5, 50, 0] }, outcome: "executed" });
  await t.rejects(
    line.session.write(definitionOf(STRIKE), false, line.signal),
    /falls back by itself|not sent|write false/,
  );
  const latched = definitionOf({ ...STRIKE, pulse: undefined } as unknown as PointDefinition);
  await t.rejects(line.session.write(latched, true, line.signal), { code: "refused-by-device" });
  t.equal(
    line.peer.journal.query({}).entries.filter(({ kind }) => kind === "order").length,
    1,
    "nothing else was sent",
  );
});

t.test("cards, keys and changed contacts are told on polls, each card as often as it is shown", async (t) => {
  await using line = await openLine({});
  const told = line.listen(["card", "keypad", "door-open", "tamper"]);
  await line.keepAlive(3);
  t.same(
    told.splice(0),
    [
      ["door-open", false],
      ["tamper", false],
    ],
    "what it is at first",
  );
  const card = {
    kind: "card",
    reader: 0,
    format: 1,
    bits: 26,
    data: Buffer.from("a5000000", "hex"),
  } as const;
  line.peer.hardware.tell(card);
  line.peer.hardware.tell(card);
  line.peer.hardware.setInput(0, 1, { by: "control", action: "test" });
  line.peer.hardware.tell({ kind: "keys", reader: 0, keys: "12#" });
  await line.keepAlive(5);
  t.same(told, [
    ["card", "26:2940000"],
    ["card", "26:2940000"],
    ["door-open", true],
    ["keypad", "12#"],
  ]);
  t.ok(line.confirmed() > 0, "a poll with nothing to tell confirms the rest");
});

t.test("a card is not shown to crews in clear frames", async (t) => {
  const frames: string[] = [];
  await using line = await openLine({
    onFrame: (bytes) => frames.push(Buffer.from(bytes).toString("hex")),
  });
  line.listen(["card"]);
  line.peer.hardware.tell({
    kind: "card",
    reader: 0,
    format: 1,
    bits: 26,
    data: Buffer.from("a5b6c7d8", "hex"),
  });
  await line.keepAlive(2);
  t.notOk(frames.some((frame) => frame.includes("a5b6c7")));
  t.ok(
    frames.some((frame) => frame.includes("502a2a2a2a2a2a2a2a")),
    "that there was one is",
  );
});

t.test("a busy unit is asked again, and a unit that lost step begins anew", async (t) => {
  await using line = await openLine({});
  line.peer.device.busyFor = 3;
  t.same(await line.read("door-open"), { value: false, takenAt: null });
  line.peer.answers = "dropped";
  t.match(await line.read("door-open").catch((error: unknown) => error), { code: "timeout" });
  line.peer.answers = "sent";
  const heard = line.peer.heard.length;
  t.same(await line.read("door-open"), { value: false, takenAt: null });
  t.equal(line.peer.heard[heard]?.sequence, 0);
});

t.test("a repeated command does nothing twice", async (t) => {
  await using line = await openLine({});
  await line.read("door-open");
  line.peer.answers = "broken-once";
  await line.session.write(definitionOf(BUZZER), true, line.signal);
  t.equal(line.peer.heard.filter(({ code }) => code === 0x6a).length, 2, "sent twice");
  t.equal(line.peer.hardware.beeps, 3, "done once");
});

t.test(
  "the secure channel: wrong key, install mode, no key, and a unit that was changed under way",
  async (t) => {
    const key = randomBytes(16);
    const right = keyFileOf(`# doors\n${ADDRESS} ${key.toString("hex")}\n`);
    const cases = [
      {
        name: "another key",
        file: keyFileOf(`${ADDRESS} ${"ab".repeat(16)}\n`),
        key,
        says: /does not hold the key/,
      },
      { name: "install mode", file: right, says: /install mode/ },
      { name: "no key for it", file: keyFileOf("", "empty.keys"), key, says: /no key of this unit/ },
    ];
    for (const { name, file, says, ...unit } of cases) {
      await using line = await openLine({
        ...unit,
        clear: "refused",
        security: { mode: "required", keyFile: file },
      });
      const error = await line.read("door-open").catch((cause: unknown) => cause);
      t.match(error, { code: "malformed-reply", cause: { message: says } }, name);
      t.notOk(JSON.stringify(error).includes(key.toString("hex")), "I42 a key is in no message");
    }
    await using line = await openLine({
      key,
      clear: "refused",
      security: { mode: "required", keyFile: right },
    });
    t.same(await line.read("door-open"), { value: false, takenAt: null });
    t.ok(
      line.peer.heard.every(
        ({ code, block }) => [0x76, 0x77].includes(code) || block?.type === 0x15 || block?.type === 0x17,
      ),
    );
    line.peer.device.forgetKey();
    t.match(await line.read("door-open").catch((error: unknown) => error), { code: "malformed-reply" });
    t.match(await line.read("door-open").catch((error: unknown) => error), {
      cause: { message: /install mode/ },
    });
  },
);

t.test("a unit in clear can not stand in for one with a key", async (t) => {
  const keyFile = keyFileOf(`${ADDRESS} ${"ab".repeat(16)}\n`);
  await using line = await openLine({ clear: "allowed", security: { mode: "required", keyFile } });
  t.match(await line.read("door-open").catch((error: unknown) => error), { code: "malformed-reply" });
});

t.test("a key file that others can read, or with the key of install mode, opens nothing", async (t) => {
  const cases = [
    { name: "readable", file: keyFileOf("", "open.keys", 0o644), says: /chmod 600/ },
    {
      name: "install key",
      file: keyFileOf(`1 ${INSTALL_KEY.toString("hex")}\n`),
      says: /line 1: this is the key of install mode/,
    },
    {
      name: "twice",
      file: keyFileOf(`1 ${"ab".repeat(16)}\n01 ${"cd".repeat(16)}\n`),
      says: /line 2: unit 01 has a key above/,
    },
    { name: "short", file: keyFileOf("1 abcd\n"), says: /line 1: write a unit address/ },
    { name: "missing", file: "/nowhere/doors.keys", says: /can not be read/ },
  ];
  for (const { name, file, says } of cases) {
    const opened = openLine({ security: { mode: "required", keyFile: file } });
    t.match(
      await opened.catch((error: unknown) => error),
      { code: "connection-lost", cause: { message: says } },
      name,
    );
  }
});

t.test("a unit gets a key of its own on site, and a call that was cut short goes on", async (t) => {
  await using peer = await openOsdpPeer({ clear: "refused" });
  const keyFile = join(t.testdir(), "doors.keys");
  const config = serialDriver.parseBusConfig({
    dialect: "osdp",
    line: lineTo(peer),
    security: { mode: "required", keyFile },
  });
  const give = async (before: "install" | "own") =>
    await serialDriver.giveKey?.(
      config,
      { address: String(ADDRESS), before },
      contextOf(),
      new AbortController().signal,
    );
  await give("install");
  const first = readFileSync(keyFile, "utf8");
  t.match(first, new RegExp(`^${ADDRESS} [0-9a-f]{32}\n$`));
  t.ok(peer.device.hasOwnKey);
  await give("own");
  const second = readFileSync(keyFile, "utf8");
  t.not(second, first);
  t.equal(second.trim().split("\n").length, 1, "the old key is gone");
  await t.rejects(give("install"), { code: "malformed-reply" }, "a unit with a key is not in install mode");
  // Power was lost between the unit taking the key and the file having it: the next call finds the pending one.
  writeFileSync(`${keyFile}.unit-${ADDRESS}`, second, { mode: 0o600 });
  writeFileSync(keyFile, "", { mode: 0o600 });
  await give("install");
  t.equal(readFileSync(keyFile, "utf8"), second);
});

const BUZZER = point("buzzer", { dialect: "osdp", item: "buzzer" }, { type: "action", access: "write" });
const POINTS = [
  point("door-open", { dialect: "osdp", item: "input", number: 0 }, { type: "boolean" }),
  point("tamper", { dialect: "osdp", item: "tamper" }, { type: "boolean" }),
  point("card", { dialect: "osdp", item: "card" }, { type: "text" }),
  point("keypad", { dialect: "osdp", item: "keypad" }, { type: "text" }),
];

function definitionOf(definition: PointDefinition): PointDefinition<SerialAddress> {
  return { ...definition, address: serialDriver.parseAddress(definition.address, definition) };
}

function contextOf(onFrame: (bytes: Uint8Array) => void = () => {}) {
  return {
    clock: new CountingClock(),
    logger: pino({ enabled: false }),
    requestTimeout: Millis(400),
    frames: (_: string, bytes: Uint8Array) => onFrame(bytes),
  };
}

interface LineOptions {
  readonly key?: Buffer;
  readonly clear?: "refused" | "allowed";
  readonly security?: unknown;
  readonly onFrame?: (bytes: Uint8Array) => void;
}
interface Line extends AsyncDisposable {
  readonly peer: OsdpPeer;
  readonly bus: Bus<SerialAddress>;
  readonly session: UnitSession<SerialAddress>;
  readonly signal: AbortSignal;
  /** What is told from now on: name and value. */
  listen(names: readonly string[]): (readonly [string, PointValue])[];
  keepAlive(times: number): Promise<void>;
  confirmed(): number;
  read(name: string): Promise<Sample | undefined>;
}

async function openLine({ clear = "allowed", security = OFF, onFrame, ...unit }: LineOptions): Promise<Line> {
  const peer = await openOsdpPeer({ ...unit, clear });
  const written = { dialect: "osdp", line: lineTo(peer), security, replyTimeout: "80 ms" };
  const stop = new AbortController();
  const { signal } = stop;
  const bus = await serialDriver
    .openBus(serialDriver.parseBusConfig(written), contextOf(onFrame), signal)
    .catch(async (error: unknown) => {
      await peer[Symbol.asyncDispose]();
      throw error;
    });
  const session = bus.openSession(String(ADDRESS), []);
  let confirmed = 0;
  const points = POINTS.map(definitionOf);
  return {
    peer,
    bus,
    session,
    signal,
    listen: (names) => {
      const told: (readonly [string, PointValue])[] = [];
      const sink = {
        tell: ({ name }: PointDefinition, sample: Sample) => {
          if ("value" in sample) told.push([name, sample.value]);
        },
        confirm: () => {
          confirmed += 1;
        },
      };
      void session.subscribe?.(
        points.filter(({ name }) => names.includes(name)),
        sink,
        signal,
      );
      return told;
    },
    keepAlive: async (times) => {
      for (let turn = 0; turn < times; turn += 1) await session.keepAlive?.exchange(signal);
    },
    confirmed: () => confirmed,
    read: async (name) => {
      const [exchange] = session.plan(
        points.filter((each) => each.name === name),
        NO_HOLES,
      );
      if (exchange === undefined) throw new Error("nothing planned");
      return (await session.exchange(exchange, signal))[0];
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await bus[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
    },
  };
}

let files = 0;
function keyFileOf(text: string, name = `${++files}.keys`, mode = 0o600): string {
  const path = join(FOLDER, `${files}-${name}`);
  writeFileSync(path, text, { mode });
  return path;
}
