import t from "tap";
import { DaliBridge, type DaliBridgeOptions } from "../../simulators/dali/dali-bridge.ts";
import { arcOfPercent, percentOfArc, wholePercentOfArc } from "../../simulators/dali/dali-level.ts";
import type { GearPlace } from "../../simulators/dali/gear-state.ts";
import { Journal } from "../../simulators/journal.ts";
import { ModbusException } from "../../simulators/modbus/register-bank.ts";
import { StillClock } from "./still-clock.ts";

const origin = { connection: 1, transaction: 1, unit: 1, function: 6 };

/** Eight lamps a channel; group 0 has all, group 1 the even ones. */
function places(channels: number, count = 8): GearPlace[] {
  return Array.from({ length: channels * count }, (_, gear) => {
    const shortAddress = gear % count;
    return { channel: Math.floor(gear / count), shortAddress, groups: shortAddress % 2 === 0 ? 0b11 : 0b01 };
  });
}

function bench(options: Partial<DaliBridgeOptions> = {}) {
  const clock = new StillClock();
  const journal = new Journal({ clock });
  const defaults = {
    id: "b",
    channels: 1,
    gears: places(options.channels ?? 1),
    seed: 1,
    fade: 0,
    refreshMs: 100,
  };
  const bridge = new DaliBridge({ ...defaults, holes: "exception", journal, clock, ...options });
  const read = (address: number, count = 1): number[] | string => {
    const answer = bridge.readHolding(address, count);
    return answer instanceof ModbusException ? `exception ${answer.code}` : Array.from(answer);
  };
  const write = (address: number, ...values: number[]): string => {
    const answer = bridge.writeRegisters({ origin, address, values, effect: "normal" });
    return answer instanceof ModbusException ? `exception ${answer.code}` : answer;
  };
  return { clock, journal, bridge, read, write };
}

const wide = (words: number[] | string): number =>
  typeof words === "string" ? Number.NaN : (words[0] ?? 0) * 65_536 + (words[1] ?? 0);

t.test("arc levels follow the DALI log curve", (t) => {
  const table = [
    [1, 0.1],
    [85, 0.99],
    [170, 10.1],
    [195, 20.0],
    [210, 30.1],
    [229, 50.5],
    [241, 70.1],
    [254, 100],
  ] as const;
  for (const [arc, percent] of table) {
    t.ok(
      Math.abs(percentOfArc(arc, "log") - percent) <= 0.05 * Math.max(0.1, percent / 10),
      `${arc}: ${percent} %`,
    );
    t.equal(arcOfPercent(percentOfArc(arc, "log"), "log"), arc);
  }
  t.equal(percentOfArc(0, "log"), 0);
  t.equal(arcOfPercent(0, "log"), 0);
  t.equal(arcOfPercent(50, "linear"), 127);
  t.not(arcOfPercent(50, "log"), 127);
  t.end();
});

t.test("whole % reads back within 1 %, and not always equal", (t) => {
  let different = 0;
  for (let percent = 0; percent <= 100; percent += 1) {
    const back = wholePercentOfArc(arcOfPercent(percent, "log"), "log");
    t.ok(Math.abs(back - percent) <= 1, `${percent} reads back as ${back}`);
    if (back !== percent) different += 1;
  }
  t.equal(different, 27);
  t.end();
});

t.test("the arc power level of a lamp moves it, shows in its status, and costs power", (t) => {
  const { read, write, bridge } = bench();
  t.same(read(105, 11), [0x80, 0, 6, 1, 1, 100, 100, 100, 0, 7, 0]);
  t.equal(write(115, 40), "written");
  t.same(read(105, 2), [0b100, 40]);
  t.same(read(115), [40]);
  t.same(read(5, 2), [0x80, 0], "the neighbour stays dark");
  const lit = bridge.findLamp("b-0-1");
  t.ok((lit?.powerW ?? 0) > 5);
  t.equal(write(115, 0), "written");
  t.same(read(105, 2), [0, 0]);
  t.end();
});

t.test("holding and input registers are one map, and coils are none", (t) => {
  const { bridge, write } = bench();
  write(115, 40);
  t.same(bridge.readInput(105, 3), bridge.readHolding(105, 3));
  t.notOk("readCoils" in bridge);
  t.end();
});

t.test("what is not in the map is exception 2, what is out of range exception 3, and nothing moves", (t) => {
  const { read, write, journal } = bench();
  const holes = [
    94,
    100,
    104,
    129,
    180 - 1,
    805,
    6_399,
    6_414,
    6_720,
    6_814,
    7_000,
    24_999,
    25_033,
    25_051,
    25_834,
  ];
  for (const address of holes) t.equal(read(address), "exception 2", `${address}`);
  t.equal(read(5, 30), "exception 2", "a span with a hole");
  for (const address of [0, 5, 6, 11, 80, 25_034, 129])
    t.equal(write(address, 1), "exception 2", `${address}`);
  for (const [address, value] of [
    [115, 101],
    [115, 65_535],
    [116, 2],
    [124, 0],
    [6_400, 101],
    [6_800, 101],
    [4, 2],
    [192, 2],
  ] as const) {
    t.equal(write(address, value), "exception 3", `${address} = ${value}`);
  }
  t.equal(write(115, 50, 7), "exception 3", "all values or none");
  t.same(read(106), [0]);
  t.equal(journal.effects, 0);
  t.equal(bench({ holes: "zero" }).read(94)[0], 0);
  t.equal(bench({ holes: "zero" }).write(94, 1), "exception 2");
  t.end();
});

