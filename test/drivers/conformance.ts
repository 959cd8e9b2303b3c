import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import type { Test } from "tap";
import { DeviceFault, type FaultCode } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { Millis } from "../../domain/time.ts";
import {
  AddressError,
  type Bus,
  type Driver,
  NO_HOLES,
  type Sample,
  type SiteFolders,
  type UnitSession,
} from "../../drivers/driver.ts";
import { CountingClock } from "./counting-clock.ts";

/** A driver and all that its test gives the suite: what it must refuse, and a unit to speak to. */
export interface ConformanceSubject<BusConfig, Address> {
  readonly driver: Driver<BusConfig, Address>;
  readonly refusedBusConfigs: readonly Refusal[];
  readonly refusedAddresses: readonly (Refusal & { readonly point: PointKind })[];
  readonly refusedUnitAddresses: readonly unknown[];
  /** Default 150 ms: for a unit that is slower than that. */
  readonly requestTimeout?: Millis;
  /** A unit of its own on a line of its own, each time. */
  openUnit(): Promise<SimulatedUnit>;
}
export type PointKind = Pick<PointDefinition, "type" | "access">;

export interface Refusal {
  readonly name: string;
  readonly data: unknown;
  /** JSON pointer of the first thing wrong. */
  readonly pointer: string;
}

/** A unit that answers as told. Addresses and configurations are as a profile and a site file write them. */
export interface SimulatedUnit extends AsyncDisposable {
  readonly busConfig: unknown;
  /** Where the driver may keep files, if it does. */
  readonly folders?: SiteFolders;
  readonly unitAddress: unknown;
  /** At least three, of different values, needing at least two exchanges; what the unit holds in each. */
  readonly points: readonly { readonly definition: PointDefinition; readonly value: PointValue }[];
  /** A point that the unit does not have. */
  readonly unknown: PointDefinition;
  /** A point and a value that the unit takes; it is among {@link points}. */
  readonly writable: { readonly definition: PointDefinition; readonly value: PointValue };
  /** A point and a value that the unit itself refuses. */
  readonly refused: { readonly definition: PointDefinition; readonly value: PointValue };
  /** Requests are taken and not answered, until {@link speak}. */
  fallSilent(): void;
  speak(): void;
  /** The next request is answered after `delayMs`, the following ones at once. */
  answerNextLate(delayMs: number): void;
  /** The next answer is none that the protocol knows. */
  answerNextMalformed(): void;
  /** Ends the line from the other side and can be reached again. */
  cut(): void;
  /** Lines that are open now, as the unit sees it. */
  openLines(): number;
}

/** For one request; every unit of a subject answers well within it. */
const REQUEST_TIMEOUT = Millis(150);
/** How much later than its time-out a request may settle on a busy machine. */
const SLACK_MS = 350;
/** Long enough for anything that would still be open to show. */
const SETTLE_MS = 20;

/** What every driver owes the field host, whatever it speaks. */
export function conformance<BusConfig, Address>(
  t: Test,
  subject: ConformanceSubject<BusConfig, Address>,
): void {
  refusals(t, subject);
  reading(t, subject);
  writing(t, subject);
  trouble(t, subject);
  lifetime(t, subject);
}

function refusals<B, A>(t: Test, { driver, ...subject }: ConformanceSubject<B, A>): void {
  t.test("a bus configuration that makes no sense is refused with its place and the remedy", async (t) => {
    for (const { name, data, pointer } of subject.refusedBusConfigs) {
      isRefused(t, () => driver.parseBusConfig(data), pointer, name);
    }
  });
  t.test("an address that makes no sense is refused with its place and the remedy", async (t) => {
    for (const { name, data, pointer, point } of subject.refusedAddresses) {
      isRefused(t, () => driver.parseAddress(data, point), pointer, name);
    }
  });
  t.test("a unit address that makes no sense is refused", async (t) => {
    for (const data of subject.refusedUnitAddresses) {
      isRefused(t, () => driver.parseUnitAddress(data), "", JSON.stringify(data));
    }
  });
}

function isRefused(t: Test, parse: () => unknown, pointer: string, name: string): void {
  try {
    parse();
    t.fail(`accepted: ${name}`);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    t.equal(error.pointer, pointer, `${name}: ${error.message}`);
    t.ok(
      error.expected.length > 0 && error.message.length > error.expected.length / 2,
      `${name} has a remedy`,
    );
  }
}

