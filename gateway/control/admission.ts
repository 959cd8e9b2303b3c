import type { Command } from "../../domain/command.ts";
import type { SitePoint } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { findWrongArgument, findWrongChoice } from "../../domain/safety/command-arguments.ts";
import type { PointOfDevice } from "../site/site.ts";
import type { Refusal } from "./control.ts";

/** `typeof` the values of each type. */
const VALUE_TYPES = { number: "number", boolean: "boolean", text: "string" } as const;

/**
 * Whether this value may be brought to this point at all, whoever asks and whenever. Pure; freshness and order are
 * judged by the caller, since they differ between center and local orders.
 */
export function refusalOf(
  found: PointOfDevice | undefined,
  { pointId, value, args }: Pick<Command, "pointId" | "value" | "args">,
): Refusal | null {
  if (found === undefined) {
    return {
      cause: "unknown-point",
      detail: `this gateway has no point ${JSON.stringify(pointId.slice(0, 130))}`,
    };
  }
  const { point } = found;
  const { definition } = point;
  if (definition.access === "read" || definition.commandClass === undefined) {
    return { cause: "not-writable", detail: `${point.id} is read-only` };
  }
  const { args: taken = [], oneOf } = definition;
  return (
    wrongType(point, value) ??
    outOfRange(point, value) ??
    findWrongChoice(point.id, oneOf, value) ??
    findWrongArgument(point.id, taken, args)
  );
}

function wrongType(point: SitePoint, value: PointValue): Refusal | null {
  if (point.definition.type === "action") {
    if (value === true) return null;
    return {
      cause: "wrong-type",
      detail: `${point.id} is run with the value true, not ${JSON.stringify(value)}`,
    };
  }
  const wanted = VALUE_TYPES[point.definition.type];
  if (typeof value === wanted && (typeof value !== "number" || Number.isFinite(value))) return null;
  return {
    cause: "wrong-type",
    detail: `${point.id} takes a ${point.definition.type}, not ${JSON.stringify(value)}`,
  };
}

function outOfRange(point: SitePoint, value: PointValue): Refusal | null {
  const { range, unit } = point.definition;
  if (range === undefined || typeof value !== "number") return null;
  if (value >= range.min && value <= range.max) return null;
  return {
    cause: "out-of-range",
    detail: `${point.id} takes ${range.min} … ${range.max} ${unit}, not ${value}`,
  };
}
