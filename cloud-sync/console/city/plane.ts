/** The middle of the map: metres are counted from here. */
const ORIGIN = { lon: 5.04, lat: 47.32 } as const;
const METRES_PER_DEGREE = 111_195;
const METRES_PER_DEGREE_EAST = METRES_PER_DEGREE * Math.cos((ORIGIN.lat * Math.PI) / 180);

/** Metres east and south of the origin: plane enough for 25 km (0.1 % at the rim). */
export function toMetres(lon: number, lat: number): { readonly x: number; readonly y: number } {
  return { x: (lon - ORIGIN.lon) * METRES_PER_DEGREE_EAST, y: (ORIGIN.lat - lat) * METRES_PER_DEGREE };
}
