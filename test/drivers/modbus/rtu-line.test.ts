import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import t, { type Test } from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import type { BusHealth } from "../../../domain/line/line-health.ts";
import { systemClock } from "../../../domain/system-clock.ts";
import { Millis } from "../../../domain/time.ts";
import { type Bus, type FrameSink, NO_HOLES, type Sample } from "../../../drivers/driver.ts";
import { modbusDriver } from "../../../drivers/modbus/modbus-driver.ts";
import { RTU_WAITING_MAX } from "../../../drivers/modbus/rtu/rtu-port.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { openPtyEnd } from "../../../simulators/line/pty-end.ts";
import { RtuLine } from "../../../simulators/line/rtu-line.ts";
import { SOUND_WIRE } from "../../../simulators/line/wire-faults.ts";
import { PlainBank, point } from "./modbus-unit.ts";

const live = new AbortController().signal;
const REQUEST_TIMEOUT = Millis(150);

interface Stand extends AsyncDisposable {
  readonly line: RtuLine;
  readonly bus: Bus;
  readonly banks: ReadonlyMap<number, PlainBank>;
  /** Two registers of a unit: 100 × unit + first. */
  read(unit: number, first: number, signal?: AbortSignal): Promise<readonly unknown[]>;
  write(unit: number, register: number, value: number): Promise<void>;
  health(): BusHealth;
  reopen(): Promise<Bus>;
}

/** Units 1, 2 and 3 at 38,400 baud, where every register holds 1,000 × unit + its place. */
async function stand(
  t: Test,
  options: { readonly frames?: FrameSink; readonly baud?: number } = {},
): Promise<Stand> {
  const banks = new Map([1, 2, 3].map((unit) => [unit, bankOf(unit)]));
  const link = `${t.testdir({})}/port`;
  const baud = options.baud ?? 38_400;
  const line = new RtuLine(await openPtyEnd(link), {
    baud,
    bitsPerCharacter: 11,
    turnaroundMs: 0,
    punctuality: "timer",
    units: banks,
    clock: machineClock,
    seed: 1,
  });
  const reopen = () => {
    const context = {
      clock: systemClock,
      logger: pino({ enabled: false }),
      requestTimeout: REQUEST_TIMEOUT,
      frames: options.frames ?? (() => {}),
    };
    return modbusDriver.openBus(
      modbusDriver.parseBusConfig({ transport: "rtu", path: link, baud }),
      context,
      live,
    );
  };
  const bus = await reopen();
  return {
    line,
    bus,
    banks,
    reopen,
    read: (unit, first, signal = live) => readFrom(bus, unit, { first, signal }),
    write: (unit, register, value) => {
      const definition = pointAt("level", register, "read-write");
      return bus.openSession(String(unit), []).write(definition, value, live);
    },
    health: () => {
      const health = bus.health?.();
      if (health === undefined) throw new Error("a serial line counts what happens on it");
      return health;
    },
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
    },
  };
}

function bankOf(unit: number): PlainBank {
  const bank = new PlainBank();
  for (let place = 0; place < bank.holding.length; place += 1) bank.holding[place] = 1_000 * unit + place;
  return bank;
}

function pointAt(name: string, register: number, access: "read" | "read-write") {
  const definition = point(name, { table: "holding", register }, { access });
  return { ...definition, address: modbusDriver.parseAddress(definition.address, definition) };
}

async function readFrom(
  bus: Bus,
  unit: number,
  { first, signal }: { readonly first: number; readonly signal: AbortSignal },
): Promise<readonly unknown[]> {
  const session = bus.openSession(String(unit), []);
  const [exchange] = session.plan(
    [pointAt("one", first, "read"), pointAt("two", first + 1, "read")],
    NO_HOLES,
  );
  if (exchange === undefined) throw new Error("the plan is empty");
  const samples: readonly Sample[] = await session.exchange(exchange, signal);
  return samples.map((sample) => ("value" in sample ? sample.value : sample));
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "answered",
    (error: unknown) => (error instanceof DeviceFault ? error.code : String(error)),
  );

t.test(
  "an answer that comes after its time-out is never taken for the next one of the same unit and length",
  async (t) => {
    for (const delayMs of [170, 200, 240, 290]) {
      await using at = await stand(t);
      at.line.faults.add({ kind: "late", delayMs, count: 1 });
      t.equal(await codeOf(at.read(1, 10)), "timeout");
      // Same unit, function and length: only the place differs, which an answer does not tell.
      t.same(await at.read(1, 50), [1_050, 1_051], `late by ${delayMs} ms`);
      t.same(await at.read(1, 60), [1_060, 1_061]);
      t.equal(at.health().lateReplies, 1, "it was heard, counted and thrown away");
      t.equal(at.line.figures.silenceViolations, 0);
    }
  },
);

t.test("while a unit owes an answer, the others are asked at once", async (t) => {
  await using at = await stand(t);
  at.line.faults.add({ kind: "late", delayMs: 230, unit: 1, count: 1 });
  t.equal(await codeOf(at.read(1, 10)), "timeout");
  const start = systemClock.uptime();
  t.same(await at.read(2, 10), [2_010, 2_011]);
  t.ok(systemClock.uptime() - start < 120, "long before unit 1 owes nothing more");
  t.match(at.health(), { requests: 2, answers: 1, silences: 1 });
});

t.test("two calls at once are two exchanges, one behind the other, each with its own answer", async (t) => {
  await using at = await stand(t);
  const asked = Array.from({ length: 12 }, (_, index) => ({ unit: 1 + (index % 3), first: 10 * index }));
  const answers = await Promise.all(asked.map(({ unit, first }) => at.read(unit, first)));
  t.same(
    answers,
    asked.map(({ unit, first }) => [1_000 * unit + first, 1_000 * unit + first + 1]),
  );
  t.match(at.line.figures, { requests: 12, silenceViolations: 0, gapViolations: 0, collisions: 0 });
});

