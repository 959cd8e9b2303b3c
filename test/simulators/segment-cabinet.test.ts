import t from "tap";
import type { CabinetAction } from "../../simulators/cabinet/cabinet-control.ts";
import { SegmentCabinet } from "../../simulators/cabinet/segment-cabinet.ts";
import { type EffectEntry, Journal } from "../../simulators/journal.ts";
import { ModbusException, type ReadAnswer } from "../../simulators/modbus/register-bank.ts";
import { isDark, isNight, sunElevation } from "../../simulators/sky/sun.ts";
import { StillClock } from "./still-clock.ts";

const origin = { connection: 1, transaction: 1, unit: 2, function: 5 };

function bench(minOnOffSec = 60) {
  const clock = new StillClock();
  const journal = new Journal({ clock });
  const live = new Array<boolean>(8).fill(true);
  const loads = {
    currentMa: (way: number) => 100 * (way + 1),
    supply: (way: number, supply: "live" | "dead") => {
      live[way] = supply === "live";
    },
  };
  const sky = { timeMs: () => clock.wallMs() };
  const cabinet = new SegmentCabinet({ id: "c", seed: 1, minOnOffSec, loads, journal, clock, sky });
  const plain = (answer: ReadAnswer) =>
    answer instanceof ModbusException ? `exception ${answer.code}` : Array.from(answer);
  const write = (table: "coil" | "holding", address: number, ...values: number[]): string => {
    const request = { origin, address, values, effect: "normal" } as const;
    const answer = table === "coil" ? cabinet.writeCoils(request) : cabinet.writeRegisters(request);
    return answer instanceof ModbusException ? `exception ${answer.code}` : answer;
  };
  const feedback = () => plain(cabinet.readDiscrete(24, 8));
  const mode = () => plain(cabinet.readInput(0, 2));
  const effects = (): string[] =>
    journal
      .query({})
      .entries.filter((entry): entry is EffectEntry => entry.kind === "effect")
      .map(({ what, to }) => `${what} ${to}`);
  const treat = (action: CabinetAction, feeder = 1) => cabinet.treat(action, feeder - 1);
  return { clock, journal, cabinet, live, plain, write, feedback, mode, effects, treat };
}

t.test("a contactor follows its demand after 80 ms, its feedback and its feeder with it", (t) => {
  const { clock, cabinet, live, plain, write, feedback, mode, effects, journal } = bench();
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1]);
  t.equal(write("coil", 2, 0), "written");
  t.same(plain(cabinet.readCoils(0, 9)), [1, 1, 0, 1, 1, 1, 1, 1, 0]);
  clock.advance(79);
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1], "the contact is still on its way");
  clock.advance(1);
  t.same(feedback(), [1, 1, 0, 1, 1, 1, 1, 1]);
  t.same(live, [true, true, false, true, true, true, true, true]);
  t.same(plain(cabinet.readInput(25, 8)), [100, 200, 0, 400, 500, 600, 700, 800]);
  t.same(mode(), [0, 1]);
  t.same(plain(cabinet.readInput(5, 2)), [1_700_000_001 >>> 16, 1_700_000_001 & 0xffff]);
  t.same(effects(), ["demand-3 0", "contactor-3 0"]);
  t.match(journal.query({}).entries.at(-1), {
    device: "c",
    deviceSeq: 2,
    bridge: "c",
    cause: { by: "request", writeSeq: 1, request: { address: 2, values: [0] } },
  });
  t.end();
});

t.test("a contactor that moved rests for its least on or off time: exception 4, and nothing moves", (t) => {
  const { clock, write, feedback, cabinet, plain } = bench();
  write("coil", 0, 0);
  t.equal(write("coil", 0, 1), "exception 4", "while it travels");
  clock.advance(80);
  clock.advance(59_900);
  t.equal(write("coil", 0, 1, 0), "exception 4", "a refusal of one is a refusal of all");
  t.same(plain(cabinet.readCoils(0, 2)), [0, 1]);
  clock.advance(100);
  t.equal(write("coil", 0, 1), "written");
  clock.advance(80);
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1]);
  t.equal(write("holding", 3, 0), "written");
  t.equal(write("coil", 0, 0), "written", "the time is a setting");
  t.end();
});

