import { z } from "zod";
import type { PointDefinition } from "../../domain/point.ts";
import { AddressError } from "../driver.ts";
import { WRITE_SEQUENCE } from "./write-sequence.ts";

const CODINGS = ["u16", "s16", "u32", "s32", "u64", "s64", "float32", "text"] as const;
const TABLES = ["coil", "discrete", "holding", "input"] as const;
const PLACE = "a number from 0 to 65535, zero-based as in the PDU: holding register 40001 is 0";
const ORDER = '"big" or "little"';
export const BITS = "{ shift, width } with shift from 0 to 15, width from 1 to 16, both inside one register";
const WRITE_FUNCTIONS = "5 or 15 for coils, 6 or 16 for holding registers";

const place = z.int(PLACE).min(0, PLACE).max(65_535, PLACE);
const order = z.enum(["big", "little"], ORDER);
/** An address as a profile or site file has it. */
export const ADDRESS = z.strictObject(
  {
    table: z.enum(TABLES, '"coil", "discrete", "holding" or "input"'),
    register: place,
    coding: z.enum(CODINGS, `one of ${CODINGS.join(", ")}`).optional(),
    registers: z.int("the registers of a text, from 1 to 125").min(1).max(125).optional(),
    wordOrder: order.optional(),
    byteOrder: order.optional(),
    bit: z.int("a bit from 0 (lowest) to 15").min(0).max(15).optional(),
    bits: z
      .strictObject({ shift: z.int(BITS).min(0).max(15), width: z.int(BITS).min(1).max(16) }, BITS)
      .optional(),
    writeFunction: z.literal([5, 6, 15, 16], WRITE_FUNCTIONS).optional(),
    writeRegister: place.optional(),
    writeCoil: place.optional(),
    writeSequence: WRITE_SEQUENCE.optional(),
  },
  "{ table: holding, register: 15 }",
);
export type Written = z.output<typeof ADDRESS>;
export type PointKind = Pick<PointDefinition, "type" | "access" | "states">;

/** @throws {AddressError} */
export function refuse(pointer: string, expected: string, message: string): never {
  throw new AddressError(pointer, expected, `${pointer}: ${message}`);
}
