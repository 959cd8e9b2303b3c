import type { NumberPoints, Site, UnnumberedSite } from "./site.ts";

/** Gives each point the number that the store has, or makes, for it. @throws {Error} when a point got none. */
export function numberSite(site: UnnumberedSite, numberPoints: NumberPoints): Site {
  const ids = site.devices.flatMap((device) => device.points.map((point) => point.id));
  const numbers = numberPoints(ids);
  const devices = site.devices.map((device) => ({
    ...device,
    points: device.points.map(({ id, definition }) => {
      const number = numbers.get(id);
      if (number === undefined) throw new Error(`the store gave no number for ${id}`);
      return { id, number, definition };
    }),
  }));
  return { ...site, devices };
}
