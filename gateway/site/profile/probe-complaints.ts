import type { WrittenPoint, WrittenProfile } from "../profile-schema.ts";
import { findNearest } from "../source/nearest-word.ts";
import { type Complaint, show } from "../source/problem-list.ts";
import type { PlacedComplaint } from "./safety-complaints.ts";

type WrittenCheck = NonNullable<WrittenProfile["probe"]>[number];

/** What is wrong with a probe: a check that can never hold would make the right device the wrong one. */
export function probeComplaints({ probe = [], points }: WrittenProfile): readonly PlacedComplaint[] {
  return probe.flatMap((check, index) => {
    const at = ["probe", index];
    const point = points.find(({ name }) => name === check.point);
    if (point === undefined || point.access === "write" || point.type === "action" || point.event === true) {
      return [{ path: [...at, "point"], complaint: unreadable(check.point, points) }];
    }
    return misfits(check, point).map(({ key, complaint }) => ({ path: [...at, key], complaint }));
  });
}

function unreadable(name: string, points: readonly WrittenPoint[]): Complaint {
  const readable = points.filter(({ access, type }) => access !== "write" && type !== "action");
  const nearest = findNearest(
    name,
    readable.map((point) => point.name),
  );
  return {
    found: show(name),
    expected: "a point of the profile that can be read",
    remedy: nearest === undefined ? "name a point of the profile" : `did you mean ${nearest}?`,
  };
}

interface Misfit {
  readonly key: string;
  readonly complaint: Complaint;
}

const TYPE_OF = { number: "number", boolean: "boolean", text: "string", action: "boolean" } as const;

function misfits(check: WrittenCheck, { type, name }: WrittenPoint): readonly Misfit[] {
  const wrong = (key: string, value: unknown): Misfit => ({
    key,
    complaint: { found: show(value), expected: `a ${type}, as ${name} is`, remedy: `write a ${type}` },
  });
  if ("equals" in check) return typeof check.equals === TYPE_OF[type] ? [] : [wrong("equals", check.equals)];
  if ("oneOf" in check) {
    const misfit = check.oneOf.find((value) => typeof value !== TYPE_OF[type]);
    return misfit === undefined ? [] : [wrong("oneOf", misfit)];
  }
  if ("matches" in check) return patternMisfits(check.matches, type, wrong);
  if (type !== "number") return [wrong("min", check.min)];
  if (check.min <= check.max) return [];
  const expected = `at most ${check.max}, the max`;
  return [{ key: "min", complaint: { found: show(check.min), expected, remedy: "swap min and max" } }];
}

function patternMisfits(
  pattern: string,
  type: WrittenPoint["type"],
  wrong: (key: string, value: unknown) => Misfit,
): readonly Misfit[] {
  if (type !== "text") return [wrong("matches", pattern)];
  try {
    new RegExp(pattern, "u");
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const expected = "a regular expression";
    return [{ key: "matches", complaint: { found: reason, expected, remedy: "mend the expression" } }];
  }
}