function reading<B, A>(t: Test, subject: ConformanceSubject<B, A>): void {
  t.test("a plan reads every point exactly once", async (t) => {
    await using line = await openLine(subject);
    const exchanges = line.session.plan(line.points, NO_HOLES);
    const planned = exchanges.flatMap(({ points }) => points);
    t.equal(planned.length, line.points.length);
    t.same(new Set(planned), new Set(line.points));
    t.ok(exchanges.length >= 2, "the subject needs two exchanges at least");
    t.ok(exchanges.every(({ label }) => label.length > 0));
    t.same(line.session.plan([], NO_HOLES), [], "nothing to read, nothing planned");
  });
  t.test("a plan is the same for the same points", async (t) => {
    await using line = await openLine(subject);
    const names = () =>
      line.session.plan(line.points, NO_HOLES).map(({ label, points }) => [label, points.map((p) => p.name)]);
    t.same(names(), names());
  });
  t.test("an exchange returns one sample per point in its order", async (t) => {
    await using line = await openLine(subject);
    t.same(await readAll(line), line.expected);
  });
  t.test(
    "a point that the unit does not have is an unknown address, and the others are still read",
    async (t) => {
      await using line = await openLine(subject);
      t.equal(await faultOfRead(line, line.unknown), "unknown-address");
      t.same(await readAll(line), line.expected);
    },
  );
}

function writing<B, A>(t: Test, subject: ConformanceSubject<B, A>): void {
  t.test("a write that the unit took can be read back", async (t) => {
    await using line = await openLine(subject);
    const { definition, value } = line.unit.writable;
    await line.session.write(pointOf(subject, definition), value, line.signal);
    t.equal((await readAll(line)).get(definition.name), value);
  });
  t.test("a write that the unit refuses is a fault", async (t) => {
    await using line = await openLine(subject);
    const { definition, value } = line.unit.refused;
    const write = line.session.write(pointOf(subject, definition), value, line.signal);
    t.ok(["refused-by-device", "unknown-address"].includes(await faultCode(t, write)));
    t.same(await readAll(line), line.expected, "and moves nothing");
  });
  t.test("a write to a silent unit times out", async (t) => {
    await using line = await openLine(subject);
    line.unit.fallSilent();
    const { definition, value } = line.unit.writable;
    t.equal(
      await faultCode(t, line.session.write(pointOf(subject, definition), value, line.signal)),
      "timeout",
    );
  });
}

function trouble<B, A>(t: Test, subject: ConformanceSubject<B, A>): void {
  t.test("a silent unit times out in time, and the bus is of use after it", async (t) => {
    await using line = await openLine(subject);
    line.unit.fallSilent();
    const start = line.clock.uptime();
    t.equal(await faultCode(t, readFirst(line)), "timeout");
    const took = line.clock.uptime() - start;
    const { requestTimeout = REQUEST_TIMEOUT } = subject;
    t.ok(took >= requestTimeout - 5 && took < requestTimeout + SLACK_MS, `took ${took} ms`);
    line.unit.speak();
    t.same(await readAll(line), line.expected);
  });
  t.test("a late answer is never taken for the next one", async (t) => {
    await using line = await openLine(subject);
    line.unit.answerNextLate((subject.requestTimeout ?? REQUEST_TIMEOUT) + 60);
    t.equal(await faultCode(t, readFirst(line)), "timeout");
    const until = line.clock.uptime() + 150;
    while (line.clock.uptime() < until) t.same(await readAll(line), line.expected);
  });
  t.test("an answer that the protocol does not know is a fault, and never a value", async (t) => {
    await using line = await openLine(subject);
    line.unit.answerNextMalformed();
    const code = await faultCode(t, readFirst(line));
    t.ok(["malformed-reply", "timeout", "connection-lost"].includes(code), code);
  });
  t.test("an abort rejects with its reason and leaves the bus clean", async (t) => {
    await using line = await openLine(subject);
    line.unit.answerNextLate(40);
    const controller = new AbortController();
    const reason = new Error("not wanted any more");
    const read = readFirst(line, controller.signal);
    await pause(10);
    controller.abort(reason);
    t.equal(await read.catch((error: unknown) => error), reason);
    t.equal(
      await readFirst(line, controller.signal).catch((error: unknown) => error),
      reason,
      "aborted before",
    );
    for (let round = 0; round < 5; round += 1) {
      t.same(await readAll(line), line.expected);
      await pause(15);
    }
  });
}

