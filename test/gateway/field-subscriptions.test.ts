import t from "tap";
import { DeviceFault } from "../../domain/errors.ts";
import type { SitePoint } from "../../domain/point.ts";
import type { FieldBusPlan } from "../../gateway/field/field-plan.ts";
import { pseudonymOf } from "../../gateway/field/unit/pseudonyms.ts";
import { busPlan, HostBench, sitePoint } from "./field/host-bench.ts";
import { ScriptedDriver, ScriptedUnit, tell } from "./field/scripted-driver.ts";

/** A unit that tells register 0 (a level), 1 (a door) and 5 (badges) by itself; 9 is polled with them. */
const LEVEL = sitePoint(1, 0, { deadband: 2 });
const DOOR = sitePoint(1, 1, { type: "boolean" });
const BADGE = sitePoint(1, 5, { type: "text", access: "read", event: true, privacy: "pseudonymous" });
const KEY = "6b65792d6f662d746573747300000000";
const value = (of: number | boolean | string) => ({ value: of, takenAt: null });

function teller(
  change: (unit: ScriptedUnit) => void = () => undefined,
  points: readonly SitePoint[] = [LEVEL, DOOR, sitePoint(1, 9)],
) {
  const unit = new ScriptedUnit();
  unit.values.set(0, 40).set(1, false).set(9, 7);
  for (const register of [0, 1, 5]) unit.tells.add(register);
  change(unit);
  const driver = new ScriptedDriver({ "1": unit });
  const bus: FieldBusPlan = busPlan([points], 200);
  return { unit, driver, bench: new HostBench(driver, bus, { pseudonymKey: KEY }) };
}
const told = (bench: HostBench, point: number) =>
  bench.changesOf(point).map((change) => [change.value, change.quality, change.cause]);

t.test(
  "what a unit tells by itself is not polled and passes the deadband; confirming completes its sweep",
  async (t) => {
    const { unit, driver, bench: opened } = teller();
    await using bench = opened;
    await bench.clock.advance(2_500);
    t.same([...new Set(driver.events.map(({ label }) => label))], ["9"], "only register 9 is asked for");
    tell(unit, 0, value(41));
    tell(unit, 0, value(43));
    tell(unit, 1, value(true));
    await bench.clock.advance(100);
    t.same(
      told(bench, 1_000).map(([level]) => level),
      [40, 43],
      "one below the deadband is not told",
    );
    t.same(
      told(bench, 1_001).map(([door]) => door),
      [false, true],
    );
    t.equal(bench.sweeps.length, 0, "not confirmed yet, though register 9 was read");
    unit.subscription?.sink.confirm();
    const confirmed = bench.clock.uptime();
    await bench.clock.advance(3_000);
    t.same(bench.sweeps.at(-1), [10, confirmed], "as old as its oldest part");
    t.match(bench.figures?.units[0]?.subscription, { points: 2, state: "live" });
  },
);

t.test(
  "a subscription that ends makes its points bad and is taken anew with back-off; polling goes on",
  async (t) => {
    const { unit, driver, bench: opened } = teller();
    await using bench = opened;
    await bench.clock.advance(2_000);
    const taken: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      unit.giveUp(new DeviceFault("connection-lost", "keep the subscription"));
      await bench.clock.advance(60);
      const start = bench.clock.uptime();
      const before = unit.subscriptions;
      t.same(told(bench, 1_000).at(-1), [null, "bad/no-communication", "connection-lost"]);
      while (unit.subscriptions === before) await bench.clock.advance(100);
      taken.push(Math.round((bench.clock.uptime() - start) / 1_000));
      await bench.clock.advance(100);
      t.same(told(bench, 1_000).at(-1), [40, "good", "none"], "told again though it is as it was");
    }
    t.same(taken, [1, 2, 4, 8]);
    t.same(told(bench, 1_009), [[7, "good", "none"]], "the polled point did not suffer");
    t.ok(driver.events.length > 15);
  },
);

