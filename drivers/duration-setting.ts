import { z } from "zod";
import { type Millis, parseDuration } from "../domain/time.ts";

/** A duration as a site file writes it, from `min` to `max`, both with their unit: `"20 ms"`. */
export function durationSetting(min: string, max: string, example: string) {
  const expected = `a duration from ${min} to ${max} with its unit, e.g. "${example}"`;
  const least = parseDuration(min);
  const most = parseDuration(max);
  return z.string(expected).transform((text, context): Millis => {
    const parsed = findDuration(text);
    if (parsed !== undefined && parsed >= least && parsed <= most) return parsed;
    context.issues.push({ code: "custom", input: text, message: expected });
    return z.NEVER;
  });
}

function findDuration(text: string): Millis | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}
