import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import t, { type Test } from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import { systemClock } from "../../../domain/system-clock.ts";
import { after, Millis } from "../../../domain/time.ts";
import { AddressError } from "../../../drivers/driver.ts";
import type { ByteLine } from "../../../drivers/line/byte-line.ts";
import { characterTime } from "../../../drivers/line/character-format.ts";
import { lowerLatency } from "../../../drivers/line/latency-timer.ts";
import { type LineConfig, parseLineConfig } from "../../../drivers/line/line-config.ts";
import { WAITING_BYTES_MAX } from "../../../drivers/line/line-writer.ts";
import { openByteLine } from "../../../drivers/line/open-line.ts";
import { findSerialPorts } from "../../../drivers/line/serial-ports.ts";
import { waitUntil } from "../../../drivers/line/wait-until.ts";
import { openPty } from "../../../simulators/line/pty.ts";
import { CountingClock } from "../counting-clock.ts";

const DEFAULTS = { parity: "even", stopBits: "two-without-parity" } as const;
const live = new AbortController().signal;
const logger = pino({ enabled: false });

interface FarEnd extends AsyncDisposable {
  readonly config: LineConfig;
  readonly received: () => Buffer;
  send(bytes: Uint8Array): void;
}

async function farPty(baud = 115_200): Promise<FarEnd> {
  const pty = await openPty();
  const chunks: Buffer[] = [];
  pty.onBytes((bytes) => chunks.push(bytes));
  return {
    config: parseLineConfig({ kind: "serial", path: pty.path, baud }, DEFAULTS),
    received: () => Buffer.concat(chunks),
    send: (bytes) => pty.write(bytes),
    [Symbol.asyncDispose]: () => pty[Symbol.asyncDispose](),
  };
}

