import { isAlarmPoint } from "../store/alarm-points.ts";
import type { ProfilePointRow } from "../store/views/console-places.ts";

/** Which points of a device the map speaks of. Null: it has none of that kind. */
export interface PointChoice {
  /** Shown as colour and brightness, and whose age is the place's age. */
  readonly level: string | null;
  /** What the command panel moves first. */
  readonly command: string | null;
  /** Booleans that mean trouble when true. At most 40: a cabinet has that many breakers and contactors. */
  readonly alarms: readonly string[];
}

const ALARMS_MAX = 40;
const SET_POINTS = ["dim-level", "level"];
const SHOWN = ["actual-level", "level", "state"];
/** What people ask of such a device first: whether the way is free, what the signals do. The first that it has. */
const SHOWN_OF_CLASS: Readonly<Record<string, readonly string[]>> = {
  barrier: ["open-limit"],
  bollard: ["lowered"],
  "access-point": ["door-open"],
  "traffic-cabinet": ["functional-position", "flashing"],
};

/** The same for all devices of a profile, so it is made once a profile. */
export function choosePoints(points: readonly ProfilePointRow[]): PointChoice {
  const command = best(points.filter(isCommandable), commandRank);
  return {
    level: chooseLevel(points, command),
    command: command?.name ?? null,
    alarms: points
      .filter(isAlarmPoint)
      .map(({ name }) => name)
      .slice(0, ALARMS_MAX),
  };
}

/** What proves a command also shows the device; a device without commands shows its first readable point. */
function chooseLevel(
  points: readonly ProfilePointRow[],
  command: ProfilePointRow | undefined,
): string | null {
  const ofClass = SHOWN_OF_CLASS[points[0]?.class ?? ""] ?? [];
  const known = ofClass.find((name) => points.some((point) => point.name === name));
  if (known !== undefined) return known;
  const proof = points.find(({ name, access }) => name === command?.read_back && access !== "write");
  const readable = points.filter(({ access, sweep }) => access !== "write" && sweep !== null);
  return (proof ?? best(readable, levelRank))?.name ?? null;
}

function isCommandable({ command_class, access }: ProfilePointRow): boolean {
  return command_class !== null && access !== "read";
}

function commandRank({ name, unit, type }: ProfilePointRow): number {
  if (SET_POINTS.includes(name)) return SET_POINTS.indexOf(name);
  if (name.includes("contactor")) return 5;
  if (unit === "%") return 6;
  return type === "boolean" ? 7 : 8;
}

function levelRank({ name, unit, type }: ProfilePointRow): number {
  if (SHOWN.includes(name)) return SHOWN.indexOf(name);
  if (/feedback/.test(name) && type === "boolean") return 5;
  return unit === "%" && type === "number" ? 6 : 7;
}

/** The first of the lowest rank. */
function best(
  points: readonly ProfilePointRow[],
  rank: (point: ProfilePointRow) => number,
): ProfilePointRow | undefined {
  return [...points].sort((left, right) => rank(left) - rank(right))[0];
}