t.test("groups and the broadcast reach their members only", (t) => {
  const { read, write } = bench({ channels: 2 });
  const levels = (channel: number) =>
    Array.from({ length: 8 }, (_, lamp) => read(7_000 * channel + 100 * lamp + 6)).flat();
  write(6_420, 30);
  t.same(levels(0), [30, 0, 30, 0, 30, 0, 30, 0]);
  t.same(levels(1), Array(8).fill(0));
  t.same(read(6_420), [30]);
  write(7_000 + 6_800, 20);
  t.same(levels(1), Array(8).fill(20));
  write(6_401, 0);
  t.same(levels(0), Array(8).fill(0));
  write(6_804, 1);
  t.same(levels(0), Array(8).fill(100));
  t.same(read(6_804), [0], "a trigger reads 0");
  t.end();
});

t.test("limits, scenes, steps and the levels for power and bus loss are kept in the gear", (t) => {
  const { read, write } = bench();
  t.equal(write(125, 20, 80, 60, 10), "written");
  t.same(read(109, 4), [20, 80, 60, 10]);
  write(115, 100);
  t.same(read(105, 2), [0b1100, 80], "limit error");
  t.same(read(115), [100]);
  write(115, 1);
  t.same(read(106), [20]);
  write(121, 3);
  write(119, 1);
  t.same(read(106), [80]);
  write(120, 3);
  t.same(read(106), [20]);
  write(117, 1);
  t.same(read(106), [21], "one arc level up");
  write(122, 3);
  write(119, 1);
  write(120, 3);
  t.same(read(106), [80], "a cleared scene moves nothing");
  write(126, 50);
  t.same(read(106), [51], "a lit lamp follows its limit");
  t.end();
});

t.test("another dimming curve is another light at the same arc level", (t) => {
  const { read, write } = bench();
  write(115, 50);
  t.same(read(106), [51]);
  write(192, 1);
  t.same(read(182), [1]);
  t.same(read(106), [90]);
  write(115, 50);
  t.same(read(106), [50]);
  t.end();
});

t.test("a fade is seen on its way and ends without a timer", (t) => {
  const { clock, read, write } = bench({ fade: 1_000 });
  write(115, 100);
  t.same(read(105, 2), [0b10000, 0]);
  clock.advance(500);
  t.same(read(105), [0b10100]);
  t.same(read(106), [3], "halfway in arc levels is 3 % of the light");
  clock.advance(500);
  t.same(read(105, 2), [0b100, 100]);
  const dali = bench({ fade: "dali" });
  dali.write(123, 2);
  dali.write(115, 100);
  dali.clock.advance(999);
  t.ok((Number(dali.read(105)[0]) & 0b10000) !== 0, "fade time 2 takes 1 s");
  dali.clock.advance(1);
  t.same(dali.read(105, 2), [0b100, 100]);
  t.end();
});

t.test("a refresh reads 1 until it is finished", (t) => {
  const { clock, read, write } = bench();
  t.same(read(4), [0]);
  write(4, 1);
  t.same(read(4), [1]);
  clock.advance(100);
  t.same(read(4), [0]);
  t.end();
});

t.test("energy is what power makes of time, and burning hours count light only", (t) => {
  const { clock, read, write, bridge } = bench();
  // New: wear has a test of its own.
  bridge.state.burnMs[1] = 0;
  write(115, 100);
  const before = wide(read(25_134, 2));
  const seconds = wide(read(25_146, 2));
  const power = wide(read(25_136, 2));
  t.ok([24, 31, 42, 58, 76, 104].includes(power), `${power} W`);
  clock.advance(10 * 3_600_000);
  t.equal(wide(read(25_134, 2)) - before, 10 * power);
  t.equal(wide(read(25_146, 2)) - seconds, 36_000);
  write(115, 0);
  clock.advance(10 * 3_600_000);
  t.equal(wide(read(25_146, 2)) - seconds, 36_000);
  t.equal(wide(read(25_134, 2)) - before, 10 * power + 4, "standby");
  t.ok(Number(read(25_150)[0]) >= 15);
  t.equal(bridge.findLamp("b-0-1")?.levelPercent, 0);
  t.end();
});

t.test("a failed lamp and a dead gear show in bitmap, status and LED failure bits, and come back", (t) => {
  const { read, write, bridge } = bench({ gears: places(1, 64) });
  write(1_715, 60);
  t.ok(bridge.treat("b-0-17", "lamp-failure"));
  t.ok(bridge.treat("b-0-63", "gear-failure"));
  t.same(read(0, 4), [0, 0b10, 0, 0x8000]);
  t.same(read(1_705, 2), [0b010, 0]);
  t.same(read(1_780), [0b10]);
  t.equal(write(1_715, 30), "written", "the bridge says yes");
  t.same(read(1_706), [0]);
  t.ok(bridge.treat("b-0-17", "restore"));
  t.ok(bridge.treat("b-0-63", "restore"));
  t.same(read(0, 4), [0, 0, 0, 0]);
  t.same(read(1_705, 2), [0b100, 30]);
  t.same(read(6_305, 2), [0x84, 100], "power-on level");
  t.notOk(bridge.treat("b-0-64", "restore"));
  t.end();
});

t.test("where the D4i areas of two channels overlap, the lower channel has it if it has the gear", (t) => {
  const few = bench({ channels: 2 });
  few.write(7_015, 100);
  t.ok(wide(few.read(28_236, 2)) >= 24, "channel 1, short address 0");
  const many = bench({ channels: 2, gears: places(2, 64) });
  many.write(7_015, 100);
  t.equal(wide(many.read(28_236, 2)), 0, "channel 0, short address 32");
  t.end();
});

t.test("the same seed makes the same lamps, another seed others", (t) => {
  const lamps = (seed: number) => bench({ seed, gears: places(1, 64) }).bridge.lamps();
  t.same(lamps(7), lamps(7));
  t.notSame(lamps(7), lamps(8));
  t.end();
});
