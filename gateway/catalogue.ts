import type { Device } from "../domain/device.ts";
import type { PointId, PointNumber } from "../domain/ids.ts";
import { type ArgumentDefinition, CHOICES_MAX, type PointDefinition } from "../domain/point.ts";
import type { Catalogue, CatalogueDevice, CatalogueKind, CataloguePoint } from "../domain/wire/catalogue.ts";
import { isConfirmed } from "./field/unit/unit-points.ts";
import type { FieldPlans } from "./field-plans.ts";
import type { Site } from "./site/site.ts";

/**
 * What the center is told of this site's devices. Equal sites give equal catalogues, byte for byte.
 * @param numbered all points that the store ever numbered: what the site no longer has is told as retired.
 */
export function catalogueOf(
  site: Site,
  { sweepOf }: Pick<FieldPlans, "sweepOf">,
  numbered: ReadonlyMap<PointId, PointNumber>,
): Catalogue {
  const retired = retiredOf(site, numbered).toSorted((one, other) => one.number - other.number);
  const kinds = new KindTable();
  const devices = site.devices.map((device) => deviceEntry(device, kinds, sweepOf));
  return { siteId: site.siteId, name: site.name, kinds: kinds.told, devices, retired };
}

/** Numbers are given one after the other, so a flag each is less than a set of 153,000. */
function retiredOf(site: Site, numbered: ReadonlyMap<PointId, PointNumber>): Catalogue["retired"] {
  const isLiving: boolean[] = [];
  for (const { points } of site.devices) for (const { number } of points) isLiving[number] = true;
  const retired: Catalogue["retired"][number][] = [];
  for (const [pointId, number] of numbered) if (isLiving[number] !== true) retired.push({ pointId, number });
  return retired;
}

function deviceEntry(device: Device, kinds: KindTable, sweepOf: FieldPlans["sweepOf"]): CatalogueDevice {
  const { id, name, position, parent, members, points } = device;
  const sweeps: CatalogueDevice["sweeps"] = {};
  for (const { number, definition } of points) {
    const sweep = sweepOf(number);
    if (sweep !== null) sweeps[definition.pollClass] = sweep;
  }
  return {
    id,
    name,
    kind: kinds.indexOf(device),
    position: position === undefined ? null : { ...position },
    parent: parent ?? null,
    members: [...members],
    numbers: points.map(({ number }) => number),
    sweeps,
  };
}

/** The kinds in the order in which the site's devices name them first. */
class KindTable {
  readonly told: CatalogueKind[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #pointKeys = new Map<string, number>();
  /** Definitions are shared by devices; those that differ in their address alone are told alike. */
  readonly #keyOfDefinition = new Map<PointDefinition, number>();

  indexOf(device: Device): number {
    const { service, profileId, profileHash, points } = device;
    const keys = points.map(({ definition }) => this.#keyOf(definition));
    const key = `${profileId} ${profileHash} ${service} ${keys.join(",")}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const told = points.map(({ definition }) => pointEntry(definition));
    const index = this.told.push({ class: device.class, service, profileId, profileHash, points: told }) - 1;
    this.#indexes.set(key, index);
    return index;
  }

  #keyOf(definition: PointDefinition): number {
    const known = this.#keyOfDefinition.get(definition);
    if (known !== undefined) return known;
    const told = JSON.stringify(pointEntry(definition));
    const key = this.#pointKeys.get(told) ?? this.#pointKeys.size;
    this.#pointKeys.set(told, key);
    this.#keyOfDefinition.set(definition, key);
    return key;
  }
}

function pointEntry(definition: PointDefinition): CataloguePoint {
  const { name, type, unit, access, range, commandClass, pollClass, maxAge, readBack } = definition;
  const { args = [], oneOf } = definition;
  const asked = [...new Set((definition.interlock?.all ?? []).map(({ point }) => point))];
  return {
    name,
    type,
    unit,
    access,
    range: range === undefined ? null : { ...range },
    commandClass: commandClass ?? null,
    pollClass,
    maxAgeMs: maxAge,
    polled: isConfirmed(definition),
    readBack: readBack?.point ?? null,
    ...(asked.length > 0 && { interlock: asked }),
    ...(type === "action" && { args: args.map(argumentEntry) }),
    // More than the catalogue carries is no list to choose from: the gateway judges alone.
    ...(oneOf !== undefined && oneOf.length <= CHOICES_MAX && { oneOf: [...oneOf] }),
    ...(readBack?.expects !== undefined && { expects: { ...readBack.expects } }),
  };
}

function argumentEntry(argument: ArgumentDefinition): NonNullable<CataloguePoint["args"]>[number] {
  const { name, type, unit, range, oneOf } = argument;
  return {
    ...{ name, type, unit },
    ...(range !== undefined && { range: { ...range } }),
    ...(oneOf !== undefined && { oneOf: [...oneOf] }),
  };
}
