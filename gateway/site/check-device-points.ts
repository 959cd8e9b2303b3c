import { isEpochOf, type PointDefinition } from "../../domain/point.ts";
import type { Profile } from "../../domain/profile.ts";
import { findNearest } from "./source/nearest-word.ts";
import type { Complaint } from "./source/problem-list.ts";

/** What is wrong with one name in the `points` of a device. */
export interface PointsComplaint {
  /** In the list. */
  readonly index: number;
  readonly complaint: Complaint;
}

/** A device may have fewer points than its profile, but none that its profile lacks, and none that can not be proven. */
export function devicePointsComplaints(
  points: readonly string[],
  profile: Profile,
): readonly PointsComplaint[] {
  const { id, points: defined } = profile;
  const byName = new Map(defined.map((point) => [point.name, point]));
  return points.flatMap((name, index) => {
    const point = byName.get(name);
    const complaint =
      point === undefined
        ? unknownPoint(name, id, [...byName.keys()])
        : (repeated(points, index) ??
          unproven(point, points) ??
          unguarded(point, points) ??
          unremembered(point, profile, points));
    return complaint === undefined ? [] : [{ index, complaint }];
  });
}

function unknownPoint(name: string, profileId: string, known: readonly string[]): Complaint {
  const nearest = findNearest(name, known);
  return {
    found: `the unknown point ${name}`,
    expected: `a point of ${profileId}`,
    remedy:
      nearest === undefined ? `remove it, or name one of ${known.join(", ")}` : `did you mean ${nearest}?`,
  };
}

function repeated(points: readonly string[], index: number): Complaint | undefined {
  const name = points[index] ?? "";
  if (points.indexOf(name) === index) return undefined;
  return { found: `${name} twice`, expected: "each point once", remedy: "remove one of the two" };
}

/** Without its read-back no command to it could succeed. What the members of a group prove is checked with the group. */
function unproven({ name, readBack }: PointDefinition, points: readonly string[]): Complaint | undefined {
  if (readBack === undefined || readBack.of === "members" || points.includes(readBack.point))
    return undefined;
  return {
    found: `${name} without ${readBack.point}, which proves it`,
    expected: `${readBack.point} in the list too`,
    remedy: `add ${readBack.point} to points, or remove ${name}`,
  };
}

/** Without the points of its interlock no command to it could ever be permitted. */
function unguarded({ name, interlock }: PointDefinition, points: readonly string[]): Complaint | undefined {
  const missing = interlock?.all.find(({ point }) => !points.includes(point))?.point;
  if (missing === undefined) return undefined;
  return {
    found: `${name} without ${missing}, which its interlock asks`,
    expected: `${missing} in the list too`,
    remedy: `add ${missing} to points, or remove ${name}`,
  };
}

/** A total goes on after a restart by its epoch, and an epoch alone says nothing. */
function unremembered(
  { name, counter }: PointDefinition,
  { points: defined }: Profile,
  points: readonly string[],
): Complaint | undefined {
  if (counter === undefined) return undefined;
  const partner =
    "epochOf" in counter ? counter.epochOf : defined.find((other) => isEpochOf(other, name))?.name;
  if (partner === undefined || points.includes(partner)) return undefined;
  return {
    found: `${name} without ${partner}, with which it counts`,
    expected: `${partner} in the list too`,
    remedy: `add ${partner} to points, or remove ${name}`,
  };
}
