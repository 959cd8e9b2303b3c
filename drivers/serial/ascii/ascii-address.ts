import { z } from "zod";
import type { PointDefinition } from "../../../domain/point.ts";
import { AddressError, type Footprint } from "../../driver.ts";
import { parseSetting } from "../../parse-setting.ts";
import { FRAMING_SCHEMA, type Framing } from "./framing.ts";
import { hasValue, type PatternError, parsePattern, type TextPattern } from "./text-pattern.ts";

/**
 * A point of a device that is asked and answers in lines of text. The dialect is declared by the profile: framing and
 * replies mostly once in its `addressDefaults`, question and answer with each point.
 */
export interface AsciiAddress {
  readonly dialect: "ascii";
  readonly framing: Framing;
  /** Absent: the point is only written. Points with the same question are read from one answer. */
  readonly read?: { readonly ask: TextPattern; readonly question: string; readonly answer: TextPattern };
  /** Absent: the point is only read. `done`: the answer that acknowledges. */
  readonly write?: { readonly tell: TextPattern; readonly done: TextPattern };
  /** The answer by which the device refuses; absent: it has none. */
  readonly refused: TextPattern | undefined;
  readonly number: NumberForm;
  /** How the device writes true and false. */
  readonly truth: { readonly true: string; readonly false: string };
}
export type NumberForm = "decimal" | "hex";

const PATTERN = 'a line with gaps, e.g. "{unit:02},TEMP={value},{skip}"';
const pattern = z
  .string(PATTERN)
  .min(1, PATTERN)
  .max(200, PATTERN)
  .regex(/^[\x20-\x7e]+$/, "printable ASCII; what frames it stands under framing")
  .transform((written, context): TextPattern => {
    try {
      return parsePattern(written);
    } catch (error) {
      const { message } = error as PatternError;
      context.issues.push({ code: "custom", input: written, message });
      return z.NEVER;
    }
  });

const word = z.string("a text of 1 to 20 characters").min(1).max(20);
const ADDRESS = z.strictObject(
  {
    dialect: z.literal("ascii", '"ascii"'),
    framing: FRAMING_SCHEMA,
    ask: pattern.optional(),
    answer: pattern.optional(),
    tell: pattern.optional(),
    done: pattern.optional(),
    refused: pattern.optional(),
    number: z.enum(["decimal", "hex"], "decimal or hex").default("decimal"),
    true: word.default("1"),
    false: word.default("0"),
  },
  '{ dialect: ascii, framing: { end: "\\r" }, ask: "{unit}T?", answer: "{unit}T={value}" }',
);
type Written = z.output<typeof ADDRESS>;

/** @throws {AddressError} */
export function parseAsciiAddress(
  data: unknown,
  point: Pick<PointDefinition, "type" | "access">,
): AsciiAddress {
  const written = parseSetting(ADDRESS, data);
  const { dialect, framing, refused, number } = written;
  return {
    dialect,
    framing,
    refused,
    number,
    truth: { true: written.true, false: written.false },
    ...(point.access !== "write" && { read: readOf(written, data) }),
    ...(point.access !== "read" && { write: writeOf(written) }),
  };
}

/** A question is one place; what is only written is told apart by its line. */
export function footprintOfAscii({ read, write }: AsciiAddress): Footprint {
  const text = JSON.stringify(read ?? write);
  return { space: `ascii ${text}`, first: 0, count: 1 };
}

function readOf({ ask, answer }: Written, data: unknown): NonNullable<AsciiAddress["read"]> {
  if (ask === undefined) throw missing("/ask", "the line that asks for the point");
  if (answer === undefined || !hasValue(answer))
    throw missing("/answer", "the line that answers, with a {value} in it");
  // The written form: equal questions are one exchange.
  const question = typeof data === "object" && data !== null && "ask" in data ? String(data.ask) : "";
  return { ask, answer, question };
}

function writeOf({ tell, done }: Written): NonNullable<AsciiAddress["write"]> {
  if (tell === undefined || !hasValue(tell))
    throw missing("/tell", "the line that writes the point, with a {value} in it");
  if (done === undefined) throw missing("/done", "the line by which the device acknowledges a write");
  return { tell, done };
}

function missing(pointer: string, expected: string): AddressError {
  return new AddressError(pointer, expected, `${pointer}: write ${expected}`);
}