t.test("the same order again moves nothing and is journaled as executed", (t) => {
  const { clock, write, effects, journal } = bench();
  t.equal(write("coil", 0, 1, 1, 1), "written");
  clock.advance(80);
  t.same(effects(), []);
  t.match(journal.query({}).entries, [{ kind: "write", outcome: "executed" }]);
  t.end();
});

t.test("the local selector and a trip refuse the remote; a trip's demand is to be given anew", (t) => {
  const { clock, live, write, feedback, mode, treat } = bench(0);
  treat("select-local");
  clock.advance(80);
  t.same(feedback(), [0, 0, 0, 0, 0, 0, 0, 0], "the local switch stands on off");
  t.equal(write("coil", 1, 1), "exception 4");
  t.same(mode(), [1, 2]);
  treat("local-on");
  clock.advance(80);
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1]);
  treat("select-auto");
  clock.advance(80);
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1], "nothing moves when the crew hands back");
  treat("trip-rcd");
  t.notOk(live.includes(true), "dead at once");
  clock.advance(80);
  t.same(mode(), [5, 4]);
  t.equal(write("coil", 1, 1), "exception 4");
  treat("reset-rcd");
  clock.advance(1_000);
  t.notOk(live.includes(true), "no feeder comes back unasked");
  t.equal(write("coil", 1, 1), "written");
  clock.advance(80);
  treat("trip-breaker", 2);
  t.equal(write("coil", 1, 1), "exception 4");
  clock.advance(80);
  treat("reset-breaker", 2);
  t.equal(write("coil", 1, 1), "written");
  t.end();
});

t.test("a welded contactor contradicts its demand, a jammed one too, until they are mended", (t) => {
  const { clock, live, write, feedback, treat } = bench(0);
  treat("weld-contactor", 1);
  treat("jam-contactor", 2);
  t.equal(write("coil", 0, 0, 0), "written");
  clock.advance(80);
  t.same(feedback(), [1, 0, 1, 1, 1, 1, 1, 1]);
  t.equal(write("coil", 1, 1), "written");
  clock.advance(80);
  t.same(feedback(), [1, 0, 1, 1, 1, 1, 1, 1]);
  t.same(live.slice(0, 2), [true, false]);
  treat("restore-contactor", 1);
  treat("restore-contactor", 2);
  clock.advance(80);
  t.same(feedback(), [0, 1, 1, 1, 1, 1, 1, 1]);
  t.end();
});

t.test("a heartbeat that stops lets the cabinet fall back, one that returns hands it back", (t) => {
  const { clock, write, feedback, mode } = bench();
  write("coil", 0, 0, 0, 0, 0, 0, 0, 0, 0);
  clock.advance(3_600_000);
  t.same(mode(), [0, 1], "a cabinet that never had a gateway misses none");
  write("holding", 0, 1);
  for (let beat = 0; beat < 10; beat += 1) {
    clock.advance(50_000);
    write("holding", 0, beat);
  }
  t.same(mode(), [0, 1]);
  clock.advance(60_000);
  clock.advance(80);
  t.same(mode(), [4, 3]);
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1]);
  write("holding", 0, 99);
  t.same(mode(), [0, 3]);
  t.same(feedback(), [1, 1, 1, 1, 1, 1, 1, 1], "and what it lit stays lit");
  t.end();
});

t.test("by photocell and by the sun the fallback follows the sky", (t) => {
  for (const [mode, photocell, closed] of [
    [1, "photocell-light", 0],
    [1, "photocell-dark", 1],
    // 1,700,000,001 s is 14 November 2023, 22:13 UTC.
    [0, "photocell-light", 1],
  ] as const) {
    const { clock, write, feedback, treat } = bench(0);
    treat(photocell);
    write("coil", 0, ...new Array<number>(8).fill(1 - closed));
    clock.advance(80);
    write("holding", 2, mode);
    write("holding", 0, 1);
    clock.advance(60_000);
    clock.advance(80);
    t.same(feedback(), new Array(8).fill(closed), `mode ${mode}, ${photocell}`);
  }
  t.end();
});

