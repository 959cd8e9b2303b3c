import { expectedValues } from "../../domain/safety/interlock.ts";
import type { WrittenPoint, WrittenProfile } from "./profile-schema.ts";
import { findNearest } from "./source/nearest-word.ts";
import { type Complaint, show } from "./source/problem-list.ts";
import type { YamlPath } from "./source/yaml-source.ts";

interface PlacedComplaint {
  readonly path: YamlPath;
  readonly complaint: Complaint;
}

/** What is wrong with the interlocks of a profile: a condition that can never be known would hold its points for ever. */
export function interlockComplaints(written: WrittenProfile): readonly PlacedComplaint[] {
  const names = Object.keys(written.interlocks);
  const used = written.points.flatMap((point, index) => useComplaint(point, index, names));
  const conditions = names.flatMap((name) => conditionComplaints(name, written));
  const idle = names
    .filter((name) => written.points.every(({ interlock }) => interlock !== name))
    .map((name): PlacedComplaint => {
      const remedy = "name it in the interlock of a point, or remove it";
      const complaint = {
        at: "key",
        found: name,
        expected: "an interlock that a point names",
        remedy,
      } as const;
      return { path: ["interlocks", name], complaint };
    });
  // A misspelt use would leave its interlock idle too: that is one mistake.
  return [...used, ...conditions, ...(used.length > 0 ? [] : idle)];
}

function useComplaint(
  { interlock }: WrittenPoint,
  index: number,
  names: readonly string[],
): readonly PlacedComplaint[] {
  if (interlock === undefined || names.includes(interlock)) return [];
  const complaint = unknown("interlock", interlock, { known: names, expected: "one of interlocks" });
  return [{ path: ["points", index, "interlock"], complaint }];
}

function conditionComplaints(
  name: string,
  { interlocks, points }: WrittenProfile,
): readonly PlacedComplaint[] {
  const users = points.filter((point) => point.interlock === name);
  return (interlocks[name]?.all ?? []).flatMap((condition, index) => {
    const path = ["interlocks", name, "all", index];
    const point = points.find((each) => each.name === condition.point);
    if (point === undefined || point.access === "write" || point.type === "action") {
      const expected = "a point of the profile that is read";
      const known = points.filter(({ access }) => access !== "write").map((each) => each.name);
      return [
        { path: [...path, "point"], complaint: unknown("point", condition.point, { known, expected }) },
      ];
    }
    const misfits = users.filter(
      ({ type }) => condition.writing !== undefined && !fits(condition.writing, type),
    );
    return [
      ...expectedValues(condition)
        .filter((value) => !fits(value, point.type))
        .map((value) => ({
          path: [...path, "oneOf" in condition ? "oneOf" : "equals"],
          complaint: wrongValue(value, point),
        })),
      ...misfits.map((user) => ({
        path: [...path, "writing"],
        complaint: wrongValue(condition.writing, user),
      })),
    ];
  });
}

function fits(value: unknown, type: WrittenPoint["type"]): boolean {
  return typeof value === { number: "number", boolean: "boolean", text: "string", action: "boolean" }[type];
}

function wrongValue(value: unknown, { name, type }: WrittenPoint): Complaint {
  return {
    found: show(value),
    expected: `a ${type}, as ${name} is`,
    remedy: "write a value of the point's type",
  };
}

function unknown(
  what: string,
  name: string,
  { known, expected }: { readonly known: readonly string[]; readonly expected: string },
): Complaint {
  const nearest = findNearest(name, known);
  const remedy = nearest === undefined ? `name ${expected}` : `did you mean ${nearest}?`;
  return { found: `the unknown ${what} ${name}`, expected, remedy };
}
