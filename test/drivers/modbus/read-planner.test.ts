import fc from "fast-check";
import t from "tap";
import type { PointDefinition } from "../../../domain/point.ts";
import { type HoleMap, NO_HOLES } from "../../../drivers/driver.ts";
import {
  footprintOf,
  type ModbusAddress,
  parseModbusAddress,
} from "../../../drivers/modbus/modbus-address.ts";
import { type PlanLimits, planReads, type ReadBlock } from "../../../drivers/modbus/read-planner.ts";
import { point } from "./modbus-unit.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);

type Point = PointDefinition<ModbusAddress>;
const USUAL: PlanLimits = { registersPerRead: 125, gapRegisters: 16, gapBits: 256 };

function at(address: object, rest: Partial<PointDefinition> = {}): Point {
  const definition = point(JSON.stringify(address), address, rest);
  return { ...definition, address: parseModbusAddress(address, definition) };
}
const holding = (register: number, coding = "u16"): Point => at({ table: "holding", register, coding });
const coil = (register: number): Point => at({ table: "coil", register }, { type: "boolean" });
const holesAt = (...registers: readonly number[]): HoleMap => ({
  has: (_, first, count) => registers.some((hole) => hole >= first && hole < first + count),
});
const shape = (blocks: readonly ReadBlock[]) =>
  blocks.map(({ table, first, count }) => `${table} ${first}+${count}`);
const plan = (points: readonly Point[], limits: Partial<PlanLimits> = {}, holes: HoleMap = NO_HOLES) =>
  shape(planReads(points, { ...USUAL, ...limits }, holes));

t.test("neighbours are merged as far as the protocol goes", async (t) => {
  const cases = [
    { name: "nothing", points: [], blocks: [] },
    { name: "one", points: [holding(7)], blocks: ["holding 7+1"] },
    { name: "any order", points: [holding(9), holding(7), holding(8)], blocks: ["holding 7+3"] },
    { name: "a gap of 16", points: [holding(0), holding(17)], blocks: ["holding 0+18"] },
    { name: "a gap of 17", points: [holding(0), holding(18)], blocks: ["holding 0+1", "holding 18+1"] },
    { name: "125 registers", points: range(0, 125).map((r) => holding(r)), blocks: ["holding 0+125"] },
    {
      name: "126 registers",
      points: range(0, 126).map((r) => holding(r)),
      blocks: ["holding 0+125", "holding 125+1"],
    },
    { name: "the last registers", points: [holding(65_535), holding(65_534)], blocks: ["holding 65534+2"] },
    { name: "2,000 coils", points: range(0, 2_000).map(coil), blocks: ["coil 0+2000"] },
    { name: "2,001 coils", points: range(0, 2_001).map(coil), blocks: ["coil 0+2000", "coil 2000+1"] },
    { name: "a gap of 256 coils", points: [coil(0), coil(257)], blocks: ["coil 0+258"] },
    { name: "a gap of 257 coils", points: [coil(0), coil(258)], blocks: ["coil 0+1", "coil 258+1"] },
    {
      name: "two tables",
      points: [holding(0), at({ table: "input", register: 1 })],
      blocks: ["holding 0+1", "input 1+1"],
    },
    {
      name: "bits of one register",
      points: [0, 5, 15].map((bit) => at({ table: "holding", register: 3, bit })),
      blocks: ["holding 3+1"],
    },
  ];
  for (const { name, points, blocks } of cases) t.same(plan(points), blocks, name);
});

t.test("a 64-bit value is never torn over two frames", async (t) => {
  const points = [...range(0, 123).map((r) => holding(r)), holding(123, "u64")];
  t.same(plan(points), ["holding 0+123", "holding 123+4"]);
});

t.test("a unit's lower limit holds, and a value that needs more goes alone", async (t) => {
  t.same(
    plan(
      range(0, 160).map((r) => holding(r)),
      { registersPerRead: 80 },
    ),
    ["holding 0+80", "holding 80+80"],
  );
  t.same(plan([holding(0), holding(1, "u64"), holding(3), holding(5)], { registersPerRead: 2 }), [
    "holding 0+1",
    "holding 1+4",
    "holding 5+1",
  ]);
});

t.test("no unasked register is read where a site forbids it", async (t) => {
  t.same(plan([holding(0), holding(1), holding(3)], { gapRegisters: 0 }), ["holding 0+2", "holding 3+1"]);
});

