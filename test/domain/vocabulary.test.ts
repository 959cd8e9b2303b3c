import fc from "fast-check";
import t, { type Test } from "tap";
import { exponentialBackoff, fullJitter } from "../../domain/backoff.ts";
import {
  BusId,
  CommandId,
  DeviceId,
  GatewayId,
  IncarnationId,
  isSlug,
  PointId,
  PointNumber,
  ProfileId,
  pointIdOf,
  SiteId,
  splitPointId,
  Token,
} from "../../domain/ids.ts";
import { randomHex, seededRandom } from "../../domain/random.ts";
import { compareSessions, formatSession, parseSession } from "../../domain/session-id.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import {
  after,
  Days,
  Hours,
  Millis,
  Minutes,
  parseDuration,
  Seconds,
  since,
  Uptime,
} from "../../domain/time.ts";
import { findUnitMeant, isUnit, UNIT_CODES } from "../../domain/units.ts";

function holds<Values>(t: Test, property: fc.IProperty<Values>): void {
  const result = fc.check(property, { numRuns: 500 });
  t.comment(`SEED=${result.seed}`);
  t.equal(result.failed, false, fc.defaultReportMessage(result) ?? "");
}

t.test("durations are a number and a unit, and nothing else", (t) => {
  const good: readonly (readonly [string, number])[] = [
    ["250 ms", 250],
    ["250ms", 250],
    ["0 s", 0],
    ["2 s", 2_000],
    ["1.5 s", 1_500],
    [" 15 min ", 900_000],
    ["2 h", 7_200_000],
    ["35 d", 3_024_000_000],
  ];
  for (const [text, ms] of good) t.equal(parseDuration(text), ms, text);
  for (const text of [
    "",
    "5",
    "s",
    "-1 s",
    "+1 s",
    "1 m",
    "1 S",
    "1e3 s",
    "1 s 2 ms",
    ".5 s",
    "1. s",
    "1,5 s",
    "١ s",
    `${"9".repeat(400)} s`,
  ]) {
    t.throws(() => parseDuration(text), { name: "RangeError", message: /"90 s"/ }, text.slice(0, 20));
  }
  t.same([Seconds(1), Minutes(1), Hours(1), Days(1)], [1_000, 60_000, 3_600_000, 86_400_000]);
  t.equal(since(Uptime(5), after(Uptime(5), Millis(7))), 7);
  t.end();
});

t.test("ids are what is safe as a topic level, a file name and a URL segment", (t) => {
  for (const parse of [SiteId, GatewayId, DeviceId, ProfileId, BusId]) {
    for (const good of ["a", "lamp-0042", "1", "a".repeat(64)]) t.equal(parse(good), good);
    for (const bad of [
      "",
      "A",
      "a_b",
      "-a",
      "a-",
      "a--b",
      "a/b",
      "a.b",
      "a b",
      "é",
      "#",
      "+",
      "a\n",
      "a".repeat(65),
    ]) {
      t.throws(() => parse(bad), { name: "RangeError" }, JSON.stringify(bad));
    }
  }
  t.equal(PointId("lamp-1/dim-level"), pointIdOf(DeviceId("lamp-1"), "dim-level"));
  t.same(splitPointId(PointId("lamp-1/dim-level")), { device: "lamp-1", point: "dim-level" });
  for (const bad of ["lamp-1", "lamp-1/", "/a", "a/b/c", "a/B", "#/+"])
    t.throws(() => PointId(bad), { name: "RangeError" }, bad);
  t.throws(() => pointIdOf(DeviceId("lamp-1"), "Dim"), RangeError);
  t.ok(isSlug("a-1"));
  t.end();
});

t.test("command ids are UUIDv7, tokens and incarnations 128 bits, point numbers 32", (t) => {
  const id = "01900000-0000-7000-8000-0000000000ff";
  t.equal(CommandId(id), id);
  for (const bad of [
    id.toUpperCase(),
    id.replace("-7", "-4"),
    id.replace("-8", "-7"),
    `${id}0`,
    ` ${id}`,
    `${id}\n`,
    "",
  ]) {
    t.throws(() => CommandId(bad), { name: "RangeError", message: /UUIDv7/ }, JSON.stringify(bad));
  }
  for (const parse of [Token, IncarnationId]) {
    t.equal(parse("0f".repeat(16)), "0f".repeat(16));
    for (const bad of ["0F".repeat(16), "0".repeat(31), "0".repeat(33), ""])
      t.throws(() => parse(bad), RangeError);
  }
  t.throws(() => Token("secret"), { message: /^(?!.*secret)/ }, "I42 a token is not shown");
  for (const good of [1, 4_294_967_295]) t.equal(PointNumber(good), good);
  for (const bad of [0, -1, 1.5, Number.NaN, 4_294_967_296]) t.throws(() => PointNumber(bad), RangeError);
  t.end();
});

