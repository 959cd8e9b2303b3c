import type { Device } from "../domain/device.ts";
import type { PointId, PointNumber } from "../domain/ids.ts";
import type { SitePoint } from "../domain/point.ts";
import type { Catalogue, CatalogueDevice, CataloguePoint } from "../domain/wire/catalogue.ts";
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
  const living = new Set(site.devices.flatMap((device) => device.points.map(({ number }) => number)));
  const retired = [...numbered]
    .filter(([, number]) => !living.has(number))
    .map(([pointId, number]) => ({ pointId, number }))
    .toSorted((one, other) => one.number - other.number);
  const devices = site.devices.map((device) => deviceEntry(device, sweepOf));
  return { siteId: site.siteId, name: site.name, devices, retired };
}

function deviceEntry(device: Device, sweepOf: FieldPlans["sweepOf"]): CatalogueDevice {
  const { id, name, service, profileId, profileHash, position, parent, members, points } = device;
  return {
    id,
    name,
    class: device.class,
    service,
    profileId,
    profileHash,
    position: position === undefined ? null : { ...position },
    parent: parent ?? null,
    members: [...members],
    points: points.map((point) => pointEntry(point, sweepOf)),
  };
}

function pointEntry({ number, definition }: SitePoint, sweepOf: FieldPlans["sweepOf"]): CataloguePoint {
  const { name, type, unit, access, range, commandClass, pollClass, maxAge, readBack } = definition;
  const asked = [...new Set((definition.interlock?.all ?? []).map(({ point }) => point))];
  return {
    name,
    number,
    type,
    unit,
    access,
    range: range === undefined ? null : { ...range },
    commandClass: commandClass ?? null,
    pollClass,
    maxAgeMs: maxAge,
    sweep: sweepOf(number),
    readBack: readBack?.point ?? null,
    ...(asked.length > 0 && { interlock: asked }),
  };
}
