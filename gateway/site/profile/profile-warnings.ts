import type { PointDefinition } from "../../../domain/point.ts";
import { type Profile, settleTime } from "../../../domain/profile.ts";
import { DEFAULT_POLL_INTERVALS_MS } from "../site.ts";
import type { PlacedComplaint } from "./safety-complaints.ts";

/**
 * Traps that a profile which can be used may still walk into: each was met with a real device. One warning a trap, at the
 * first point of it.
 */
export function profileWarnings(profile: Profile): readonly PlacedComplaint[] {
  return [
    ...noProbe(profile),
    ...TRAPS.flatMap((trap) => {
      const caught = [...profile.points.entries()].filter(([, point]) => trap.catches(point, profile));
      const [first] = caught;
      if (first === undefined) return [];
      const names = caught.map(([, { name }]) => name);
      const found = `${names.length === 1 ? names[0] : `${names.length} points (${shorten(names)})`} ${trap.found}`;
      const complaint = { found, expected: trap.expected, remedy: trap.remedy };
      return [{ path: ["points", first[0], ...trap.key], complaint }];
    }),
  ];
}

interface Trap {
  readonly catches: (point: PointDefinition, profile: Profile) => boolean;
  /** Inside the point. */
  readonly key: readonly string[];
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

/** As written, before the driver understood it. */
const written = (point: PointDefinition, key: string): unknown => Object(point.address)[key];
const isRead = ({ access }: PointDefinition): boolean => access !== "write";

const TRAPS: readonly Trap[] = [
  {
    catches: (point) => {
      const register = written(point, "register");
      const first = { holding: 40_001, input: 30_001 }[String(written(point, "table"))];
      return typeof register === "number" && first !== undefined && register >= first;
    },
    key: ["address", "register"],
    found: "at a register above 40000 (holding) or 30000 (input)",
    expected: "addresses as in the frame, from 0: 40001 in a manual is 0",
    remedy: "subtract 40001 or 30001, unless the manual says that it counts from 0",
  },
  {
    catches: (point) => {
      const register = written(point, "register");
      const documented = /register (\d+)/i.exec(point.source)?.[1];
      return typeof register === "number" && register > 255 && Number(documented) === register;
    },
    key: ["address", "register"],
    found: "at the same number that the manual gives",
    expected: "one less where a manual counts registers from 1 (Schneider's 3028 is address 3027)",
    remedy: "read one value that you know on the device, and compare; off by one shows as nonsense",
  },
  {
    catches: (point) =>
      point.type === "number" &&
      isRead(point) &&
      point.sentinels === undefined &&
      point.scale?.kind !== "dali-log" &&
      /^[us](32|64)$/.test(String(written(point, "coding"))),
    key: ["sentinels"],
    found: "read as whole numbers of 32 bits or more, without sentinels",
    expected: 'the patterns by which the device says "no value": often all ones, 429496729.5 V if shown',
    remedy: 'look in the manual for "not available", and name the raw pattern in sentinels',
  },
  {
    catches: (point) =>
      point.type === "number" && isRead(point) && point.range === undefined && point.unit !== "1",
    key: ["range"],
    found: "without range",
    expected: "a range: a value outside is told as uncertain, without one every value is good",
    remedy: "add the range in which the device can be",
  },
  {
    catches: (point) => written(point, "coding") === "float32" && isRead(point) && point.deadband === 0,
    key: ["deadband"],
    found: "floats with deadband 0",
    expected: "a deadband: a float flickers in its last digit, and each flicker would be told",
    remedy: "write the least change that somebody acts on",
  },
  {
    catches: ({ access, commandClass, readBack }) =>
      access !== "read" && commandClass === "K2" && readBack === undefined,
    key: ["commandClass"],
    found: "commanded, and nothing proves it",
    expected: "a readBack: without one every command ends as outcome-unknown, and a person must go and look",
    remedy: "add readBack with the point that shows the effect, if the device has one",
  },
  {
    catches: ({ name, access, type, readBack }) =>
      access === "read-write" && type !== "text" && readBack?.point === name,
    key: ["readBack", "point"],
    found: "proven by reading back what was written",
    expected:
      "another point that shows what the device did: a register that was written mostly just shows it",
    remedy: "name the feedback, if the device has one",
  },
  {
    catches: ({ readBack }, { quirks }) => readBack !== undefined && readBack.within <= settleTime(quirks),
    key: ["readBack", "within"],
    found: "read back for no longer than the device settles",
    expected: "a window longer than settle-before-read-back",
    remedy: "lengthen within",
  },
  {
    catches: (point) => isRead(point) && point.maxAge < 2 * DEFAULT_POLL_INTERVALS_MS[point.pollClass],
    key: ["maxAge"],
    found: "old after less than two polls",
    expected: "a maxAge of at least two poll intervals of its class: one lost frame makes it old otherwise",
    remedy: "lengthen maxAge, or take a faster poll class",
  },
];

function noProbe({ probe, driver }: Profile): readonly PlacedComplaint[] {
  if (probe !== undefined || driver !== "modbus") return [];
  const complaint = {
    found: "no probe",
    expected: "what only this model answers: its model text, or at least a value that must be plausible",
    remedy:
      "add probe: [{ point, matches | equals | oneOf | min and max, why }], unless the map has nothing to tell it by",
  };
  return [{ path: [], complaint }];
}

const SHOWN = 4;

function shorten(names: readonly string[]): string {
  const left = names.length - SHOWN;
  return left > 0 ? `${names.slice(0, SHOWN).join(", ")} and ${left} more` : names.join(", ");
}
