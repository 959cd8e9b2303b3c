import { once } from "node:events";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import pino from "pino";
import t from "tap";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { Millis } from "../../../domain/time.ts";
import { NO_HOLES, type Sample } from "../../../drivers/driver.ts";
import type { FirmataAddress } from "../../../drivers/firmata/firmata-address.ts";
import { firmataDriver } from "../../../drivers/firmata/firmata-driver.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { firmataBoardKind } from "../../../simulators/firmata/firmata-board-kind.ts";
import { Fields } from "../../../simulators/input-fields.ts";
import { Journal } from "../../../simulators/journal.ts";
import { conformance } from "../conformance.ts";
import type { SimulatedUnit } from "../conformance-line.ts";
import { CountingClock } from "../counting-clock.ts";
import { HeldPeer } from "../held-peer.ts";
import { point } from "../modbus/modbus-unit.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);

/** One board for the whole file: it takes a second to start, and a client that comes takes its line over. */
const journal = new Journal({ clock: machineClock });
const board = await firmataBoardKind.parse(new Fields({ line: "tcp" }))({
  id: "board-1",
  seed: 1,
  journal,
  clock: machineClock,
});
t.teardown(() => board[Symbol.asyncDispose]());
const boardPort = "port" in board.reach ? Number(board.reach.port) : 0;

const CONTACT = point("contact", { mode: "input", pin: 2 }, { type: "boolean" });
const CLOSED = point("closed", { mode: "input", pin: 4, active: "low" }, { type: "boolean" });
const LAMP = point("lamp", { mode: "output", pin: 13 }, { type: "boolean", access: "read-write" });
const HORN = point(
  "horn-off",
  { mode: "output", pin: 8, active: "low" },
  { type: "boolean", access: "read-write", safeValue: false },
);
const DIMMER = point(
  "dimmer",
  { mode: "pwm", pin: 9 },
  {
    access: "read-write",
    range: { min: 0, max: 100 },
    scale: { kind: "linear", factor: 100 / 255, offset: 0 },
  },
);
const LOOP = point("loop", { mode: "analog", channel: 0 });

await act("set-contact", { pin: 2, level: 1 });
await act("set-contact", { pin: 4, level: 1 });
await act("set-voltage", { channel: 0, mv: 2_500 });

t.test("conformance with genuine StandardFirmata", async (t) => {
  conformance(t, {
    driver: firmataDriver,
    refusedBusConfigs: [
      { name: "no line", data: {}, pointer: "/line" },
      { name: "a line without a path", data: { line: { kind: "serial" } }, pointer: "/line/path" },
      { name: "too fast", data: { line: {}, samplingInterval: "1 ms" }, pointer: "/samplingInterval" },
    ],
    refusedAddresses: [
      {
        name: "a servo",
        data: { mode: "servo", pin: 9 },
        pointer: "/mode",
        point: { type: "number", access: "read-write" },
      },
      {
        name: "an output that is never read",
        data: { mode: "output", pin: 9 },
        pointer: "/mode",
        point: { type: "boolean", access: "write" },
      },
      {
        name: "a pin beyond all boards",
        data: { mode: "input", pin: 128 },
        pointer: "/pin",
        point: { type: "boolean", access: "read" },
      },
    ],
    refusedUnitAddresses: [1, "x", null],
    counts: ["shortFrames", "lateReplies", "noiseBytes"],
    requestTimeout: Millis(300),
    openUnit,
  });
});

t.test("outputs go to their safe values before anything else, also those that were left on", async (t) => {
  await using first = await openLine();
  await first.session.write(definitionOf(LAMP), true, first.signal);
  await first.session.write(definitionOf(DIMMER), 50, first.signal);
  await settled(() => levelOf(13) === 1 && dutyOf(9) > 0);
  t.equal(await first.read(LAMP), true);
  await first[Symbol.asyncDispose]();
  t.equal(levelOf(13), 1, "StandardFirmata holds its outputs when the host is gone");
  await using second = await openLine();
  second.session.plan([LAMP, DIMMER, HORN, CONTACT].map(definitionOf), NO_HOLES);
  t.equal(await second.read(CONTACT), true);
  await settled(() => levelOf(13) === 0 && dutyOf(9) === 0 && levelOf(8) === 1);
  t.same([levelOf(13), dutyOf(9), levelOf(8)], [0, 0, 1], "dark, 0, and not sounding, which is high here");
});

