import { z } from "zod";
import { isSlug } from "../../../domain/ids.ts";
import { type Millis, parseDuration } from "../../../domain/time.ts";

/**
 * Pieces of the schemas of site file and profile. The message of each is what a person should have written:
 * problems quote it as "expected …".
 */

export const SLUG = "lower-case words joined by hyphens, at most 64 characters";
export const slug = z
  .string(SLUG)
  .max(64, SLUG)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, SLUG)
  .refine(isSlug, SLUG);

export const PARAMETER_NAME =
  "a name of letters and digits that begins with a small letter, e.g. shortAddress";
export const parameterName = z
  .string(PARAMETER_NAME)
  .max(32, PARAMETER_NAME)
  .regex(/^[a-z][A-Za-z0-9]*$/, PARAMETER_NAME);

export const text = (max: number, expected: string) =>
  z.string(expected).trim().min(1, expected).max(max, expected);

export const whole = (min: number, max: number, expected: string) =>
  z.int(expected).min(min, expected).max(max, expected);

/** A duration from `min` to `max`, written with its unit. */
export function duration(min: string, max: string, example: string) {
  const expected = `a duration from ${min} to ${max} with its unit, e.g. ${example}`;
  const [least, most] = [parseDuration(min), parseDuration(max)];
  return z
    .string(expected)
    .regex(/^\s*\d+(\.\d+)?\s*(ms|s|min|h|d)\s*$/, expected)
    .transform((written, context): Millis => {
      const parsed = parseDuration(written);
      if (parsed >= least && parsed <= most) return parsed;
      context.issues.push({ code: "custom", input: written, message: expected });
      return z.NEVER;
    });
}
