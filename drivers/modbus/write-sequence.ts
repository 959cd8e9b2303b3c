import { z } from "zod";
import { AddressError } from "../driver.ts";

/** One register of a write that the unit wants in several steps. */
export interface RegisterStep {
  /** 0 … 65535, a holding register. */
  readonly register: number;
  /**
   * `value`: what was commanded; `changed`: what the register holds now, with its low byte one further, for a control
   * byte by whose change the unit knows a new order; a number: just that.
   */
  readonly write: "value" | "changed" | number;
}

const STEPS_MAX = 8;
const STEPS = "2 to 8 steps, e.g. [{ register: 21, write: value }, { register: 20, write: changed }]";
const PLACE = "a number from 0 to 65535, zero-based as in the PDU";
const WRITE = '"value", "changed" or a number from 0 to 65535';
const word = (expected: string) => z.int(expected).min(0, expected).max(65_535, expected);

export const WRITE_SEQUENCE = z
  .array(
    z.strictObject({
      register: word(PLACE),
      write: z.union([z.literal(["value", "changed"]), word(WRITE)], WRITE),
    }),
    STEPS,
  )
  .min(2, STEPS)
  .max(STEPS_MAX, STEPS);

/** @throws {AddressError} unless the sequence can carry the value of the point. */
export function refuseBadSequence(
  steps: readonly RegisterStep[],
  point: { readonly table: string; readonly registers: number; readonly hasOwnPlace: boolean },
): void {
  const refuse = (expected: string, remedy: string): never => {
    throw new AddressError("/writeSequence", expected, `/writeSequence: ${remedy}`);
  };
  if (point.table !== "holding")
    refuse("table holding", "only holding registers are written in steps: take table holding");
  if (point.registers !== 1)
    refuse("a value of one register", "a step writes one register: take a coding of 16 bits");
  if (point.hasOwnPlace)
    refuse(
      "no writeRegister beside it",
      "the steps name their registers: remove writeRegister and writeFunction",
    );
  if (!steps.some(({ write }) => write === "value"))
    refuse("a step that writes the value", "add a step with write: value");
}

/** The low byte counts 0 … 255 and round again, the high byte stays. */
export const changedWord = (before: number): number => (before & 0xff00) | ((before + 1) & 0xff);
