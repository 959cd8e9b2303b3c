import { z } from "zod";
import { CHOICE_MAX_CHARS, CHOICES_MAX, POLL_CLASSES } from "../../domain/point.ts";
import { DEVICE_CLASSES } from "../../domain/profile.ts";
import { UNIT_CODES } from "../../domain/units.ts";
import { DRIVER_NAMES } from "../../drivers/registry.ts";
import { duration, PARAMETER_NAME, parameterName, SLUG, slug, text, whole } from "./source/schema-words.ts";

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `one of ${values.join(", ")}`);
const listOf = (names: readonly string[]): readonly [string, ...string[]] => {
  const [first, ...rest] = names;
  if (first === undefined) throw new Error("a choice of nothing");
  return [first, ...rest];
};

const NUMBER = "a number";
const number = z.number(NUMBER);
const RANGE = "{ min: 0, max: 100 } in the point's unit";
const SCALE = "dali-log, or { factor: 0.1, offset: 0 } with a factor that is not 0";
const STATE = "{ from: 0, to: 500, is: short } in raw numbers";
const COUNTER = "{ bits: 16, maxStep: 10000 }, or { epochOf: people-in-total }";
const SOURCE = "the document, its revision and the place: LC-10 Modbus map rev. 4, §6.2, table 3";
const UNIT = "a UCUM code that domain/units.ts lists, e.g. W, V, A, Cel, %, s, or 1 for a bare number";
const ADDRESS_BOUND = 1_000_000_000;
const parameterValue = whole(-ADDRESS_BOUND, ADDRESS_BOUND, "a whole number");

const CHOICE = `a value of the argument's type, of at most ${CHOICE_MAX_CHARS} characters`;
const EXPECTS = "{ argument: position } or { value: true }";
const conditionValue = z.union([number, z.boolean(), z.string().max(4_096)], "a value of the point's type");
const readBack = z.strictObject(
  {
    point: slug,
    /** Required of an action. */
    expects: z
      .union([z.strictObject({ argument: slug }), z.strictObject({ value: conditionValue })], EXPECTS)
      .exactOptional(),
    of: z.enum(["device", "members"], "device or members").default("device"),
    tolerance: number.min(0, "a number from 0, in the point's unit"),
    within: duration("50 ms", "60 s", "2 s"),
  },
  "{ point: actual-level, tolerance: 1, within: 2 s }",
);

const CONDITION = "{ point: selector-local, equals: false }";
const conditionKeys = { point: slug, writing: conditionValue.exactOptional() };
const conditionShape = `${CONDITION}, or oneOf: [ … ] instead of equals, with writing: true where it is asked only of orders to true`;
const interlock = z.strictObject(
  {
    all: z
      .array(
        z.union(
          [
            z.strictObject({ ...conditionKeys, equals: conditionValue }),
            z.strictObject({
              ...conditionKeys,
              oneOf: z
                .array(conditionValue, conditionShape)
                .min(2, "at least two values")
                .max(32, "at most 32"),
            }),
          ],
          conditionShape,
        ),
        `a list of conditions like ${CONDITION}`,
      )
      .min(1, "at least one condition")
      .max(16, "at most 16 conditions"),
  },
  `{ all: [${CONDITION}] }`,
);

const range = z
  .strictObject({ min: number, max: number }, RANGE)
  .refine(({ min, max }) => min <= max, RANGE)
  .exactOptional();

const argument = z.strictObject(
  {
    name: slug,
    type: oneOf(["number", "boolean", "text"]),
    /** Required for numbers. */
    unit: z.enum(listOf(UNIT_CODES), UNIT).exactOptional(),
    /** Required for numbers, unless oneOf lists them. */
    range,
    oneOf: z
      .array(z.union([number, z.boolean(), z.string().max(CHOICE_MAX_CHARS)], CHOICE))
      .min(1, "at least one value")
      .max(CHOICES_MAX, `at most ${CHOICES_MAX} values`)
      .exactOptional(),
  },
  "{ name: timeout, type: number, unit: min, range: { min: 1, max: 1440 } }",
);
export type WrittenArgument = z.output<typeof argument>;

