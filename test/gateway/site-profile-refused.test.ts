import t from "tap";
import {
  load,
  METER,
  type Planted,
  point,
  profileText,
  proveRefused,
  type RefusedCase,
  siteText,
  writtenPoint,
} from "./planted-site.ts";

const meter = (points: string, more = ""): Planted => ({
  site: siteText(METER),
  profile: profileText(points, more),
});

const GATE = "interlocks: { gate-clear: { all: [{ point: p, equals: 0 }] } }";

/** An action proven by register 1, a number in W. */
const action = (more: string, expects = "expects: { argument: level }, "): string =>
  [
    point("p", 1),
    `  - { name: run, type: action, access: write, commandClass: K2, readBack: { ${expects}point: p, tolerance: 0, within: 1 s }, address: { table: holding, register: 9 }, pollClass: meter, maxAge: 5 min, source: "Meter manual, p. 4"${more} }`,
  ].join("\n");
const LEVEL = "name: level, type: number, unit: W, range: { min: 0, max: 9 }";
const TEXT =
  "type: text, access: read, address: { table: holding, register: 5, registers: 4 }, pollClass: fast, maxAge: 5 s";

const ACTION_CASES: readonly RefusedCase[] = [
  {
    name: "an action whose read-back expects nothing",
    ...meter(action(`, args: [{ ${LEVEL} }]`, "").replace("readBack: ", "readBack: ‸")),
    pointers: ["/points/1/readBack/expects"],
    says: /an action like run has no value/,
  },
  {
    name: "an expected argument that the action lacks",
    ...meter(
      action(", args: [{ name: volume, type: boolean }]").replace("argument: level", "argument: ‸level"),
    ),
    pointers: ["/points/1/readBack/expects/argument"],
    says: /an argument of the action: volume/,
  },
  {
    name: "an argument that is proven in another unit",
    ...meter(
      action(`, args: [{ ${LEVEL.replace("W", "A")} }]`).replace("argument: level", "argument: ‸level"),
    ),
    pointers: ["/points/1/readBack/expects/argument"],
    says: /found level, a number in A, expected a number in W/,
  },
  {
    name: "a number without range among the arguments",
    ...meter(action(", args: [‸{ name: level, type: number, unit: W }]")),
    pointers: ["/points/1/args/0/range"],
    says: /no range/,
  },
  {
    name: "a choice of another type",
    ...meter(action(`, args: [{ ${LEVEL} }, { name: to, type: text, oneOf: [a, ‸7] }]`)),
    pointers: ["/points/1/args/1/oneOf/1"],
    says: /found 7, expected a text/,
  },
  {
    name: "arguments of a number",
    ...meter(writtenPoint("p", 1, `, ‸args: [{ ${LEVEL} }]`)),
    pointers: ["/points/0/args"],
    says: /no args on a number/,
  },
  {
    name: "a pseudonym of a number",
    ...meter(point("p", 1, ", privacy: ‸pseudonymous")),
    pointers: ["/points/0/privacy"],
    says: /a pseudonym is one/,
  },
  {
    name: "an event that proves a write",
    ...meter(
      `${point("p", 1, ", ‸event: true").replace("deadband: 1", "deadband: 0")}\n${writtenPoint("q", 2).replace("point: q", "point: p")}`,
    ),
    pointers: ["/points/0/event"],
    says: /proves or permits a write/,
  },
];

t.test("an action with its arguments, an event and a pseudonym are taken as they are written", async (t) => {
  const written = `${action(`, args: [{ ${LEVEL} }]`)}\n  - { name: card, ${TEXT}, event: true, privacy: pseudonymous, source: "Meter manual, p. 5" }`;
  const site = await load(t, meter(written));
  const [, run, card] = site.devices[0]?.points ?? [];
  t.match(run?.definition, {
    readBack: { expects: { argument: "level" } },
    args: [{ name: "level", type: "number", unit: "W" }],
  });
  t.match(card?.definition, { event: true, privacy: "pseudonymous", deadband: 0 });
});

