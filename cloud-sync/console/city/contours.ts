import { toMetres } from "./plane.ts";

/** No municipality: outside all contours, or no position. */
export const NO_MUNICIPALITY = 255;

/** A municipality's outline, in metres. */
export interface Contour {
  readonly name: string;
  readonly insee: string;
  /** x, y, x, y … of each ring; the first is the outer one. */
  readonly rings: readonly Float32Array[];
  readonly box: readonly [number, number, number, number];
  /** Where its name is written. */
  readonly label: { readonly x: number; readonly y: number };
}

export interface ContourFile {
  readonly attribution: string;
  readonly features: readonly {
    readonly properties: { readonly insee: string; readonly name: string };
    readonly geometry: {
      readonly type: string;
      readonly coordinates: readonly (readonly (readonly [number, number])[])[];
    };
  }[];
}

export function readContours(file: ContourFile): readonly Contour[] {
  return file.features
    .map(({ properties, geometry }) => contourOf(properties, geometry.coordinates))
    .sort((left, right) => left.name.localeCompare(right.name, "fr"));
}

function contourOf(
  { insee, name }: { readonly insee: string; readonly name: string },
  coordinates: readonly (readonly (readonly [number, number])[])[],
): Contour {
  const rings = coordinates.map((ring) =>
    Float32Array.from(
      ring.flatMap(([lon, lat]) => {
        const { x, y } = toMetres(lon, lat);
        return [x, y];
      }),
    ),
  );
  const outer = rings[0] ?? new Float32Array();
  return { name, insee, rings, box: boxOf(outer), label: centroid(outer) };
}

/** The municipality that holds the point; `guess` is tried first. */
export function municipalityOf(
  contours: readonly Contour[],
  at: { readonly x: number; readonly y: number },
  guess: number,
): number {
  const first = contours[guess];
  if (first !== undefined && holds(first, at.x, at.y)) return guess;
  const found = contours.findIndex((contour) => holds(contour, at.x, at.y));
  return found === -1 ? NO_MUNICIPALITY : found;
}

/** Even-odd rule over all rings, so that a hole is outside. */
function holds({ box, rings }: Contour, x: number, y: number): boolean {
  const [west, north, east, south] = box;
  if (x < west || x > east || y < north || y > south) return false;
  return rings.filter((ring) => crossesOdd(ring, x, y)).length % 2 === 1;
}

function crossesOdd(ring: Float32Array, x: number, y: number): boolean {
  let odd = false;
  for (let at = 0, before = ring.length - 2; at < ring.length; before = at, at += 2) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [ring[at], ring[at + 1], ring[before], ring[before + 1]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
  }
  return odd;
}

function boxOf(ring: Float32Array): readonly [number, number, number, number] {
  const xs = ring.filter((_, index) => index % 2 === 0);
  const ys = ring.filter((_, index) => index % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function centroid(ring: Float32Array): { readonly x: number; readonly y: number } {
  let [area, x, y] = [0, 0, 0];
  for (let at = 0, before = ring.length - 2; at < ring.length; before = at, at += 2) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [ring[before], ring[before + 1], ring[at], ring[at + 1]];
    const cross = x1 * y2 - x2 * y1;
    area += cross;
    x += (x1 + x2) * cross;
    y += (y1 + y2) * cross;
  }
  return area === 0 ? { x: ring[0] ?? 0, y: ring[1] ?? 0 } : { x: x / (3 * area), y: y / (3 * area) };
}
