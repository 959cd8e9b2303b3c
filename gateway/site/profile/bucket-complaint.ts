import type { PointDefinition, PollClass } from "../../../domain/point.ts";
import type { DeviceClass } from "../../../domain/profile.ts";
import { type Millis, Seconds } from "../../../domain/time.ts";
import type { Complaint } from "../source/problem-list.ts";

/** Counts of people leave the edge in buckets of at least this length: shorter ones single people out (DOMAIN F.1, rule 4). */
const BUCKET = Seconds(60);

/** Why the bus may not ask a counter's totals so often; nothing if it may. */
export function bucketComplaint(
  deviceClass: DeviceClass,
  definitions: readonly PointDefinition[],
  bus: { readonly id: string; readonly pollIntervals: Readonly<Record<PollClass, Millis>> },
): Complaint | undefined {
  if (deviceClass !== "counter") return undefined;
  const fast = definitions.find(
    ({ type, pollClass }) => type === "number" && bus.pollIntervals[pollClass] < BUCKET,
  );
  if (fast === undefined) return undefined;
  const interval = bus.pollIntervals[fast.pollClass] / 1_000;
  return {
    found: `bus ${bus.id}, which polls ${fast.pollClass} every ${interval} s, and so ${fast.name}`,
    expected: "at least 60 s between two counts of people: shorter ones single people out",
    remedy: `raise pollIntervals/${fast.pollClass} of the bus to 60 s, or give the counter a bus of its own`,
  };
}
