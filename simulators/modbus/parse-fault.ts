import { type Fields, InvalidField } from "../input-fields.ts";
import type { FaultAction, FaultSpec } from "./fault-plan.ts";
import { EXCEPTION_CODES } from "./register-bank.ts";

const KINDS = [
  "silent",
  "slow",
  "late",
  "exception",
  "reset",
  "wrong-unit",
  "wrong-function",
  "short-frame",
  "garbage",
  "freeze-level",
] as const;

const DAY_MS = 86_400_000;

/** Reads a fault from JSON fields; the caller has read its own and refuses the unknown ones. @throws {InvalidField} */
export function parseFault(fields: Fields): FaultSpec {
  const action = parseAction(fields);
  const executes = fields.has("executes")
    ? fields.oneOf("executes", ["at-once", "after-delay", "never"])
    : undefined;
  if (executes === "after-delay" && action.kind !== "slow" && action.kind !== "late") {
    throw new InvalidField(fields.pointerTo("executes"), "at-once or never, for a fault without delay");
  }
  const scope = {
    unit: fields.optionalWholeNumber("unit", { min: 0, max: 255 }),
    functions: fields.has("functions") ? parseFunctions(fields) : undefined,
    addressMin: fields.optionalWholeNumber("addressMin", { min: 0, max: 65_535 }),
    addressMax: fields.optionalWholeNumber("addressMax", { min: 0, max: 65_535 }),
    count: fields.optionalWholeNumber("count", { min: 1, max: 1_000_000_000 }),
    durationMs: fields.optionalWholeNumber("durationMs", { min: 1, max: 10 * DAY_MS }),
  };
  return { ...action, ...scope, executes };
}

function parseAction(fields: Fields): FaultAction {
  const kind = fields.oneOf("kind", KINDS);
  if (kind === "slow" || kind === "late") {
    return { kind, delayMs: fields.wholeNumber("delayMs", { min: 1, max: DAY_MS }) };
  }
  if (kind === "reset") {
    return { kind, at: fields.has("at") ? fields.oneOf("at", ["request", "mid-frame"]) : "request" };
  }
  if (kind !== "exception") return { kind };
  const given = fields.wholeNumber("code", { min: 1, max: 11 });
  const code = EXCEPTION_CODES.find((known) => known === given);
  if (code === undefined)
    throw new InvalidField(fields.pointerTo("code"), `one of ${EXCEPTION_CODES.join(", ")}`);
  return { kind, code };
}

function parseFunctions(fields: Fields): readonly number[] {
  return fields.list("functions").map((value, at) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 127) return value;
    throw new InvalidField(`${fields.pointerTo("functions")}/${at}`, "a function code from 1 to 127");
  });
}
