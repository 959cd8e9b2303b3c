import type { DeviceClass } from "../../domain/profile.ts";
import { findUnitMeant } from "../../domain/units.ts";
import { actionComplaints, expectationComplaint } from "./check-actions.ts";
import { interlockComplaints } from "./check-interlocks.ts";
import { counterComplaints } from "./profile/counter-complaints.ts";
import { probeComplaints } from "./profile/probe-complaints.ts";
import { safetyComplaints } from "./profile/safety-complaints.ts";
import { stateComplaints } from "./profile/state-complaints.ts";
import type { WrittenPoint, WrittenProfile } from "./profile-schema.ts";
import { findNearest } from "./source/nearest-word.ts";
import { type Complaint, type ProblemList, show } from "./source/problem-list.ts";
import type { YamlPath, YamlSource } from "./source/yaml-source.ts";

/** What a schema can not say: how the keys of a profile hang together. */
export function checkProfile(
  { written, deviceClass }: { readonly written: WrittenProfile; readonly deviceClass: DeviceClass },
  source: YamlSource,
  problems: ProblemList,
): void {
  const tell: Tell = (path, complaint) => problems.add(source, path, complaint);
  checkParameters(written, tell);
  const seen = new Set<string>();
  for (const [index, point] of written.points.entries()) {
    const at = ["points", index];
    if (seen.has(point.name)) {
      const remedy = "rename one of the two points";
      tell([...at, "name"], {
        found: `a second ${point.name}`,
        expected: "a name that no other point has",
        remedy,
      });
    }
    seen.add(point.name);
    checkValueKeys(point, at, tell);
    checkWriteKeys(point, at, tell);
    checkReadBack(point, written, { at, tell });
  }
  const placed = [
    ...interlockComplaints(written),
    ...actionComplaints(written),
    ...probeComplaints(written),
    ...stateComplaints(written),
    ...counterComplaints(written),
    ...safetyComplaints(written, deviceClass),
  ];
  for (const { path, complaint } of placed) tell(path, complaint);
}

type Tell = (path: YamlPath, complaint: Complaint) => void;

function checkParameters({ parameters }: WrittenProfile, tell: Tell): void {
  for (const [name, { min, max, default: preset }] of Object.entries(parameters)) {
    const at = ["parameters", name];
    if (min > max)
      tell([...at, "min"], {
        found: String(min),
        expected: `at most ${max}, the max`,
        remedy: "swap min and max",
      });
    if (preset === undefined || (preset >= min && preset <= max)) continue;
    tell([...at, "default"], {
      found: String(preset),
      expected: `${min} to ${max}`,
      remedy: "mend the default",
    });
  }
}

/** Keys that only numbers have, and must have. */
function checkValueKeys(point: WrittenPoint, at: YamlPath, tell: Tell): void {
  if (point.type === "number") checkNumberKeys(point, at, tell);
  else checkOtherKeys(point, at, tell);
  checkSafeValue(point, [...at, "safeValue"], tell);
}

function checkNumberKeys({ unit, access, deadband }: WrittenPoint, at: YamlPath, tell: Tell): void {
  if (unit === undefined) {
    const expected = "a UCUM code, e.g. W, V, Cel, %, s, or 1 for a bare number";
    tell([...at, "unit"], { found: "no unit", expected, remedy: "add unit" });
  }
  if (access !== "write" && deadband === undefined) {
    const expected = "the least change worth telling, in the unit; 0 tells every change";
    tell([...at, "deadband"], { found: "no deadband", expected, remedy: "add deadband" });
  }
}

function checkOtherKeys(point: WrittenPoint, at: YamlPath, tell: Tell): void {
  for (const key of ["unit", "deadband", "scale", "sentinels", "range"] as const) {
    if (point[key] === undefined || point[key] === "1") continue;
    // A number that means a state may say that it means nothing.
    if (key === "sentinels" && point.states !== undefined) continue;
    const remedy = `remove ${key}, or make the point a number`;
    tell([...at, key], { at: "key", found: key, expected: `no ${key} on a ${point.type}`, remedy });
  }
}

/** `typeof` the values of each type; an action has none. */
const TYPE_OF = { number: "number", boolean: "boolean", text: "string", action: "undefined" } as const;

