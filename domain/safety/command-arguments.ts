import type { RejectionCause } from "../command.ts";
import type { ArgumentDefinition } from "../point.ts";
import type { PointValue } from "../reading.ts";

/** `typeof` the values of each type. */
const VALUE_TYPES = { number: "number", boolean: "boolean", text: "string" } as const;

/** Why an order can not be carried out with what it gives. */
export interface WrongArgument {
  readonly cause: Extract<RejectionCause, "wrong-type" | "out-of-range">;
  readonly detail: string;
}

/**
 * What is wrong with the arguments that an order gives to the action `pointId`; `null`: nothing. Pure, and the same on both
 * sides, so that the center refuses nothing that the gateway takes.
 */
export function findWrongArgument(
  pointId: string,
  args: readonly ArgumentDefinition[],
  given: readonly PointValue[],
): WrongArgument | null {
  if (given.length !== args.length) {
    const names = args.map(({ name }) => name).join(", ");
    const takes = args.length === 0 ? "no arguments" : `${args.length} arguments (${names})`;
    return { cause: "wrong-type", detail: `${pointId} takes ${takes}, not ${given.length}` };
  }
  for (const [index, argument] of args.entries()) {
    const wrong = judgeArgument(`${pointId}, argument ${argument.name}`, argument, given[index] ?? false);
    if (wrong !== null) return wrong;
  }
  return null;
}

/** Whether `value` is one of those that `place` takes, where only some are taken. */
export function findWrongChoice(
  place: string,
  oneOf: readonly PointValue[] | undefined,
  value: PointValue,
): WrongArgument | null {
  if (oneOf === undefined || oneOf.includes(value)) return null;
  const choices = oneOf.map((choice) => JSON.stringify(choice)).join(", ");
  return { cause: "out-of-range", detail: `${place} takes one of ${choices}, not ${JSON.stringify(value)}` };
}

function judgeArgument(
  place: string,
  { type, unit, range, oneOf }: ArgumentDefinition,
  value: PointValue,
): WrongArgument | null {
  const isRight = typeof value === VALUE_TYPES[type] && (typeof value !== "number" || Number.isFinite(value));
  if (!isRight)
    return { cause: "wrong-type", detail: `${place} takes a ${type}, not ${JSON.stringify(value)}` };
  const unlisted = findWrongChoice(place, oneOf, value);
  if (unlisted !== null) return unlisted;
  if (range === undefined || typeof value !== "number" || (value >= range.min && value <= range.max))
    return null;
  return {
    cause: "out-of-range",
    detail: `${place} takes ${range.min} … ${range.max} ${unit}, not ${value}`,
  };
}