t.test(
  "a keep-alive has its interval beside polls; a unit that misses it is silent, and told anew when it is back",
  async (t) => {
    const { unit, driver, bench: opened } = teller((unit) => (unit.keepAliveMs = 50));
    await using bench = opened;
    await bench.clock.advance(5_000);
    const alive = driver.events.filter(({ label }) => label === "keep-alive").length;
    t.ok(alive >= 95 && alive <= 101, `${alive} keep-alives in 5 s`);
    unit.isSilent = true;
    await bench.clock.advance(1_000);
    for (const point of [1_000, 1_001, 1_009])
      t.same(told(bench, point).at(-1), [null, "bad/no-communication", "timeout"]);
    const start = driver.events.length;
    await bench.clock.advance(14_000);
    t.equal(driver.events.length - start, 3, "asked again after 1, 2, 4 s …");
    unit.isSilent = false;
    unit.values.set(0, 90);
    await bench.clock.advance(60_000);
    t.same(told(bench, 1_000).at(-1), [90, "good", "none"]);
    t.same(told(bench, 1_009).at(-1), [7, "good", "none"]);
    t.equal(unit.subscriptions, 2);
  },
);

t.test("a unit that only tells and keeps alive is found again too", async (t) => {
  const { unit, bench: opened } = teller((unit) => (unit.keepAliveMs = 50), [DOOR]);
  await using bench = opened;
  await bench.clock.advance(500);
  unit.isSilent = true;
  await bench.clock.advance(2_000);
  unit.isSilent = false;
  await bench.clock.advance(5_000);
  t.same(told(bench, 1_001), [
    [false, "good", "none"],
    [null, "bad/no-communication", "timeout"],
    [false, "good", "none"],
  ]);
});

t.test(
  "an event is told each time, also when it equals the last, and as a pseudonym that no report undoes",
  async (t) => {
    const { unit, bench: opened } = teller((unit) => (unit.keepAliveMs = 50), [DOOR, BADGE]);
    await using bench = opened;
    await bench.clock.advance(1_000);
    t.same(told(bench, 1_005), [[null, "bad/waiting-for-initial-data", "no-event-yet"]]);
    const read = (card: string) => unit.pending.push({ register: 5, sample: value(card) });
    read("2064407");
    read("2064407");
    await bench.clock.advance(100);
    read("2064408");
    await bench.clock.advance(100);
    const cards = told(bench, 1_005)
      .slice(1)
      .map(([card]) => String(card));
    t.equal(cards.length, 3);
    t.equal(cards[0], cards[1], "the same badge has the same pseudonym");
    t.not(cards[1]?.split("-")[0], cards[2]?.split("-")[0]);
    t.match(cards, [/^[0-9a-f]{16}-07$/, /^[0-9a-f]{16}-07$/, /^[0-9a-f]{16}-08$/]);
    t.notMatch(JSON.stringify(bench.reports), /206440/);
    const frames = await bench.host.readFrames(bench.busId);
    await bench.clock.advance(200);
    const later = await bench.host.readFrames(bench.busId);
    t.ok(
      later.length > frames.length && later.every(({ bytes }) => bytes.every((byte) => byte === 0)),
      "frames of the bus keep no bytes",
    );
    unit.isSilent = true;
    await bench.clock.advance(2_000);
    read("2064409");
    unit.isSilent = false;
    await bench.clock.advance(3_000);
    t.same(
      told(bench, 1_005)
        .slice(-2)
        .map(([, quality]) => quality),
      ["bad/no-communication", "good"],
      "what comes with the first answer after a silence is not lost",
    );
  },
);

t.test("a pseudonym is keyed, shows at most a third of the number, and needs its key", async (t) => {
  t.equal(pseudonymOf("12345", KEY), pseudonymOf("12345", KEY));
  t.not(pseudonymOf("12345", KEY), pseudonymOf("12345", KEY.replace("6b", "6c")));
  t.match(pseudonymOf("12345", KEY), /^[0-9a-f]{16}-5$/);
  t.match(pseudonymOf("123456789012345", KEY), /^[0-9a-f]{16}-2345$/);
  t.match(pseudonymOf("12", KEY), /^[0-9a-f]{16}-$/);
  const driver = new ScriptedDriver({ "1": new ScriptedUnit() });
  const bench = new HostBench(driver, busPlan([[BADGE]]));
  await t.rejects(bench.ended, /pseudonyms need a key/);
});

t.test(
  "a driver that lets the subscription fail otherwise ends the host, so that it is started anew",
  async (t) => {
    const { unit, bench: opened } = teller();
    await using bench = opened;
    await bench.clock.advance(1_000);
    unit.giveUp(new TypeError("a bug") as never);
    await bench.clock.advance(1_000);
    await t.rejects(bench.ended, /a bug/);
  },
);