function checkSafeValue({ type, safeValue, range }: WrittenPoint, path: YamlPath, tell: Tell): void {
  if (safeValue === undefined) return;
  if (typeof safeValue !== TYPE_OF[type]) {
    tell(path, {
      found: show(safeValue),
      expected: `a ${type}`,
      remedy: "write a value of the point's type",
    });
  }
  const isOutside =
    typeof safeValue === "number" && range !== undefined && (safeValue < range.min || safeValue > range.max);
  if (!isOutside) return;
  const expected = `${range.min} to ${range.max}, the range`;
  tell(path, { found: show(safeValue), expected, remedy: "write a value inside the range" });
}

function checkWriteKeys(point: WrittenPoint, at: YamlPath, tell: Tell): void {
  if (point.access === "read") {
    for (const key of [
      "commandClass",
      "readBack",
      "pulse",
      "interlock",
      "minInterval",
      "safeValue",
    ] as const) {
      if (point[key] === undefined) continue;
      const remedy = `remove ${key}, or make access read-write`;
      tell([...at, key], {
        at: "key",
        found: key,
        expected: `no ${key} on a point that is only read`,
        remedy,
      });
    }
    return;
  }
  if (point.commandClass === undefined) {
    const expected = "K1 (set-point), K2 (momentary) or K3 (hazardous)";
    tell([...at, "commandClass"], { found: "no commandClass", expected, remedy: "add commandClass" });
  }
  if (point.type === "number" && point.range === undefined) {
    const remedy = "add range: a command outside is rejected";
    tell([...at, "range"], {
      found: "no range",
      expected: "{ min, max } on a number that is written",
      remedy,
    });
  }
  // PROTOCOL §8: what a set-point or a hazardous command did is proven by reading it back, never by the acknowledgement.
  if (point.readBack === undefined && (point.commandClass === "K1" || point.commandClass === "K3")) {
    const expected = `a read-back that proves a ${point.commandClass} write`;
    tell([...at, "readBack"], {
      found: "no readBack",
      expected,
      remedy: "add readBack, or make it K2 if it is momentary",
    });
  }
}

interface Place {
  readonly at: YamlPath;
  readonly tell: Tell;
}

function checkReadBack(point: WrittenPoint, written: WrittenProfile, { at, tell }: Place): void {
  const { name, type, unit, readBack } = point;
  if (readBack === undefined) return;
  const path = [...at, "readBack"];
  if (type !== "action" && type !== "number" && readBack.tolerance !== 0) {
    tell([...path, "tolerance"], {
      found: String(readBack.tolerance),
      expected: `0 on a ${type}`,
      remedy: "write 0",
    });
  }
  if (readBack.of === "members") {
    if (written.group === "members") return;
    const remedy = "add group: members to the profile, or remove of";
    tell([...path, "of"], { found: "members", expected: "device, as the profile is no group", remedy });
    return;
  }
  const proof = written.points.find((each) => each.name === readBack.point);
  const misfit = expectationComplaint(point, proof);
  if (misfit !== undefined) tell([...path, ...misfit.path], misfit.complaint);
  const isJudged = misfit !== undefined || (readBack.expects !== undefined && proof?.access !== "write");
  if (isJudged && proof !== undefined) return;
  const complaint = proofComplaint({ name, type, unit, proof: readBack.point }, proof, written);
  if (complaint !== undefined) tell([...path, "point"], complaint);
}

/** What is wrong with the point that is to prove a write; nothing if it can. */
export function proofComplaint(
  written: {
    readonly name: string;
    readonly type: string;
    readonly unit?: string | undefined;
    readonly proof: string;
  },
  proof: { readonly type: string; readonly unit?: string | undefined; readonly access: string } | undefined,
  { points }: { readonly points: readonly { readonly name: string }[] },
): Complaint | undefined {
  const expected = `a point of the profile that is read, with the type and unit of ${written.name}`;
  if (proof === undefined) {
    const nearest = findNearest(
      written.proof,
      points.map(({ name }) => name),
    );
    const remedy = nearest === undefined ? "name a point of the profile" : `did you mean ${nearest}?`;
    return { found: `the unknown point ${written.proof}`, expected, remedy };
  }
  if (proof.access === "write") {
    return {
      found: `${written.proof}, which is never read`,
      expected,
      remedy: "name a point with access read or read-write",
    };
  }
  if (proof.type === written.type && (proof.unit ?? "1") === (written.unit ?? "1")) return undefined;
  const found = `${written.proof}, a ${proof.type} in ${proof.unit ?? "1"}`;
  return { found, expected, remedy: "name a point of the same type and unit" };
}

/** The remedy for a unit that is not UCUM. */
export function unitRemedy(key: string | number | undefined, found: unknown): string | undefined {
  const meant = key === "unit" && typeof found === "string" ? findUnitMeant(found) : undefined;
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}