t.test(
  "contacts and voltages are told when they change, and confirmed while the board answers",
  async (t) => {
    await using line = await openLine();
    const told = new Map<string, PointValue>();
    let confirmed = 0;
    const sink = {
      tell: ({ name }: PointDefinition, sample: Sample) => {
        if ("value" in sample) told.set(name, sample.value);
      },
      confirm: () => {
        confirmed += 1;
      },
    };
    const points = [CONTACT, CLOSED, LOOP].map(definitionOf);
    t.ok(points.every((each) => line.session.tellsByItself?.(each)));
    void line.session.subscribe?.(points, sink, line.signal);
    await settled(() => told.size === 3);
    t.same(Object.fromEntries(told), { contact: true, closed: false, loop: 512 }, "first as it stands");
    await act("set-contact", { pin: 2, level: 0 });
    await act("set-voltage", { channel: 0, mv: 1_250 });
    await settled(() => told.get("contact") === false && told.get("loop") === 256);
    t.same([told.get("contact"), told.get("loop")], [false, 256]);
    await line.session.keepAlive?.exchange(line.signal);
    t.equal(confirmed, 1);
    await act("power", { on: 0 });
    await t.rejects(line.session.keepAlive?.exchange(line.signal) ?? Promise.resolve(), { code: "timeout" });
    await act("power", { on: 1 });
    await act("set-contact", { pin: 2, level: 1 });
  },
);

t.test("what is lost of a handshake is asked for again", async (t) => {
  const START = new Map([
    [0xf9, "f90205"],
    [0x79, "f0790205410042004300f7"],
    [0x6b, "f06c0001010103080f7f0001010103087ff7"],
    [0x69, "f06a7f7ff7"],
  ]);
  const withAnAnswerLost = async (lost: number): Promise<void> => {
    let asked = 0;
    await using peer = await scriptedPeer((command, say) => {
      if (command === lost && asked++ === 0) return;
      say(START.get(command) ?? "");
    });
    await using bus = await openBus(peer.port);
    t.ok(bus.openSession("0", []));
    t.equal(asked, 2, `the answer to 0x${lost.toString(16)}`);
  };
  await Promise.all([...START.keys()].map(withAnAnswerLost));
  await using stale = await scriptedPeer(
    (command, say) => say(START.get(command) ?? ""),
    (say) => say("f90205"),
  );
  await using bus = await openBus(stale.port);
  t.ok(bus, "an answer to the client before is no announcement");
  const nonsense = await scriptedPeer((_, say) => say("f90205f079f7"));
  const ended = { code: "connection-lost", cause: { code: "malformed-reply" } };
  await t.rejects(openBus(nonsense.port), ended, "nonsense ends it, not the time to start");
  await nonsense[Symbol.asyncDispose]();
});

t.test("a client that went in the middle of a message does not cost the next one its start", async (t) => {
  const socket = connect({ host: "127.0.0.1", port: boardPort });
  await once(socket, "connect");
  await new Promise((resolve) => socket.write(Buffer.from("f06d", "hex"), resolve));
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
  await using line = await openLine({ startTimeout: "5 s" });
  t.equal(typeof (await line.read(CONTACT)), "boolean");
});

t.test("what a line may bring ends the line at most, never the process", async (t) => {
  const noise = fc.array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc
        .constantFrom(
          "f06c7f7ff7",
          "f06af7",
          "f06e0500f7",
          "f06e7f0102f7",
          "f079f7",
          "e00000",
          "9f7f7f",
          "f0",
        )
        .map((hex) => Buffer.from(hex, "hex")),
    ),
    { maxLength: 60 },
  );
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(noise, async (chunks) => {
      ended += (await babble(chunks)) === "ended" ? 1 : 0;
    }),
    { seed, numRuns: Number(process.env["FUZZ_RUNS"] ?? 15) },
  );
  t.equal(
    await babble([Buffer.from("f0", "hex"), Buffer.alloc(5_000, 1)]),
    "ended",
    "a message without an end",
  );
  t.comment(`${ended} lines ended`);
});

/** What answers each command of a client as it is told to. `greet`: what it says first. */
async function scriptedPeer(
  onCommand: (command: number, say: (hex: string) => void) => void,
  greet: (say: (hex: string) => void) => void = () => {},
): Promise<HeldPeer> {
  return await HeldPeer.open(
    ({ answer }) => {
      const say = (hex: string): void => answer(Buffer.from(hex, "hex"));
      greet(say);
      return (bytes) => {
        for (const byte of bytes) if (byte === 0xf9 || (byte >= 0x69 && byte <= 0x7a)) onCommand(byte, say);
      };
    },
    (bytes) => bytes,
  );
}