t.test("a known hole is never inside a merged block", async (t) => {
  t.same(plan([holding(0), holding(4)], {}, holesAt(2)), ["holding 0+1", "holding 4+1"]);
  t.same(plan([holding(0), holding(2), holding(4)], {}, holesAt(2)), [
    "holding 0+1",
    "holding 4+1",
    "holding 2+1",
  ]);
  const bits = [1, 2].map((bit) => at({ table: "holding", register: 2, bit }));
  t.same(
    plan([holding(1), ...bits], {}, holesAt(2)),
    ["holding 1+1", "holding 2+1"],
    "one request for one hole",
  );
});

/** Few places and small limits, so that every way to cut them can be tried. */
const SPOTS = fc.array(
  fc.record({ register: fc.nat(30), coding: fc.constantFrom("u16", "u16", "u32", "u64") }),
  { minLength: 1, maxLength: 7 },
);
const LIMITS = fc.record({
  registersPerRead: fc.integer({ min: 4, max: 12 }),
  gapRegisters: fc.nat(6),
  gapBits: fc.constant(0),
});
const HOLES = fc.array(fc.nat(34), { maxLength: 4 });

t.test(
  "every point is read exactly once, within limits, without a hole, by the fewest requests",
  async () => {
    fc.assert(
      fc.property(SPOTS, LIMITS, HOLES, (spots, limits, holes) => {
        const points = spots.map(({ register, coding }) => holding(register, coding));
        const blocks = planReads(points, limits, holesAt(...holes));
        const read = blocks.flatMap((block) => block.points);
        if (read.length !== points.length || new Set(read).size !== points.length)
          throw new Error("not once");
        for (const block of blocks) refuseBadBlock(block, limits, holes);
        const fewest = fewestBlocks(points, limits, holes);
        if (blocks.length !== fewest) throw new Error(`${blocks.length} requests where ${fewest} do`);
      }),
      { seed, numRuns: 400 },
    );
  },
);

t.test("a plan of a whole device is quick and keeps the limits", async (t) => {
  const registers = fc.uniqueArray(fc.nat(65_531), { minLength: 500, maxLength: 3_000 });
  fc.assert(
    fc.property(registers, (firsts) => {
      const points = firsts.map((register) => holding(register, register % 3 === 0 ? "u64" : "u16"));
      const blocks = planReads(points, USUAL, NO_HOLES);
      for (const block of blocks) refuseBadBlock(block, USUAL, []);
      return blocks.flatMap((block) => block.points).length === points.length;
    }),
    { seed, numRuns: 20 },
  );
  t.pass();
});

function refuseBadBlock(block: ReadBlock, limits: PlanLimits, holes: readonly number[]): void {
  const places = block.points.map(({ address }) => footprintOf(address));
  if (places.some(({ first, count }) => first < block.first || first + count > block.first + block.count)) {
    throw new Error("a point outside its block");
  }
  if (block.points.length === 1) return;
  if (block.count > limits.registersPerRead) throw new Error(`a block of ${block.count}`);
  const isSpoilt = holesAt(...holes).has("holding", block.first, block.count);
  if (isSpoilt && places.some(({ first, count }) => first !== block.first || count !== block.count)) {
    throw new Error("a hole inside a merged block");
  }
}

/** Tries every way to put the points into requests. */
function fewestBlocks(points: readonly Point[], limits: PlanLimits, holes: readonly number[]): number {
  let fewest = points.length;
  const groups: Point[][] = [];
  const place = (index: number): void => {
    const next = points[index];
    if (groups.length >= fewest) return;
    if (next === undefined) {
      if (groups.every((group) => isOneRequest(group, limits, holes))) fewest = groups.length;
      return;
    }
    for (const group of [...groups]) {
      group.push(next);
      place(index + 1);
      group.pop();
    }
    groups.push([next]);
    place(index + 1);
    groups.pop();
  };
  place(0);
  return fewest;
}

function isOneRequest(group: readonly Point[], limits: PlanLimits, holes: readonly number[]): boolean {
  const places = group
    .map(({ address }) => footprintOf(address))
    .sort((one, other) => one.first - other.first);
  const first = places[0]?.first ?? 0;
  const holeMap = holesAt(...holes);
  const isSame = places.every((one) => one.first === first && one.count === places[0]?.count);
  if (isSame) return true;
  if (places.some((one) => holeMap.has("holding", one.first, one.count))) return false;
  let end = first;
  for (const one of places) {
    if (one.first - end > limits.gapRegisters || holeMap.has("holding", end, one.first - end)) return false;
    end = Math.max(end, one.first + one.count);
  }
  return end - first <= limits.registersPerRead;
}

function range(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
