import { readFileSync } from "node:fs";

/** WGS 84, degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** Metres east and north of a contour's own origin; flat, which is good to 1 m over a municipality. */
export interface Spot {
  readonly east: number;
  readonly north: number;
}

const METRES_PER_DEGREE = 111_195;

/** The outline of one municipality: a single ring, no holes. */
export class Contour {
  readonly #origin: Position;
  readonly #eastPerDegree: number;
  readonly ring: readonly Spot[];

  constructor(positions: readonly Position[]) {
    const [first] = positions;
    if (first === undefined) throw new RangeError("a contour needs positions");
    this.#origin = first;
    this.#eastPerDegree = METRES_PER_DEGREE * Math.cos((first.latitude * Math.PI) / 180);
    this.ring = positions.map((position) => this.spotOf(position));
  }

  spotOf({ latitude, longitude }: Position): Spot {
    return {
      east: (longitude - this.#origin.longitude) * this.#eastPerDegree,
      north: (latitude - this.#origin.latitude) * METRES_PER_DEGREE,
    };
  }

  /** To six decimals, 0.1 m. */
  positionOf({ east, north }: Spot): Position {
    return {
      latitude: Number((this.#origin.latitude + north / METRES_PER_DEGREE).toFixed(6)),
      longitude: Number((this.#origin.longitude + east / this.#eastPerDegree).toFixed(6)),
    };
  }

  /** Even-odd rule. */
  contains({ east, north }: Spot): boolean {
    const { ring } = this;
    let inside = false;
    let from = ring.at(-1);
    for (const to of ring) {
      if (from !== undefined && from.north > north !== to.north > north) {
        const crossing = from.east + ((north - from.north) / (to.north - from.north)) * (to.east - from.east);
        if (east < crossing) inside = !inside;
      }
      from = to;
    }
    return inside;
  }

  /** Metres to the outline. */
  clearance(spot: Spot): number {
    let least = Number.POSITIVE_INFINITY;
    let from = this.ring.at(-1);
    for (const to of this.ring) {
      if (from !== undefined) least = Math.min(least, distanceToEdge(spot, from, to));
      from = to;
    }
    return least;
  }
}

export function distance(one: Spot, other: Spot): number {
  return Math.hypot(one.east - other.east, one.north - other.north);
}

function distanceToEdge(spot: Spot, from: Spot, to: Spot): number {
  const length = distance(from, to);
  if (length === 0) return distance(spot, from);
  const along =
    ((spot.east - from.east) * (to.east - from.east) + (spot.north - from.north) * (to.north - from.north)) /
    length ** 2;
  const share = Math.min(1, Math.max(0, along));
  return distance(spot, {
    east: from.east + share * (to.east - from.east),
    north: from.north + share * (to.north - from.north),
  });
}

/** `communes.geojson`, as far as it is read here. */
interface ContourFile {
  readonly attribution: string;
  readonly features: readonly {
    readonly properties: { readonly insee: string };
    readonly geometry: { readonly coordinates: readonly (readonly (readonly [number, number])[])[] };
  }[];
}

/** The shipped contours by INSEE code. IGN Admin Express 2018, Licence Ouverte; the file carries the attribution. */
export function loadContours(): ReadonlyMap<string, Contour> {
  const file: ContourFile = JSON.parse(readFileSync(new URL("./communes.geojson", import.meta.url), "utf8"));
  return new Map(
    file.features.map(({ properties, geometry }) => {
      const ring = geometry.coordinates[0] ?? [];
      return [
        properties.insee,
        new Contour(ring.map(([longitude, latitude]) => ({ latitude, longitude }))),
      ] as const;
    }),
  );
}
