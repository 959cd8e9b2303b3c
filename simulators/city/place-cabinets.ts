import type { Chance } from "../seeded-chance.ts";
import { type Contour, distance, type Spot } from "./contour.ts";

/** Ground that one cabinet and its lamps light, m²: some 1.4 km of street. */
const AREA_PER_CABINET = 70_000;
/** Cabinets keep so far from the outline that a street fits, and so far from each other at first, m. */
const CLEARANCE = 30;
const SPACING = 170;
const TRIES_BEFORE_CLOSER = 80;
const CLOSER = 0.9;
const CENTRE_CANDIDATES = 400;

/**
 * `count` spots inside the contour: evenly over the built-up area around its middle, thinning out beyond it, never
 * nearer to each other than must be. By rejection; ends, because the distance asked for shrinks.
 */
export function placeCabinets(contour: Contour, count: number, chance: Chance): Spot[] {
  const random = randomSpots(contour, chance);
  const centre = findMiddle(contour, random);
  const radius = Math.sqrt((count * AREA_PER_CABINET) / Math.PI);
  const isBuiltUp = (spot: Spot): boolean => {
    const beyond = Math.max(0, distance(spot, centre) - radius);
    return chance() < Math.exp(-((beyond / (radius / 2)) ** 2));
  };
  const spots: Spot[] = [];
  let spacing = SPACING;
  for (let tries = 0; spots.length < count; tries += 1) {
    if (tries >= TRIES_BEFORE_CLOSER) {
      spacing *= CLOSER;
      tries = 0;
    }
    const spot = random();
    if (!isBuiltUp(spot) || contour.clearance(spot) < Math.min(CLEARANCE, spacing)) continue;
    if (spots.some((other) => distance(other, spot) < spacing)) continue;
    spots.push(spot);
    tries = 0;
  }
  return spots;
}

/** Evenly spread spots inside the contour, without end. */
function randomSpots(contour: Contour, chance: Chance): () => Spot {
  const east = contour.ring.map((spot) => spot.east);
  const north = contour.ring.map((spot) => spot.north);
  const [west, south] = [Math.min(...east), Math.min(...north)];
  const [width, height] = [Math.max(...east) - west, Math.max(...north) - south];
  return () => {
    for (;;) {
      const spot = { east: west + chance() * width, north: south + chance() * height };
      if (contour.contains(spot)) return spot;
    }
  };
}

/** Where most room is around: the spot farthest from the outline of some hundred. */
function findMiddle(contour: Contour, random: () => Spot): Spot {
  let best = random();
  let most = contour.clearance(best);
  for (let candidate = 0; candidate < CENTRE_CANDIDATES; candidate += 1) {
    const spot = random();
    const room = contour.clearance(spot);
    if (room <= most) continue;
    best = spot;
    most = room;
  }
  return best;
}