const address = z.record(
  z.string(),
  z.json("plain values"),
  "a mapping for the driver, e.g. { table: holding, register: 15 }",
);
const point = z.strictObject(
  {
    name: slug,
    type: oneOf(["number", "boolean", "text", "action"]),
    /** Required for numbers; other types have none. */
    unit: z.enum(listOf(UNIT_CODES), UNIT).exactOptional(),
    access: oneOf(["read", "write", "read-write"]),
    address,
    scale: z
      .union(
        [
          z.literal("dali-log"),
          z.strictObject({
            factor: number.refine((factor) => factor !== 0, SCALE),
            offset: number.default(0),
          }),
        ],
        SCALE,
      )
      .exactOptional(),
    /** Of a text that the device keeps as a number. */
    states: z
      .array(
        z.strictObject({ from: number, to: number, is: text(40, "a word") }, STATE),
        `a list of states like ${STATE}`,
      )
      .min(1, "at least one state")
      .max(64, "at most 64 states")
      .exactOptional(),
    sentinels: z
      .array(number, "a list of raw numbers")
      .min(1, "at least one raw number")
      .max(16, "at most 16")
      .exactOptional(),
    range,
    /** Required for numbers that are read; others tell every change. */
    deadband: number.min(0, "a number from 0, in the point's unit; 0 tells every change").exactOptional(),
    pollClass: oneOf(POLL_CLASSES),
    maxAge: duration("100 ms", "7 d", "90 s"),
    commandClass: oneOf(["K1", "K2", "K3"]).exactOptional(),
    readBack: readBack.exactOptional(),
    pulse: duration("10 ms", "10 min", "500 ms").exactOptional(),
    /** One of `interlocks`. */
    interlock: slug.exactOptional(),
    minInterval: duration("1 s", "1 h", "60 s").exactOptional(),
    safeValue: z.union([number, z.boolean(), z.string()], "a value of the point's type").exactOptional(),
    /** Of an action. */
    args: z
      .array(argument, "a list of arguments")
      .min(1, "at least one argument")
      .max(16, "at most 16")
      .exactOptional(),
    event: z.literal(true, "true, or no event").exactOptional(),
    /** Of a number that is only read. */
    counter: z
      .union(
        [
          z.strictObject({
            bits: whole(8, 48, "a width from 8 to 48 bits"),
            maxStep: whole(
              1,
              1_000_000_000,
              "a whole number from 1: the most that is counted between two readings",
            ),
          }),
          z.strictObject({ epochOf: slug }),
        ],
        COUNTER,
      )
      .exactOptional(),
    privacy: z.literal("pseudonymous", "pseudonymous, or no privacy").exactOptional(),
    source: text(300, SOURCE).min(8, SOURCE),
  },
  "a mapping with name, type, unit, access, address, pollClass, maxAge and source",
);
export type WrittenPoint = z.output<typeof point>;

const why = text(300, "the reason, for who meets it next");
const quirk = z.discriminatedUnion(
  "flag",
  [
    z.strictObject({
      flag: z.literal("settle-before-read-back"),
      value: duration("1 ms", "10 s", "300 ms"),
      why,
    }),
    z.strictObject({
      flag: z.literal("registers-per-read"),
      value: whole(1, 125, "a number of registers from 1 to 125"),
      why,
    }),
  ],
  "settle-before-read-back or registers-per-read",
);

const CHECK = "{ point: frequency, min: 45, max: 65, why: … }, or with equals, oneOf or matches";
const checkKeys = { point: slug, why };
const probeCheck = z.union(
  [
    z.strictObject({ ...checkKeys, equals: conditionValue }),
    z.strictObject({ ...checkKeys, oneOf: z.array(conditionValue).min(1).max(32) }),
    z.strictObject({ ...checkKeys, matches: text(200, "a regular expression of at most 200 characters") }),
    z.strictObject({ ...checkKeys, min: number, max: number }),
  ],
  CHECK,
);

/** A profile as it is written, before its addresses are understood. */
export const PROFILE_SCHEMA = z.strictObject(
  {
    id: slug,
    title: text(200, "who makes it and what it is, e.g. ACME LC-10 lamp controller"),
    class: z.enum(listOf(Object.keys(DEVICE_CLASSES)), `one of ${Object.keys(DEVICE_CLASSES).join(", ")}`),
    driver: z.enum(listOf(DRIVER_NAMES), `one of ${DRIVER_NAMES.join(", ")}`),
    parameters: z
      .record(
        parameterName,
        z.strictObject(
          { min: parameterValue, max: parameterValue, default: parameterValue.exactOptional() },
          "{ min: 0, max: 63 }",
        ),
        `a mapping from ${PARAMETER_NAME} to { min, max }`,
      )
      .default({}),
    group: oneOf(["none", "members"]).default("none"),
    interlocks: z.record(slug, interlock, "a mapping from a name to { all: [ … ] }").default({}),
    /** Members of every point's address; the point's own win. */
    addressDefaults: address.default({}),
    points: z.array(point, "a list of points").min(1, "at least one point").max(1_000, "at most 1000 points"),
    /** Is this really that device? All must hold before a value is told. */
    probe: z
      .array(probeCheck, `a list of checks like ${CHECK}`)
      .min(1, "at least one check")
      .max(16, "at most 16 checks")
      .exactOptional(),
    quirks: z.array(quirk, "a list of quirks").max(20, "at most 20 quirks").default([]),
  },
  `a mapping with id (${SLUG}), title, class, driver and points`,
);
export type WrittenProfile = z.output<typeof PROFILE_SCHEMA>;

/** The JSON Schema that editors use: `profiles/profile.schema.json` is this, written out. */
export function profileJsonSchema(): object {
  return {
    ...z.toJSONSchema(PROFILE_SCHEMA, { io: "input", unrepresentable: "any" }),
    title: "A device model of Nerve: what points it has and where a driver finds them",
  };
}