function openBus(port: number, settings: object = {}) {
  const context = {
    clock: new CountingClock(),
    logger: pino({ enabled: false }),
    requestTimeout: Millis(500),
    frames: () => {},
  };
  const line = { kind: "tcp", host: "127.0.0.1", port };
  const config = firmataDriver.parseBusConfig({ line, samplingInterval: "20 ms", ...settings });
  return firmataDriver.openBus(config, context, new AbortController().signal);
}

/** A board that tells its capabilities and then anything. */
async function babble(chunks: readonly Uint8Array[]): Promise<"ended" | "held"> {
  const START = "f90205 f0790205410042004300f7 f06c 0001010103080f7f 0001010103087f f7 f06a7f7ff7".replaceAll(
    " ",
    "",
  );
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(Buffer.from(START, "hex"));
      setTimeout(() => socket.write(Buffer.concat(chunks)), 30);
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const context = {
    clock: new CountingClock(),
    logger: pino({ enabled: false }),
    requestTimeout: Millis(50),
    frames: () => {},
  };
  const config = firmataDriver.parseBusConfig({
    line: { kind: "tcp", host: "127.0.0.1", port },
    startTimeout: "1 s",
  });
  try {
    await using bus = await firmataDriver.openBus(config, context, new AbortController().signal);
    const session = bus.openSession("0", []);
    const read = session.plan([definitionOf(CONTACT)], NO_HOLES)[0];
    const lost = bus.lost.then(() => "ended" as const);
    await new Promise((resolve) => setTimeout(resolve, 45));
    if (read !== undefined) await session.exchange(read, new AbortController().signal).catch(() => {});
    return await Promise.race([lost, new Promise<"held">((resolve) => setTimeout(() => resolve("held"), 5))]);
  } finally {
    server.close();
  }
}

function definitionOf(definition: PointDefinition): PointDefinition<FirmataAddress> {
  return { ...definition, address: firmataDriver.parseAddress(definition.address, definition) };
}

async function openLine(settings: object = {}) {
  const stop = new AbortController();
  const { signal } = stop;
  const bus = await openBus(boardPort, settings);
  const session = bus.openSession("0", []);
  return {
    session,
    signal,
    read: async (definition: PointDefinition): Promise<PointValue | undefined> => {
      const [exchange] = session.plan([definitionOf(definition)], NO_HOLES);
      if (exchange === undefined) throw new Error("nothing planned");
      const [sample] = await session.exchange(exchange, signal);
      return sample !== undefined && "value" in sample ? sample.value : undefined;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await bus[Symbol.asyncDispose]();
    },
  };
}

async function act(name: string, values: object): Promise<void> {
  await board.actions.find((action) => action.name === name)?.prepare(new Fields(values))();
}

function levelOf(pin: number): number {
  return (board.view() as { readonly pins: readonly number[] }).pins[pin] ?? -1;
}
function dutyOf(pin: number): number {
  return (board.view() as { readonly duties: Readonly<Record<string, number>> }).duties[pin] ?? 0;
}

async function settled(isIt: () => boolean): Promise<void> {
  for (let waited = 0; waited < 3_000 && !isIt(); waited += 10)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The board behind a line that can be held back. */
async function openUnit(): Promise<SimulatedUnit> {
  const peer = await HeldPeer.open(
    ({ socket, answer }) => {
      const upstream = connect({ host: "127.0.0.1", port: boardPort, noDelay: true });
      // System reset: what an earlier line had asked to be reported is forgotten.
      upstream.write(Buffer.from([0xff]));
      upstream.on("data", (bytes: Buffer) => answer(bytes));
      upstream.on("error", () => {});
      upstream.once("close", () => socket.destroy());
      socket.once("close", () => upstream.destroy());
      return (bytes) => upstream.write(bytes);
    },
    (bytes) => Buffer.alloc(bytes.length, 0x01),
  );
  return {
    busConfig: { line: { kind: "tcp", host: "127.0.0.1", port: peer.port } },
    unitAddress: 0,
    points: [
      { definition: CONTACT, value: true },
      { definition: CLOSED, value: false },
      { definition: LAMP, value: false },
      { definition: LOOP, value: 512 },
    ],
    unknown: point("no-such-pin", { mode: "input", pin: 99 }, { type: "boolean" }),
    writable: { definition: LAMP, value: true },
    refused: {
      definition: point(
        "no-such-lamp",
        { mode: "output", pin: 60 },
        { type: "boolean", access: "read-write" },
      ),
      value: true,
    },
    ...peer.trouble,
  };
}