t.test("input registers 2 to 4 are the image of the discrete inputs and of the coils", (t) => {
  const { cabinet, plain, write, treat, clock } = bench();
  const bits = (answer: ReadAnswer): number[] => plain(answer) as number[];
  const asImage = (table: readonly number[]): number =>
    table.reduce((word, bit, at) => word + bit * 2 ** at, 0);
  t.same(plain(cabinet.readInput(2, 3)), [64, 65_280, 255], "dark, all contactors closed, all demanded");
  write("coil", 2, 0);
  write("coil", 8, 1);
  clock.advance(100);
  treat("open-door");
  t.same(plain(cabinet.readInput(2, 3)), [
    asImage(bits(cabinet.readDiscrete(0, 16))),
    asImage(bits(cabinet.readDiscrete(16, 16))),
    asImage(bits(cabinet.readCoils(0, 9))),
  ]);
  t.same(plain(cabinet.readInput(3, 2)), [65_280 - 4 * 256, 255 - 4 + 256]);
  t.end();
});

t.test("what is not in the map is exception 2, what is out of range exception 3", (t) => {
  const { cabinet, plain, write, effects } = bench();
  t.equal(plain(cabinet.readCoils(0, 10)), "exception 2");
  t.equal(plain(cabinet.readDiscrete(31, 2)), "exception 2");
  t.equal(plain(cabinet.readHolding(7, 1)), "exception 2");
  t.equal(plain(cabinet.readInput(34, 1)), "exception 2");
  t.equal(write("coil", 9, 1), "exception 2", "the meter reset is not offered");
  t.equal(write("holding", 1, 9), "exception 3");
  t.equal(write("holding", 1, 30, 3), "exception 3");
  t.same(plain(cabinet.readHolding(1, 2)), [60, 2], "all values or none");
  t.equal(write("holding", 5, 0xdead, 0xbeef), "written");
  t.same(plain(cabinet.readHolding(0, 7)), [0, 60, 2, 60, 60, 0xdead, 0xbeef]);
  t.same(effects(), ["schedule-hash-high 57005", "schedule-hash-low 48879"]);
  t.end();
});

t.test("a shock is seen for 10 s, and a frozen cabinet shows the order and moves nothing", (t) => {
  const { clock, cabinet, plain, feedback, journal, treat } = bench();
  treat("shock");
  t.same(plain(cabinet.readDiscrete(8, 1)), [1]);
  clock.advance(10_000);
  t.same(plain(cabinet.readDiscrete(8, 1)), [0]);
  cabinet.writeCoils({ origin, address: 0, values: [0], effect: "frozen" });
  clock.advance(80);
  t.same(plain(cabinet.readCoils(0, 1)), [0]);
  t.same(feedback()[0], 1);
  t.match(journal.query({ kind: "write" }).entries, [{ outcome: "frozen" }]);
  t.end();
});

t.test("the sun over Dijon rises and sets when the almanac says", (t) => {
  // 21 June 2024: sunrise 03:47 UTC, sunset 19:36 UTC; 21 December: 07:23 and 15:51 UTC, each to 5 min.
  const at = (text: string) => Date.parse(text);
  t.ok(isNight(at("2024-06-21T03:40Z")) && !isNight(at("2024-06-21T03:56Z")));
  t.ok(!isNight(at("2024-06-21T19:28Z")) && isNight(at("2024-06-21T19:44Z")));
  t.ok(isNight(at("2024-12-21T07:12Z")) && !isNight(at("2024-12-21T07:30Z")));
  t.ok(!isDark(at("2024-12-21T15:48Z")) && isDark(at("2024-12-21T16:20Z")));
  t.ok(Math.abs(sunElevation(at("2024-06-21T11:42Z")) - 66.1) < 0.5, "noon at midsummer: 90 - 47.3 + 23.4");
  t.end();
});
