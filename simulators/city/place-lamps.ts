import type { Chance } from "../seeded-chance.ts";
import type { Contour, Spot } from "./contour.ts";

/** Between two lamps of a street, m. */
const STEP_MIN = 24;
const STEP_MAX = 34;
/** How far a lamp stands from the middle of its street, m. */
const KERB = 4;
/** A street bends by up to so much a lamp, and turns so sharply where the municipality ends; radians. */
const BEND = 0.09;
const TURN = 0.7;
const TURNS = 9;

/** `count` spots along one to three streets that leave the cabinet, all inside the contour; in the order of the cable. */
export function placeLamps(contour: Contour, cabinet: Spot, count: number, chance: Chance): Spot[] {
  const streets = count < 12 ? 1 : count < 30 ? 2 : 3;
  const firstHeading = chance() * 2 * Math.PI;
  return Array.from({ length: streets }, (_, street) => {
    const heading = firstHeading + (street * 2 * Math.PI) / streets + (chance() - 0.5);
    const lamps = Math.floor((count * (street + 1)) / streets) - Math.floor((count * street) / streets);
    return walk(contour, { from: cabinet, heading, lamps }, chance);
  }).flat();
}

function walk(
  contour: Contour,
  street: { readonly from: Spot; readonly heading: number; readonly lamps: number },
  chance: Chance,
): Spot[] {
  let { from, heading } = street;
  const spots: Spot[] = [];
  for (let lamp = 0; lamp < street.lamps; lamp += 1) {
    const step = STEP_MIN + chance() * (STEP_MAX - STEP_MIN);
    heading += (chance() - 0.5) * 2 * BEND;
    const next = stepInside(contour, { from, heading, step, kerb: lamp % 2 === 0 ? KERB : -KERB });
    heading = next.heading;
    from = next.middle;
    spots.push(next.spot);
  }
  return spots;
}

interface Step {
  readonly from: Spot;
  readonly heading: number;
  readonly step: number;
  readonly kerb: number;
}

/** Turns, more and more to both sides, until the lamp stands inside; in a corner with no way out it stays where it is. */
function stepInside(contour: Contour, asked: Step): { spot: Spot; middle: Spot; heading: number } {
  for (let turn = 0; turn <= TURNS; turn += 1) {
    const heading = asked.heading + Math.ceil(turn / 2) * TURN * (turn % 2 === 0 ? 1 : -1);
    const middle = go(asked.from, heading, asked.step);
    const spot = go(middle, heading + Math.PI / 2, asked.kerb);
    if (isInside(contour, middle) && isInside(contour, spot)) return { spot, middle, heading };
  }
  return { spot: asked.from, middle: asked.from, heading: asked.heading + Math.PI };
}

/** As it will be written: a position is rounded to 0.1 m. */
function isInside(contour: Contour, spot: Spot): boolean {
  return contour.contains(spot) && contour.contains(contour.spotOf(contour.positionOf(spot)));
}

function go({ east, north }: Spot, heading: number, metres: number): Spot {
  return { east: east + metres * Math.cos(heading), north: north + metres * Math.sin(heading) };
}
