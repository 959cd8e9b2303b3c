import type { WrittenArgument, WrittenPoint, WrittenProfile } from "./profile-schema.ts";
import { type Complaint, show } from "./source/problem-list.ts";
import type { YamlPath } from "./source/yaml-source.ts";

interface PlacedComplaint {
  readonly path: YamlPath;
  readonly complaint: Complaint;
}

/** What is wrong with actions and their arguments, with events, and with what is told as a pseudonym. */
export function actionComplaints({ points, interlocks }: WrittenProfile): readonly PlacedComplaint[] {
  const asked = new Set(
    [
      ...points.flatMap(({ readBack }) => readBack?.point ?? []),
      ...Object.values(interlocks).flatMap(({ all }) => all.map(({ point }) => point)),
    ].filter((name) => name !== undefined),
  );
  return points.flatMap((point, index) =>
    [
      ...kindComplaints(point),
      ...(point.args ?? []).flatMap((argument, place) =>
        argumentComplaints(argument, point.args ?? []).map(({ path, complaint }) => ({
          path: ["args", place, ...path],
          complaint,
        })),
      ),
      ...toldComplaints(point, asked),
    ].map(({ path, complaint }) => ({ path: ["points", index, ...path], complaint })),
  );
}

/** What is wrong with what a read-back is to show; `path` inside the read-back. */
export function expectationComplaint(
  { type, args, readBack, name }: WrittenPoint,
  proof: WrittenPoint | undefined,
): PlacedComplaint | undefined {
  const expects = readBack?.expects;
  if (expects === undefined) {
    if (type !== "action") return undefined;
    const expected = "what the point shows once the action is done: { argument: … } or { value: … }";
    return {
      path: ["expects"],
      complaint: {
        found: "no expects",
        expected,
        remedy: `add expects: an action like ${name} has no value`,
      },
    };
  }
  if ("value" in expects) {
    if (proof === undefined || typeof expects.value === TYPE_OF[proof.type]) return undefined;
    return { path: ["expects", "value"], complaint: wrongValue(expects.value, proof.type) };
  }
  return argumentProof(expects.argument, args ?? [], proof);
}

const TYPE_OF = { number: "number", boolean: "boolean", text: "string", action: "boolean" } as const;

function argumentProof(
  name: string,
  args: readonly WrittenArgument[],
  proof: WrittenPoint | undefined,
): PlacedComplaint | undefined {
  const path = ["expects", "argument"];
  const argument = args.find((each) => each.name === name);
  if (argument === undefined) {
    const known = args.map((each) => each.name).join(", ") || "it has none";
    const remedy = "name an argument, or write { value: … }";
    return { path, complaint: { found: name, expected: `an argument of the action: ${known}`, remedy } };
  }
  if (proof === undefined) return undefined;
  if (proof.type === argument.type && (proof.unit ?? "1") === (argument.unit ?? "1")) return undefined;
  const expected = `a ${proof.type} in ${proof.unit ?? "1"}, as ${proof.name} is`;
  const found = `${name}, a ${argument.type} in ${argument.unit ?? "1"}`;
  return {
    path,
    complaint: { found, expected, remedy: "prove it by a point of the argument's type and unit" },
  };
}

function kindComplaints({ type, access, args }: WrittenPoint): readonly PlacedComplaint[] {
  if (type === "action" && access !== "write") {
    const complaint = { found: access, expected: "write on an action", remedy: "write access: write" };
    return [{ path: ["access"], complaint }];
  }
  if (type === "action" || args === undefined) return [];
  const complaint = {
    at: "key",
    found: "args",
    expected: `no args on a ${type}`,
    remedy: "remove args, or make the point an action",
  } as const;
  return [{ path: ["args"], complaint }];
}

function argumentComplaints(
  argument: WrittenArgument,
  all: readonly WrittenArgument[],
): readonly PlacedComplaint[] {
  const { name, type, oneOf } = argument;
  const complaints = [...(type === "number" ? numberComplaints(argument) : otherComplaints(argument))];
  if (all.filter((each) => each.name === name).length > 1) {
    const complaint = { found: `${name} twice`, expected: "each name once", remedy: "rename one of the two" };
    complaints.push({ path: ["name"], complaint });
  }
  const misfit = (oneOf ?? []).findIndex((value) => typeof value !== TYPE_OF[type]);
  if (misfit >= 0) complaints.push({ path: ["oneOf", misfit], complaint: wrongValue(oneOf?.[misfit], type) });
  return complaints;
}

function numberComplaints({ unit, range, oneOf }: WrittenArgument): readonly PlacedComplaint[] {
  const complaints: PlacedComplaint[] = [];
  if (unit === undefined) {
    const expected = "a UCUM code, e.g. min, s, %, or 1 for a bare number";
    complaints.push({ path: ["unit"], complaint: { found: "no unit", expected, remedy: "add unit" } });
  }
  if (range === undefined && oneOf === undefined) {
    const remedy = "add range or oneOf: an argument outside is rejected";
    complaints.push({
      path: ["range"],
      complaint: { found: "no range", expected: "{ min, max } on a number", remedy },
    });
  }
  return complaints;
}

function otherComplaints(argument: WrittenArgument): readonly PlacedComplaint[] {
  return (["unit", "range"] as const)
    .filter((key) => argument[key] !== undefined)
    .map((key) => ({
      path: [key],
      complaint: {
        at: "key",
        found: key,
        expected: `no ${key} on a ${argument.type}`,
        remedy: `remove ${key}`,
      },
    }));
}

/** Events and pseudonyms are only looked at: neither is a state that could prove or permit a write. */
function toldComplaints(point: WrittenPoint, asked: ReadonlySet<string>): readonly PlacedComplaint[] {
  const { name, type, access, event, privacy } = point;
  const complaints: PlacedComplaint[] = [];
  for (const key of ["event", "privacy"] as const) {
    if (point[key] === undefined) continue;
    if (access !== "read") {
      const remedy = `remove ${key}, or make access read`;
      const complaint = {
        at: "key",
        found: key,
        expected: "only on a point that is only read",
        remedy,
      } as const;
      complaints.push({ path: [key], complaint });
    }
    if (asked.has(name)) {
      const expected = `no ${key} on a point that proves or permits a write`;
      const complaint = { at: "key", found: key, expected, remedy: "let another point prove it" } as const;
      complaints.push({ path: [key], complaint });
    }
  }
  if (privacy !== undefined && type !== "text") {
    const complaint = {
      found: `privacy on a ${type}`,
      expected: "a text",
      remedy: "make it a text: a pseudonym is one",
    };
    complaints.push({ path: ["privacy"], complaint });
  }
  if (event !== undefined && point.deadband !== undefined && point.deadband > 0) {
    const complaint = {
      found: show(point.deadband),
      expected: "0: each event is told",
      remedy: "write deadband: 0",
    };
    complaints.push({ path: ["deadband"], complaint });
  }
  return complaints;
}

function wrongValue(value: unknown, type: WrittenPoint["type"]): Complaint {
  return { found: show(value), expected: `a ${type}`, remedy: `write a ${type}` };
}