function lifetime<B, A>(t: Test, subject: ConformanceSubject<B, A>): void {
  t.test("a lost line says so at once and rejects what waits", async (t) => {
    await using line = await openLine(subject);
    line.unit.fallSilent();
    const start = line.clock.uptime();
    const read = faultCode(t, readFirst(line));
    await pause(20);
    line.unit.cut();
    t.equal(await read, "connection-lost");
    await line.bus.lost;
    t.ok(
      line.clock.uptime() - start < (subject.requestTimeout ?? REQUEST_TIMEOUT),
      "long before the time-out",
    );
    t.equal(await faultCode(t, readFirst(line)), "connection-lost", "and so does what comes after");
    t.equal(line.clock.pendingTimers, 0);
  });
  t.test("nothing is left open once a bus is put away", async (t) => {
    const line = await openLine(subject);
    t.same(await readAll(line), line.expected);
    line.unit.fallSilent();
    const read = faultCode(t, readFirst(line));
    await line.bus[Symbol.asyncDispose]();
    t.equal(await read, "connection-lost");
    await line.bus.lost;
    await pause(SETTLE_MS);
    t.equal(line.unit.openLines(), 0);
    t.equal(line.clock.pendingTimers, 0);
    await line.bus[Symbol.asyncDispose]();
    await line[Symbol.asyncDispose]();
  });
  t.test("a line that nobody answers can not be opened, and leaves nothing behind", async (t) => {
    const unit = await subject.openUnit();
    await unit[Symbol.asyncDispose]();
    const clock = new CountingClock();
    t.equal(
      await faultCode(t, openBus(subject, unit, { clock, signal: new AbortController().signal })),
      "connection-lost",
    );
    t.equal(clock.pendingTimers, 0);
  });
  t.test("opening is aborted with its reason", async (t) => {
    await using unit = await subject.openUnit();
    const clock = new CountingClock();
    const reason = new Error("not wanted any more");
    const before = openBus(subject, unit, { clock, signal: AbortSignal.abort(reason) });
    t.equal(await before.catch((error: unknown) => error), reason);
    const controller = new AbortController();
    const during = openBus(subject, unit, { clock, signal: controller.signal });
    controller.abort(reason);
    t.equal(await during.catch((error: unknown) => error), reason);
    await pause(SETTLE_MS);
    t.equal(clock.pendingTimers, 0);
    t.equal(unit.openLines(), 0);
  });
}

interface Line<A> extends AsyncDisposable {
  readonly unit: SimulatedUnit;
  readonly clock: CountingClock;
  readonly bus: Bus<A>;
  readonly session: UnitSession<A>;
  readonly points: readonly PointDefinition<A>[];
  readonly unknown: PointDefinition<A>;
  /** Point name to value. */
  readonly expected: ReadonlyMap<string, PointValue>;
  readonly signal: AbortSignal;
}

async function openLine<B, A>(subject: ConformanceSubject<B, A>): Promise<Line<A>> {
  const unit = await subject.openUnit();
  const clock = new CountingClock();
  const { signal } = new AbortController();
  const bus = await openBus(subject, unit, { clock, signal });
  return {
    unit,
    clock,
    bus,
    signal,
    session: bus.openSession(subject.driver.parseUnitAddress(unit.unitAddress), []),
    points: unit.points.map(({ definition }) => pointOf(subject, definition)),
    unknown: pointOf(subject, unit.unknown),
    expected: new Map(unit.points.map(({ definition, value }) => [definition.name, value])),
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]();
      await unit[Symbol.asyncDispose]();
    },
  };
}

async function openBus<B, A>(
  { driver, requestTimeout = REQUEST_TIMEOUT }: ConformanceSubject<B, A>,
  unit: SimulatedUnit,
  { clock, signal }: { readonly clock: CountingClock; readonly signal: AbortSignal },
): Promise<Bus<A>> {
  const context = {
    clock,
    logger: pino({ enabled: false }),
    requestTimeout,
    frames: () => {},
  };
  return await driver.openBus(driver.parseBusConfig(unit.busConfig, unit.folders), context, signal);
}

function pointOf<B, A>(
  { driver }: ConformanceSubject<B, A>,
  definition: PointDefinition,
): PointDefinition<A> {
  return { ...definition, address: driver.parseAddress(definition.address, definition) };
}

async function readFirst<A>(line: Line<A>, signal = line.signal): Promise<readonly Sample[]> {
  const [exchange] = line.session.plan(line.points, NO_HOLES);
  if (exchange === undefined) throw new Error("the plan is empty");
  return await line.session.exchange(exchange, signal);
}

async function readAll<A>(line: Line<A>): Promise<ReadonlyMap<string, unknown>> {
  const values = new Map<string, unknown>();
  for (const exchange of line.session.plan(line.points, NO_HOLES)) {
    const samples = await line.session.exchange(exchange, line.signal);
    if (samples.length !== exchange.points.length) throw new Error("not one sample per point");
    for (const [index, { name }] of exchange.points.entries()) {
      const sample = samples[index];
      values.set(name, sample !== undefined && "value" in sample ? sample.value : sample);
    }
  }
  return values;
}

/** Some protocols reject the exchange, some the single point. */
async function faultOfRead<A>(line: Line<A>, point: PointDefinition<A>): Promise<FaultCode | undefined> {
  const [exchange] = line.session.plan([point], NO_HOLES);
  if (exchange === undefined) throw new Error("the plan is empty");
  try {
    const [sample] = await line.session.exchange(exchange, line.signal);
    return sample !== undefined && "fault" in sample ? sample.fault.code : undefined;
  } catch (error) {
    if (error instanceof DeviceFault) return error.code;
    throw error;
  }
}

async function faultCode(t: Test, promise: Promise<unknown>): Promise<FaultCode | "no fault"> {
  try {
    await promise;
    return "no fault";
  } catch (error) {
    t.ok(error instanceof DeviceFault, `only a DeviceFault leaves a driver: ${String(error)}`);
    return error instanceof DeviceFault ? error.code : "no fault";
  }
}