t.test("sync sessions are ordered by generation, then counter, never as text", (t) => {
  const part = fc.integer({ min: 0, max: 999_999_999_999_999 });
  const session = fc.record({ generation: part, counter: part });
  holds(
    t,
    fc.property(session, session, (left, right) => {
      const order = Math.sign(compareSessions(left, right));
      const back = parseSession(formatSession(left));
      const wanted = Math.sign(left.generation - right.generation) || Math.sign(left.counter - right.counter);
      return back.generation === left.generation && back.counter === left.counter && order === wanted;
    }),
  );
  t.ok(compareSessions(parseSession("1.9"), parseSession("1.10")) < 0);
  t.ok(compareSessions(parseSession("2.1"), parseSession("1.99")) > 0);
  for (const bad of ["", "1", "1.", ".1", "1.1.1", "-1.1", "1.1 ", "1.0000000000000001"])
    t.throws(() => parseSession(bad), RangeError);
  t.end();
});

t.test("back-off doubles to its bound, and its jitter is anywhere below", (t) => {
  const bounds = { min: Seconds(1), max: Seconds(60) };
  t.same(
    [0, 1, 2, 3, 6, 7, 8, 1_000, Number.MAX_SAFE_INTEGER].map((failures) =>
      exponentialBackoff(failures, bounds),
    ),
    [1_000, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000, 60_000],
  );
  holds(
    t,
    fc.property(fc.nat(), fc.integer(), (failures, seed) => {
      const wait = fullJitter(failures, bounds, seededRandom(seed));
      return wait >= 0 && wait < exponentialBackoff(failures, bounds);
    }),
  );
  const random = seededRandom(1);
  const waits = Array.from({ length: 1_000 }, () => fullJitter(3, bounds, random));
  const mean = waits.reduce((sum, each) => sum + each, 0) / waits.length;
  t.ok(mean > 1_800 && mean < 2_200, `gateways are spread: mean ${Math.round(mean)} of 0 … 4000 ms`);
  t.end();
});

t.test("a seed repeats its run, another does not, and the values are spread", (t) => {
  const take = (seed: number): readonly number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 1_000 }, () => random.next());
  };
  t.same(take(42), take(42));
  t.notSame(take(42), take(43));
  const values = take(7);
  t.ok(values.every((each) => each >= 0 && each < 1));
  t.equal(new Set(values.map((each) => Math.floor(each * 10))).size, 10);
  t.same(seededRandom(5).bytes(16), seededRandom(5).bytes(16));
  for (const random of [seededRandom(1), systemRandom]) {
    t.match(randomHex(random, 16), /^[0-9a-f]{32}$/);
    const next = random.next();
    t.ok(next >= 0 && next < 1);
  }
  t.not(randomHex(systemRandom, 16), randomHex(systemRandom, 16));
  t.end();
});

t.test("the machine's clock runs forward, waits, and lets go at once when it is told to", async (t) => {
  const before = systemClock.uptime();
  await systemClock.sleep(Millis(20), new AbortController().signal);
  t.ok(since(before, systemClock.uptime()) >= 19);
  t.ok(systemClock.now() > Date.UTC(2020, 0));
  const stop = new AbortController();
  const sleep = systemClock.sleep(Days(60), stop.signal);
  stop.abort(new Error("enough"));
  await t.rejects(sleep, { message: "enough" });
  await t.rejects(systemClock.sleep(Millis(1), stop.signal), { message: "enough" });
  let calls = 0;
  const cancel = systemClock.schedule(Days(60), () => {
    calls += 1;
  });
  systemClock.schedule(Millis(1), () => {
    calls += 10;
  });
  await systemClock.sleep(Millis(20), new AbortController().signal);
  t.equal(calls, 10, "a wait longer than Node's longest timer does not fire at once");
  cancel();
});

t.test("units are UCUM codes, and what people write instead is known", (t) => {
  t.ok(UNIT_CODES.includes("%") && isUnit("Cel") && !isUnit("C") && !isUnit("toString"));
  const meant: readonly (readonly [string, string | undefined])[] = [
    ["°C", "Cel"],
    ["percent", "%"],
    ["KWH", "kWh"],
    ["sec", "s"],
    ["__proto__", undefined],
    ["furlong", undefined],
  ];
  for (const [text, unit] of meant) t.equal(findUnitMeant(text), unit, text);
  t.end();
});