const PROFILE_CASES: readonly RefusedCase[] = [
  {
    name: "a missing unit",
    ...meter(point("p", 1).replace("{ name", "‸{ name").replace(" unit: W,", "")),
    pointers: ["/points/0/unit"],
    says: /found no unit, expected a UCUM code/,
  },
  {
    name: "a unit that is not UCUM",
    ...meter(point("p", 1).replace("unit: W", "unit: ‸degC")),
    pointers: ["/points/0/unit"],
    says: /did you mean Cel\?/,
  },
  {
    name: "a unit in the wrong case",
    ...meter(point("p", 1).replace("unit: W", "unit: ‸kwh")),
    pointers: ["/points/0/unit"],
    says: /did you mean kWh\?/,
  },
  {
    name: "a negative deadband",
    ...meter(point("p", 1).replace("deadband: 1", "deadband: ‸-1")),
    pointers: ["/points/0/deadband"],
    says: /found -1, expected a number from 0/,
  },
  {
    name: "a point without source",
    ...meter(
      point("p", 1)
        .replace(/, source: ".*" }/, " }")
        .replace("{ name", "‸{ name"),
    ),
    pointers: ["/points/0/source"],
    says: /the document, its revision and the place/,
  },
  {
    name: "two points on one register",
    ...meter(`${point("p", 1)}\n${point("q", 1).replace("address: {", "address: ‸{")}`),
    pointers: ["/points/1/address"],
    says: /q at holding:1, where p is/,
  },
  {
    name: "a 32-bit value over the register behind it",
    ...meter(`${point("p", "1, coding: u32")}\n${point("q", 2).replace("address: {", "address: ‸{")}`),
    pointers: ["/points/1/address"],
    says: /q at holding:2, where p is/,
  },
  {
    name: "a read-back point that is missing",
    ...meter(writtenPoint("p", 1).replace("point: p", "point: ‸lvl")),
    pointers: ["/points/0/readBack/point"],
    says: /unknown point lvl/,
  },
  {
    name: "a set-point that nothing proves",
    ...meter(
      writtenPoint("p", 1)
        .replace(/, readBack: \{.*?\}/, "")
        .replace("{ name", "‸{ name"),
    ),
    pointers: ["/points/0/readBack"],
    says: /a read-back that proves a K1 write/,
  },
  {
    name: "a written number without range",
    ...meter(writtenPoint("p", 1).replace(" range: { min: 0, max: 9 },", "").replace("{ name", "‸{ name")),
    pointers: ["/points/0/range"],
    says: /a command outside is rejected/,
  },
  {
    name: "a safe value outside the range",
    ...meter(writtenPoint("p", 1, ", safeValue: ‸10")),
    pointers: ["/points/0/safeValue"],
    says: /found 10, expected 0 to 9/,
  },
  {
    name: "an address that the driver refuses, at its key",
    ...meter(point("p", "‸70000")),
    pointers: ["/points/0/address/register"],
    says: /found 70000, expected a number from 0 to 65535/,
  },
  {
    name: "a linear form that leaves the registers at its greatest",
    ...meter(point("p", '‸"n*1000"'), "parameters: { n: { min: 0, max: 66, default: 0 } }"),
    pointers: ["/points/0/address/register"],
    says: /found "n\*1000", expected a number from 0 to 65535/,
  },
  {
    name: "a linear form with an unknown parameter",
    ...meter(point("p", '‸"7000*chanel + 6"'), "parameters: { channel: { min: 0, max: 3, default: 0 } }"),
    pointers: ["/points/0/address/register"],
    says: /at its character 6: chanel is no parameter.*did you mean channel\?/,
  },
  {
    name: "a form that is not linear",
    ...meter(point("p", '‸"n*n"'), "parameters: { n: { min: 0, max: 3, default: 0 } }"),
    pointers: ["/points/0/address/register"],
    says: /not linear/,
  },
  {
    name: "a default outside its bounds",
    ...meter(point("p", 1), "parameters: { n: { min: 0, max: 3, default: ‸4 } }"),
    pointers: ["/parameters/n/default"],
    says: /found 4, expected 0 to 3/,
  },
  {
    name: "an id that is not the file's name",
    site: siteText(METER),
    profile: profileText(point("p", 1)).replace("id: meter-x", "id: ‸meter-y"),
    pointers: ["/id"],
    says: /rename the file/,
  },
  {
    name: "an interlock that the profile has not",
    ...meter(writtenPoint("p", 1, ", interlock: ‸gate-clera"), GATE),
    pointers: ["/points/0/interlock"],
    says: /did you mean gate-clear\?/,
  },
  {
    name: "an interlock on a point that is only read",
    ...meter(point("p", 1, ", ‸interlock: gate-clear"), GATE),
    pointers: ["/points/0/interlock"],
    says: /no interlock on a point that is only read/,
  },
  {
    name: "a condition on a point that the profile has not",
    ...meter(
      writtenPoint("p", 1, ", interlock: gate"),
      "interlocks: { gate: { all: [{ point: ‸q, equals: 0 }] } }",
    ),
    pointers: ["/interlocks/gate/all/0/point"],
    says: /unknown point q/,
  },
  {
    name: "a condition that its point can never meet",
    ...meter(
      writtenPoint("p", 1, ", interlock: gate"),
      "interlocks: { gate: { all: [{ point: p, equals: ‸true }] } }",
    ),
    pointers: ["/interlocks/gate/all/0/equals"],
    says: /found true, expected a number, as p is/,
  },
  {
    name: "a condition that its point can meet with one of its values only",
    ...meter(
      writtenPoint("p", 1, ", interlock: gate"),
      "interlocks: { gate: { all: [{ point: p, oneOf: ‸[0, true] }] } }",
    ),
    pointers: ["/interlocks/gate/all/0/oneOf"],
    says: /found true, expected a number, as p is/,
  },
  {
    name: "a condition asked of a value that is never written",
    ...meter(
      writtenPoint("p", 1, ", interlock: gate"),
      "interlocks: { gate: { all: [{ point: p, equals: 0, writing: ‸true }] } }",
    ),
    pointers: ["/interlocks/gate/all/0/writing"],
    says: /found true, expected a number, as p is/,
  },
  {
    name: "an interlock without conditions",
    ...meter(writtenPoint("p", 1, ", interlock: gate"), "interlocks: { gate: { all: ‸[] } }"),
    pointers: ["/interlocks/gate/all"],
    says: /at least one condition/,
  },
];

for (const planted of [...PROFILE_CASES, ...ACTION_CASES]) proveRefused(t, planted);