t.test("more requests than a line may keep waiting are refused", async (t) => {
  await using at = await stand(t);
  at.line.faults.add({ kind: "silent" });
  const many = Array.from({ length: RTU_WAITING_MAX + 1 }, () => codeOf(at.read(1, 0)));
  t.equal(await many.at(-1), "timeout");
  await at.bus[Symbol.asyncDispose]();
  t.equal(await many[0], "connection-lost");
});

t.test(
  "an adapter that repeats what it sends is heard through, also where the answer is the request",
  async (t) => {
    await using at = await stand(t);
    at.line.wire.faults = { ...SOUND_WIRE, echo: true };
    t.same(await at.read(1, 20), [1_020, 1_021]);
    await at.write(1, 30, 77);
    t.equal(at.banks.get(1)?.holding[30], 77);
    at.line.faults.add({ kind: "silent", unit: 2 });
    t.equal(await codeOf(at.write(2, 30, 77)), "timeout", "its own echo is no acknowledgement");
    t.match(at.health().hints, [/repeats what it sends/]);
    t.same(await at.read(3, 20), [3_020, 3_021]);
  },
);

t.test("noise before an answer, an adapter that holds bytes back, and both", async (t) => {
  await using at = await stand(t);
  for (const wire of [{ noiseBytes: 7 }, { latencyMs: 16 }, { noiseBytes: 3, latencyMs: 16 }]) {
    at.line.wire.faults = { ...SOUND_WIRE, ...wire };
    for (let round = 0; round < 4; round += 1)
      t.same(await at.read(2, round), [2_000 + round, 2_001 + round]);
  }
  t.equal(at.line.figures.silenceViolations, 0);
  const { noiseBytes = 0, crcErrors = 0 } = at.health();
  t.ok(noiseBytes + crcErrors > 0, JSON.stringify(at.health()));
});

t.test("a damaged answer is a fault well before the time-out, never a value, and is counted", async (t) => {
  await using at = await stand(t);
  at.line.wire.faults = { ...SOUND_WIRE, bitErrorRate: 0.004 };
  let wrong = 0;
  let faults = 0;
  for (let round = 0; round < 25; round += 1) {
    const answer = await at.read(3, 5).catch((error: unknown) => error);
    if (answer instanceof DeviceFault) faults += 1;
    else if (String(answer) !== "3005,3006") wrong += 1;
  }
  t.equal(wrong, 0);
  t.ok(faults > 0, `${faults} faults`);
  at.line.wire.faults = SOUND_WIRE;
  at.line.faults.add({ kind: "garbage", count: 1 });
  const start = systemClock.uptime();
  t.equal(await codeOf(at.read(3, 5)), "malformed-reply");
  t.ok(systemClock.uptime() - start < REQUEST_TIMEOUT, "it did not wait for more");
  t.ok(at.health().retries > 0 && (at.health().crcErrors ?? 0) > 0, JSON.stringify(at.health()));
});

t.test("who answers without being asked is counted, and not believed", async (t) => {
  await using at = await stand(t);
  at.line.faults.add({ kind: "wrong-unit", count: 1 });
  t.equal(await codeOf(at.read(2, 5)), "timeout");
  at.line.faults.add({ kind: "wrong-function", count: 1 });
  t.not(await codeOf(at.read(2, 5)), "answered");
  at.line.faults.add({ kind: "short-frame", count: 1 });
  t.equal(await codeOf(at.read(2, 5)), "malformed-reply");
  t.same(await at.read(2, 5), [2_005, 2_006]);
  t.match(at.health(), { shortFrames: 1, answers: 1 });
  t.ok((at.health().unexpectedSenders ?? 0) >= 1);
  t.match(at.health().hints.join(), /two units with one address/);
});

t.test("an abort leaves the wire to its answer, and the next request its silence", async (t) => {
  await using at = await stand(t);
  at.line.faults.add({ kind: "slow", delayMs: 60, count: 1 });
  const controller = new AbortController();
  const read = at.read(1, 10, controller.signal).catch((error: unknown) => error);
  await pause(15);
  const reason = new Error("not wanted any more");
  controller.abort(reason);
  t.equal(await read, reason);
  t.same(await at.read(1, 40), [1_040, 1_041]);
  t.match(at.line.figures, { collisions: 0, silenceViolations: 0, damaged: 0 });
});

t.test("pulled and plugged in again under its name, the line can be opened again", async (t) => {
  await using at = await stand(t);
  t.same(await at.read(1, 1), [1_001, 1_002]);
  at.line.faults.add({ kind: "silent" });
  const waiting = codeOf(at.read(1, 1));
  await pause(10);
  await at.line.end.unplug();
  t.equal(await waiting, "connection-lost");
  t.match(String(await at.bus.lost), /serial port is gone: plug the adapter in again/);
  t.equal(await codeOf(at.reopen()), "connection-lost", "not while it is out");
  await at.line.end.plug();
  at.line.faults.clear();
  await using again = await at.reopen();
  t.same(await readFrom(again, 1, { first: 7, signal: live }), [1_007, 1_008]);
});

t.test("every raw frame reaches the ring, the broken ones too", async (t) => {
  const seen: string[] = [];
  await using at = await stand(t, {
    frames: (direction, bytes) => seen.push(`${direction} ${Buffer.from(bytes).toString("hex")}`),
  });
  await at.read(1, 0);
  at.line.faults.add({ kind: "garbage", count: 1 });
  await codeOf(at.read(1, 0));
  t.match(seen, [/^sent 0103/, /^received 0103/, /^sent 0103/, "received fffefdfc00ff5a5aa5a5"]);
});
