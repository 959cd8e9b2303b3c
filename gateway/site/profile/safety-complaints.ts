import type { DeviceClass } from "../../../domain/profile.ts";
import {
  type ActuatorRule,
  findActuatorRule,
  NEVER_STREET_FACING,
  type RequiredCondition,
  STREET_FACING,
} from "../../../domain/safety/actuator-rules.ts";
import type { WrittenPoint, WrittenProfile } from "../profile-schema.ts";
import type { Complaint } from "../source/problem-list.ts";
import type { YamlPath } from "../source/yaml-source.ts";

export interface PlacedComplaint {
  readonly path: YamlPath;
  readonly complaint: Complaint;
}

type JudgedProfile = Pick<WrittenProfile, "driver" | "points" | "interlocks">;

/** What of a profile breaks the safety rules of its class (domain/safety/actuator-rules.ts), each with the rule's reason. */
export function safetyComplaints(
  written: JudgedProfile,
  deviceClass: DeviceClass,
): readonly PlacedComplaint[] {
  const writable = [...written.points.entries()].filter(([, { access }]) => access !== "read");
  const forgetful = NEVER_STREET_FACING[written.driver];
  return writable.flatMap(([index, point]) => {
    const at = ["points", index];
    const streetFacing =
      forgetful !== undefined && STREET_FACING.includes(deviceClass)
        ? [streetComplaint(point, { at, deviceClass, driver: written.driver, why: forgetful })]
        : [];
    const rule = findActuatorRule(deviceClass, point.name);
    return rule === undefined
      ? streetFacing
      : [...streetFacing, ...ruleComplaints(point, rule, { at, written })];
  });
}

interface Placed {
  readonly at: YamlPath;
  readonly written: JudgedProfile;
}

function streetComplaint(
  { name }: WrittenPoint,
  { at, deviceClass, driver, why }: { at: YamlPath; deviceClass: DeviceClass; driver: string; why: string },
): PlacedComplaint {
  const complaint = {
    found: `${name}, commanded on a ${deviceClass} over ${driver}`,
    expected: `no written point on a ${deviceClass} over ${driver}: ${why} (E.7, rule 33)`,
    remedy: "make it access: read, or put the actuator on remote I/O that falls back by itself",
  };
  return { path: [...at, "access"], complaint };
}

function ruleComplaints(point: WrittenPoint, rule: ActuatorRule, placed: Placed): readonly PlacedComplaint[] {
  return [
    ...classComplaint(point, rule, placed),
    ...outputComplaint(point, rule, placed),
    ...restComplaint(point, rule, placed),
    ...rule.requires.flatMap((required) => requiredComplaint(point, rule, { ...placed, required })),
  ];
}

function classComplaint(
  { commandClass }: WrittenPoint,
  { commandClass: least, why }: ActuatorRule,
  { at }: Placed,
) {
  if (commandClass === undefined || commandClass >= least) return [];
  const complaint = {
    found: commandClass,
    expected: `${least}: ${why}`,
    remedy: `write commandClass: ${least}`,
  };
  return [{ path: [...at, "commandClass"], complaint }];
}

function outputComplaint({ name, pulse }: WrittenPoint, { output, why }: ActuatorRule, { at }: Placed) {
  if (output !== "pulse" || pulse !== undefined) return [];
  const complaint = {
    found: `${name}, an output that is held`,
    expected: `an output that falls back by itself: ${why}`,
    remedy: "wire it to a pulse output, and tell its length with pulse: 700 ms",
  };
  return [{ path: [...at, "pulse"], complaint }];
}

function restComplaint({ minInterval }: WrittenPoint, rule: ActuatorRule, { at }: Placed) {
  const least = rule.minInterval;
  if (least === undefined || (minInterval !== undefined && minInterval >= least)) return [];
  const found = minInterval === undefined ? "no minInterval" : `${minInterval / 1_000} s`;
  const expected = `at least ${least / 1_000} s: ${rule.why}`;
  return [
    {
      path: [...at, "minInterval"],
      complaint: { found, expected, remedy: `write minInterval: ${least / 1_000} s` },
    },
  ];
}

function requiredComplaint(
  { name, interlock }: WrittenPoint,
  { why }: ActuatorRule,
  { at, written, required }: Placed & { readonly required: RequiredCondition },
): readonly PlacedComplaint[] {
  const { point, equals, maxAge } = required;
  const conditions = interlock === undefined ? [] : (written.interlocks[interlock]?.all ?? []);
  const condition = conditions.find((each) => each.point === point);
  const isAsked =
    condition !== undefined &&
    condition.writing === undefined &&
    "equals" in condition &&
    condition.equals === equals;
  if (!isAsked) {
    const found = `${name} without the condition ${point}`;
    const expected = `{ point: ${point}, equals: ${equals} } in its interlock: ${why}`;
    const remedy = "add the condition, on a point of this device: a condition of another bus is too late";
    return [{ path: [...at, "interlock"], complaint: { found, expected, remedy } }];
  }
  const index = written.points.findIndex((each) => each.name === point);
  const age = written.points[index]?.maxAge;
  if (maxAge === undefined || age === undefined || age <= maxAge) return [];
  const complaint = {
    found: `${age} ms`,
    expected: `at most ${maxAge} ms: older, ${point} is not known, and ${name} is refused (E.5, rule 26)`,
    remedy: `write maxAge: ${maxAge} ms and pollClass: safety-status`,
  };
  return [{ path: ["points", index, "maxAge"], complaint }];
}
