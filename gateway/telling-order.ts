import type { PointNumber } from "../domain/ids.ts";
import { POLL_CLASSES } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import type { FieldPlans } from "./field-plans.ts";
import type { Site } from "./site/site.ts";
import type { TellingOrder } from "./uplink/uplink-parts.ts";

const LAST_RANK = 1 + POLL_CLASSES.length;

/**
 * Control state first, then what is polled more urgently. Control state is what an order rests on: points that can be commanded,
 * those that prove it, and those an interlock asks.
 */
export function tellingOrderOf(
  { devices, profiles }: Pick<Site, "devices" | "profiles">,
  { sweepOf }: Pick<FieldPlans, "sweepOf">,
): TellingOrder {
  const controlOf = new Map(profiles.map((profile) => [profile.id, controlNames(profile)]));
  const ranks: number[] = [];
  const control: PointNumber[] = [];
  for (const { profileId, points } of devices) {
    const names = controlOf.get(profileId);
    for (const { number, definition } of points) {
      const isControl = names?.has(definition.name) === true;
      ranks[number] = isControl ? 0 : 1 + POLL_CLASSES.indexOf(definition.pollClass);
      if (isControl && sweepOf(number) !== null) control.push(number);
    }
  }
  return { rank: (point) => ranks[point] ?? LAST_RANK, control };
}

function controlNames({ points }: Profile): ReadonlySet<string> {
  const names = points
    .filter(({ commandClass }) => commandClass !== undefined)
    .flatMap(({ name, readBack, interlock }) => [
      name,
      ...(readBack === undefined ? [] : [readBack.point]),
      ...(interlock?.all ?? []).map(({ point }) => point),
    ]);
  return new Set(names);
}