async function farSocket(baud = 115_200): Promise<FarEnd> {
  const chunks: Buffer[] = [];
  let socket: Socket | undefined;
  const server = createServer((accepted) => {
    socket = accepted;
    accepted.on("data", (bytes) => chunks.push(bytes));
    accepted.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    config: parseLineConfig({ kind: "tcp", host: "127.0.0.1", port, baud }, DEFAULTS),
    received: () => Buffer.concat(chunks),
    send: (bytes) => socket?.write(bytes),
    async [Symbol.asyncDispose]() {
      socket?.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function eventually(t: Test, holds: () => boolean, what: string): Promise<void> {
  for (let left = 200; left > 0 && !holds(); left -= 1) await pause(5);
  t.ok(holds(), what);
}

async function faultOf(promise: Promise<unknown>): Promise<DeviceFault> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (error instanceof DeviceFault) return error;
  throw new Error("no fault", { cause: error });
}

const open = (config: LineConfig, clock = new CountingClock()): Promise<ByteLine> =>
  openByteLine(config, { clock, logger }, live);

for (const [name, farEnd] of [
  ["a serial port", farPty],
  ["a serial device server", farSocket],
] as const) {
  t.test(`${name} carries every byte both ways`, async (t) => {
    await using far = await farEnd();
    await using line = await open(far.config);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const got: Buffer[] = [];
    line.onBytes((piece) => got.push(Buffer.from(piece)));
    await line.write(bytes, live);
    await eventually(t, () => far.received().equals(bytes), "all that was written");
    far.send(bytes);
    await eventually(t, () => Buffer.concat(got).equals(bytes), "all that was sent");
  });
  t.test(`${name}: a write ends when its last character has left the wire`, async (t) => {
    const clock = new CountingClock();
    await using far = await farEnd(9_600);
    await using line = await open(far.config, clock);
    const start = clock.uptime();
    await Promise.all([line.write(new Uint8Array(20), live), line.write(new Uint8Array(10), live)]);
    const took = clock.uptime() - start;
    // Timers have whole milliseconds, and come up to 1.6 ms early when they were set late in one (wait-until.ts).
    t.ok(took >= 30 * line.characterTime - 1.6, `30 characters of ${line.characterTime} ms took ${took} ms`);
    t.equal(clock.pendingTimers, 0);
  });
  t.test(`${name}: an abort ends the waiting, a full line refuses`, async (t) => {
    const clock = new CountingClock();
    await using far = await farEnd(300);
    await using line = await open(far.config, clock);
    const controller = new AbortController();
    const reason = new Error("not wanted any more");
    const waiting = line.write(new Uint8Array(100), controller.signal).catch((error: unknown) => error);
    await pause(10);
    t.equal((await faultOf(line.write(new Uint8Array(WAITING_BYTES_MAX), live))).code, "timeout");
    controller.abort(reason);
    t.equal(await waiting, reason);
    t.equal(await line.write(new Uint8Array(1), controller.signal).catch((error: unknown) => error), reason);
    await eventually(t, () => far.received().length === 100, "what was handed over goes out, nothing else");
    t.equal(clock.pendingTimers, 0);
  });
  t.test(`${name} that goes away is lost, and so is what waits on it`, async (t) => {
    const clock = new CountingClock();
    const far = await farEnd(300);
    await using line = await open(far.config, clock);
    const waiting = faultOf(line.write(new Uint8Array(100), live));
    await pause(20);
    await far[Symbol.asyncDispose]();
    t.equal((await waiting).code, "connection-lost");
    t.ok((await line.lost) instanceof Error);
    t.equal((await faultOf(line.write(new Uint8Array(1), live))).code, "connection-lost");
    t.equal(clock.pendingTimers, 0);
    t.equal((await faultOf(open(far.config))).code, "connection-lost", "and can not be opened");
  });
}

t.test("a serial port in use is refused with who has it, before its settings are touched", async (t) => {
  await using far = await farPty();
  await using line = await open(far.config);
  const fault = await faultOf(open(far.config));
  t.equal(fault.code, "connection-lost");
  t.match(String(fault.cause), /in use by another bus of this gateway: end that, or take this bus out/);
  await line[Symbol.asyncDispose]();
  await using again = await open(far.config);
  t.ok(again, "free once it is put away");
});

t.test("a port that is not there is refused with those that are; so is what is no port", async (t) => {
  const at = (path: string) => open(parseLineConfig({ kind: "serial", path, baud: 9_600 }, DEFAULTS));
  t.match(
    String((await faultOf(at("/dev/ttyUSB77"))).cause),
    /there is no \/dev\/ttyUSB77; (here are|this machine has)/,
  );
  t.match(String((await faultOf(at("/etc/hostname"))).cause), /no serial port: give the device file/);
  t.match(String((await faultOf(at("/dev/null"))).cause), /could not be opened as a serial port/);
});

t.test("what came while nobody listened is not told later", async (t) => {
  await using far = await farPty();
  await using line = await open(far.config);
  far.send(Buffer.from("before"));
  await pause(20);
  await line.discard();
  const got: Buffer[] = [];
  const stop = line.onBytes((piece) => got.push(Buffer.from(piece)));
  far.send(Buffer.from("after"));
  await eventually(t, () => Buffer.concat(got).toString() === "after", "only what came after");
  stop();
  far.send(Buffer.from("too late"));
  await pause(20);
  t.equal(Buffer.concat(got).toString(), "after");
});

t.test("serial ports are found in the device folder, stable names first", async (t) => {
  const dev = t.testdir({
    ttyS0: "",
    ttyUSB10: "",
    ttyUSB2: "",
    tty1: "",
    null: "",
    serial: { "by-id": { "usb-A": "" } },
  });
  t.same(
    await findSerialPorts(dev),
    ["serial/by-id/usb-A", "ttyUSB2", "ttyUSB10", "ttyS0"].map((name) => `${dev}/${name}`),
  );
  t.same(await findSerialPorts(`${dev}/none`), []);
});

t.test(
  "the latency timer of an adapter is lowered through its stable name, or a person is told how",
  async (t) => {
    const root = t.testdir({ ttyUSB0: "", sys: { ttyUSB0: { latency_timer: "16\n" } } });
    symlinkSync(`${root}/ttyUSB0`, `${root}/by-id`);
    t.same(await lowerLatency(`${root}/by-id`, `${root}/sys`), { heldMs: 1 });
    t.equal(readFileSync(`${root}/sys/ttyUSB0/latency_timer`, "utf8"), "1");
    t.same(await lowerLatency("/dev/none", `${root}/sys`), { heldMs: undefined });
    // A number that the kernel lets nobody write, not even root.
    mkdirSync(`${root}/sys/ttyACM0`);
    writeFileSync(`${root}/ttyACM0`, "");
    symlinkSync("/proc/sys/kernel/ngroups_max", `${root}/sys/ttyACM0/latency_timer`);
    const refused = await lowerLatency(`${root}/ttyACM0`, `${root}/sys`);
    t.match(refused.hint, /holds received bytes back .* \/etc\/udev\/rules\.d/);
  },
);

t.test("a wait ends never before it is due, and hardly after", async (t) => {
  const late: number[] = [];
  for (const wait of [0.2, 1, 1.75, 2.005, 4.01, 4.01, 1.75, 2.005]) {
    const due = after(systemClock.uptime(), Millis(wait));
    await waitUntil(systemClock, due, live);
    late.push(systemClock.uptime() - due);
  }
  t.ok(
    late.every((ms) => ms >= 0),
    `late by ${late.map((ms) => ms.toFixed(3)).join(", ")} ms`,
  );
  const reason = new Error("not wanted any more");
  const aborted = waitUntil(systemClock, after(systemClock.uptime(), Millis(50)), AbortSignal.abort(reason));
  t.equal(await aborted.catch((error: unknown) => error), reason);
});

t.test("a line's configuration is checked with the place of what is wrong", async (t) => {
  const serial = { kind: "serial", path: "/dev/ttyS0", baud: 19_200 };
  t.same(parseLineConfig(serial, DEFAULTS), { ...serial, parity: "even", dataBits: 8, stopBits: 1 });
  t.equal(parseLineConfig({ ...serial, parity: "none" }, DEFAULTS).stopBits, 2);
  t.equal(
    parseLineConfig({ kind: "serial", path: "/dev/ttyS0" }, { baud: 57_600, parity: "none", stopBits: 1 })
      .baud,
    57_600,
  );
  t.equal(characterTime(parseLineConfig({ ...serial, baud: 9_600 }, DEFAULTS)).toFixed(4), "1.1458");
  for (const [data, pointer] of [
    [{ ...serial, baud: 12 }, "/baud"],
    [{ ...serial, baud: undefined }, "/baud"],
    [{ ...serial, parity: "mark" }, "/parity"],
    [{ ...serial, stopBits: 3 }, "/stopBits"],
    [{ ...serial, dataBits: 5 }, "/dataBits"],
    [{ ...serial, path: "COM1" }, "/path"],
    [{ ...serial, speed: 9_600 }, "/speed"],
    [{ ...serial, kind: "usb" }, "/kind"],
    [{ kind: "tcp", host: "10.0.0.1", baud: 9_600 }, "/port"],
    [{ kind: "tcp", host: "10.0.0.1", port: 4_001, baud: 9_600, connectTimeout: "1 h" }, "/connectTimeout"],
  ] as const) {
    try {
      parseLineConfig(data, DEFAULTS);
      t.fail(`accepted ${JSON.stringify(data)}`);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      t.equal(error.pointer, pointer, error.message);
    }
  }
});
