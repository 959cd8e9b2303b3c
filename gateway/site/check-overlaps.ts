import type { PointDefinition } from "../../domain/point.ts";
import type { Footprint } from "../../drivers/driver.ts";
import type { ResolvedDevice } from "./resolve-devices.ts";
import { type ProblemList, show } from "./source/problem-list.ts";
import type { YamlSource } from "./source/yaml-source.ts";

/**
 * Refuses two points on one place of a unit. Allowed are bits of one register that do not meet, and points that are
 * only read by devices of different profiles: a bridge's failure bitmap beside the lamps' own bits. A counter's total and
 * epoch stand at the place of the number that the device shows.
 */
export function checkOverlaps(
  devices: readonly ResolvedDevice[],
  { source, problems }: { readonly source: YamlSource; readonly problems: ProblemList },
): void {
  for (const places of placesBySpace(devices).values()) {
    for (const [earlier, later] of overlapping(places)) {
      if (mayShare(earlier, later)) continue;
      if (earlier.of === later.of) tellInside(earlier, later, problems);
      else tellBetween(earlier, later, { source, problems });
    }
  }
}

interface Place {
  readonly of: ResolvedDevice;
  readonly point: PointDefinition;
  readonly footprint: Footprint;
}

function placesBySpace(devices: readonly ResolvedDevice[]): ReadonlyMap<string, readonly Place[]> {
  const spaces = new Map<string, Place[]>();
  for (const of of devices) {
    for (const [index, point] of of.device.points.entries()) {
      const footprint = of.footprints[index];
      if (footprint === undefined) continue;
      const key = `${of.device.busId} ${of.device.unitAddress} ${footprint.space}`;
      const places = spaces.get(key);
      const place = { of, point: point.definition, footprint };
      if (places === undefined) spaces.set(key, [place]);
      else places.push(place);
    }
  }
  return spaces;
}

/** Pairs that meet, the one written first before the other. Places are few at any address, so the open ones are few. */
function* overlapping(places: readonly Place[]): Generator<readonly [Place, Place]> {
  const order = new Map(places.map((place, index) => [place, index]));
  const sorted = places.toSorted((one, other) => one.footprint.first - other.footprint.first);
  let open: readonly Place[] = [];
  for (const place of sorted) {
    open = open.filter(({ footprint }) => footprint.first + footprint.count > place.footprint.first);
    for (const other of open) {
      if (!meet(place.footprint, other.footprint)) continue;
      yield (order.get(other) ?? 0) < (order.get(place) ?? 0) ? [other, place] : [place, other];
    }
    open = [...open, place];
  }
}

function meet(one: Footprint, other: Footprint): boolean {
  const isOneRegister = one.first === other.first && one.count === 1 && other.count === 1;
  if (!isOneRegister || one.bitMask === undefined || other.bitMask === undefined) return true;
  return (one.bitMask & other.bitMask) !== 0;
}

function mayShare(one: Place, other: Place): boolean {
  const isOnlyRead = one.point.access === "read" && other.point.access === "read";
  const isCounted = one.point.counter !== undefined || other.point.counter !== undefined;
  return isOnlyRead && (isCounted || one.of.loaded !== other.of.loaded);
}

function tellInside(earlier: Place, later: Place, problems: ProblemList): void {
  const { source, profile } = later.of.loaded;
  const index = profile.points.findIndex(({ name }) => name === later.point.name);
  problems.add(source, ["points", index, "address"], {
    found: `${later.point.name} at ${placeText(later.footprint)}, where ${earlier.point.name} is`,
    expected: "a place of its own, or bits of one register that do not meet",
    remedy: "mend the address of one of the two",
  });
}

/** Told once a pair of devices: with one address wrong, mostly all are. */
function tellBetween(
  earlier: Place,
  later: Place,
  { source, problems }: { readonly source: YamlSource; readonly problems: ProblemList },
): void {
  const [one, other] = [earlier.of, later.of];
  const isTwice = one.loaded === other.loaded && JSON.stringify(one.values) === JSON.stringify(other.values);
  const set = Object.entries(other.values).map(([name, value]) => `${name} ${show(value)}`);
  const same = [`unit ${other.device.unitAddress}`, ...set].join(", ");
  problems.add(source, other.expanded.path, {
    found: isTwice
      ? `${other.device.id} with the same ${same} as ${one.device.id}`
      : `${other.device.id}/${later.point.name} at ${placeText(later.footprint)} of unit ${other.device.unitAddress}, where ${one.device.id}/${earlier.point.name} is`,
    expected: `a place that ${one.device.id} does not have`,
    remedy: "mend the bus, unit or parameters of one of the two",
  });
}

function placeText({ space, first, count }: Footprint): string {
  return count === 1 ? `${space}:${first}` : `${space}:${first}-${first + count - 1}`;
}
