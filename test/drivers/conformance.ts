import { setTimeout as pause } from "node:timers/promises";
import type { Test } from "tap";
import { AddressError, NO_HOLES } from "../../drivers/driver.ts";
import { counting } from "./conformance-counting.ts";
import {
  type ConformanceSubject,
  configOf,
  faultCode,
  faultOfRead,
  openBus,
  openLine,
  pointOf,
  REQUEST_TIMEOUT,
  readAll,
  readFirst,
} from "./conformance-line.ts";
import { CountingClock } from "./counting-clock.ts";

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
  counting(t, subject);
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
  t.test("a unit address that makes no sense on such a bus is refused", async (t) => {
    await using unit = await subject.openUnit();
    const bus = configOf(driver, unit);
    for (const data of subject.refusedUnitAddresses) {
      isRefused(t, () => driver.parseUnitAddress(data, bus), "", JSON.stringify(data));
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
    await using line = await openLine(subject);
    t.same(await readAll(line), line.expected);
    line.unit.fallSilent();
    const read = faultCode(t, readFirst(line));
    await line.bus[Symbol.asyncDispose]();
    t.equal(await read, "connection-lost");
    await line.bus.lost;
    await pause(SETTLE_MS);
    t.equal(line.clock.pendingTimers, 0, "nothing is left for later, closing the line neither");
    // The far end may hear of it a moment later.
    for (let looks = 0; looks < 100 && line.unit.openLines() > 0; looks += 1) await pause(SETTLE_MS);
    t.equal(line.unit.openLines(), 0);
    await line.bus[Symbol.asyncDispose]();
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
