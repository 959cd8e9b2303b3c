import { seededChance, seedOfPart } from "../seeded-chance.ts";
import { apportion } from "./apportion.ts";
import type { Contour, Position } from "./contour.ts";
import { MUNICIPALITIES, type Municipality } from "./municipalities.ts";
import { placeCabinets } from "./place-cabinets.ts";

/**
 * How many the whole city has. Published: 113 junctions with bus priority, 180 supervised buildings, retractable bollards
 * at the access points of the center, their number not (DOMAIN C.1); the others are made up.
 */
const COUNTS = {
  /** A signal controller of the OPC UA server of its gateway. */
  junction: 65,
  /** An older one, by wires. */
  "wire-junction": 48,
  barrier: 16,
  bollard: 24,
  /** A building's entrance: doors on one OSDP line. */
  entrance: 8,
  building: 180,
  /** On Modbus, with a socket of its own. */
  counter: 20,
  /** In lines of text, on a line of its own. */
  "text-counter": 6,
  /** A weather station and two meters on one serial line. */
  "weather-station": 6,
  "io-board": 1,
} as const;

export type EquipmentKind = keyof typeof COUNTS;
export const EQUIPMENT_KINDS = Object.keys(COUNTS) as readonly EquipmentKind[];

/** What stands in one place besides lamps and their cabinets, and is reached through one socket or line. */
export interface PlacedEquipment {
  /** `<slug>-barrier-1`, counted in each municipality. */
  readonly id: string;
  /** For people: `Talant, barrier 1`. */
  readonly name: string;
  readonly kind: EquipmentKind;
  readonly position: Position;
}

/** The one with the new signal controllers, the bollards and the board. */
const CENTER = "dijon";
const ONLY_IN_CENTER: ReadonlySet<EquipmentKind> = new Set(["junction", "bollard", "io-board"]);
const ONLY_OUTSIDE: ReadonlySet<EquipmentKind> = new Set(["wire-junction"]);
const NAMES: Readonly<Record<EquipmentKind, string>> = {
  junction: "junction",
  "wire-junction": "junction",
  barrier: "barrier",
  bollard: "bollard",
  entrance: "entrance",
  building: "building",
  counter: "people counter",
  "text-counter": "park counter",
  "weather-station": "weather station",
  "io-board": "indicator board",
};

/** By municipality, in the order of {@link MUNICIPALITIES}; by population, each with a chance of its own. */
export function placeEquipment(
  seed: number,
  contourOf: (municipality: Municipality) => Contour,
): readonly (readonly PlacedEquipment[])[] {
  const counts = new Map(EQUIPMENT_KINDS.map((kind) => [kind, shareOut(kind)]));
  return MUNICIPALITIES.map((municipality, at) =>
    EQUIPMENT_KINDS.flatMap((kind, index) => {
      const count = counts.get(kind)?.[at] ?? 0;
      const chance = seededChance(seedOfPart(seed, Number(municipality.insee) * 100 + index));
      const contour = contourOf(municipality);
      const spots = count === 0 ? [] : placeCabinets(contour, count, chance);
      return spots.map((spot, number) => ({
        id: `${municipality.slug}-${kind}-${number + 1}`,
        name: `${municipality.name}, ${NAMES[kind]} ${number + 1}`,
        kind,
        position: contour.positionOf(spot),
      }));
    }),
  );
}

function shareOut(kind: EquipmentKind): readonly number[] {
  const weights = MUNICIPALITIES.map(({ slug, population }) => {
    const isCenter = slug === CENTER;
    return (isCenter && ONLY_OUTSIDE.has(kind)) || (!isCenter && ONLY_IN_CENTER.has(kind)) ? 0 : population;
  });
  return apportion(COUNTS[kind], weights, () => 0);
}
