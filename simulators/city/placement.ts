import { type Chance, seededChance, seedOfPart } from "../seeded-chance.ts";
import { apportion, scatter } from "./apportion.ts";
import { type Contour, loadContours, type Position, type Spot } from "./contour.ts";
import { MUNICIPALITIES, type Municipality } from "./municipalities.ts";
import { placeCabinets } from "./place-cabinets.ts";
import { type PlacedEquipment, placeEquipment } from "./place-equipment.ts";
import { placeLamps } from "./place-lamps.ts";

/** The city's equipment as plain data. Made up by a seed inside the real contours; it is nobody's inventory. */
export interface CityPlacement {
  readonly seed: number;
  readonly municipalities: readonly PlacedMunicipality[];
}

export interface PlacedMunicipality extends Municipality {
  /** The gateway that serves it: `gw-<slug>`. */
  readonly gatewayId: string;
  readonly cabinets: readonly PlacedCabinet[];
  readonly equipment: readonly PlacedEquipment[];
}

export interface PlacedCabinet {
  /** `<slug>-c0001`, counted in each municipality. */
  readonly id: string;
  /** For people: `Talant, cabinet 7`. */
  readonly name: string;
  readonly position: Position;
  /** 1 to 64; by short address, in the order of the cable. */
  readonly lamps: readonly PlacedLamp[];
  /** Four to eight, in the order of the controller's ways. */
  readonly feeders: readonly PlacedFeeder[];
  readonly groups: readonly PlacedGroup[];
}

export interface PlacedLamp {
  /** `<cabinet>-l01`: one more than the short address. */
  readonly id: string;
  /** `Talant, cabinet 7, lamp 1`. */
  readonly name: string;
  readonly position: Position;
  /** On DALI channel 0 of the cabinet's bridge. */
  readonly shortAddress: number;
}

export interface PlacedFeeder {
  /** 1..8: contactor, breaker and current of this number. */
  readonly feeder: number;
  readonly shortAddresses: readonly number[];
}

/** What is dimmed with one frame: up to 44 lamps. */
export interface PlacedGroup {
  /** `<cabinet>-g0`. */
  readonly id: string;
  readonly name: string;
  /** DALI group, 0..15. */
  readonly group: number;
  readonly shortAddresses: readonly number[];
}

export interface PlacementOptions {
  readonly seed: number;
  /** 500..40,000; default 34,000 as Dijon Métropole has. */
  readonly lightPoints?: number | undefined;
}

const LIGHT_POINTS = 34_000;
const CABINETS = 725;
const LAMPS_MAX = 64;
const LAMPS_MIN = 12;
const FEEDERS_MIN = 4;
const FEEDERS_MAX = 8;
const LAMPS_PER_FEEDER = 9;
/** A group has 40 lamps; so few more do not make a second one. */
const GROUP_SIZE = 40;
const GROUP_SLACK = 4;

/** The same seed gives the same city. @throws {RangeError} for light points outside 500..40,000. */
export function placeCity({ seed, lightPoints = LIGHT_POINTS }: PlacementOptions): CityPlacement {
  if (!Number.isInteger(lightPoints) || lightPoints < 500 || lightPoints > 40_000) {
    throw new RangeError(`${lightPoints} light points: take a whole number from 500 to 40000`);
  }
  const contours = loadContours();
  const contourOf = ({ insee, name }: Municipality): Contour => {
    const contour = contours.get(insee);
    if (contour === undefined) throw new RangeError(`communes.geojson has no contour of ${name}`);
    return contour;
  };
  const equipment = placeEquipment(seed, contourOf);
  const populations = MUNICIPALITIES.map(({ population }) => population);
  const lamps = apportion(lightPoints, populations, () => 1);
  const least = lamps.map((count) => Math.ceil(count / (LAMPS_MAX - 4)));
  const wanted = Math.round((lightPoints * CABINETS) / LIGHT_POINTS);
  const total = Math.max(
    wanted,
    least.reduce((sum, count) => sum + count, 0),
  );
  const cabinets = apportion(total, lamps, (at) => least[at] ?? 1);
  const municipalities = MUNICIPALITIES.map((municipality, at) => {
    const contour = contourOf(municipality);
    // Each has its own chance, so that a change in one leaves the others where they are.
    const chance = seededChance(seedOfPart(seed, Number(municipality.insee)));
    const counts = { lamps: lamps[at] ?? 0, cabinets: cabinets[at] ?? 0 };
    return {
      ...placeMunicipality(municipality, { contour, chance, ...counts }),
      equipment: equipment[at] ?? [],
    };
  });
  return { seed, municipalities };
}

function placeMunicipality(
  municipality: Municipality,
  place: {
    readonly contour: Contour;
    readonly chance: Chance;
    readonly lamps: number;
    readonly cabinets: number;
  },
): Omit<PlacedMunicipality, "equipment"> {
  const { contour, chance } = place;
  const spots = placeCabinets(contour, place.cabinets, chance);
  const bounds = { count: spots.length, min: LAMPS_MIN, max: LAMPS_MAX };
  const sizes = scatter(place.lamps, bounds, chance);
  const cabinets = spots.map((spot, at) => {
    const id = `${municipality.slug}-c${String(at + 1).padStart(4, "0")}`;
    const name = `${municipality.name}, cabinet ${at + 1}`;
    return placeCabinet({ id, name, spot, size: sizes[at] ?? 0 }, contour, chance);
  });
  return { ...municipality, gatewayId: `gw-${municipality.slug}`, cabinets };
}

function placeCabinet(
  cabinet: { readonly id: string; readonly name: string; readonly spot: Spot; readonly size: number },
  contour: Contour,
  chance: Chance,
): PlacedCabinet {
  const { id, name, spot, size } = cabinet;
  const lamps = placeLamps(contour, spot, size, chance).map((lamp, shortAddress) => ({
    id: `${id}-l${String(shortAddress + 1).padStart(2, "0")}`,
    name: `${name}, lamp ${shortAddress + 1}`,
    position: contour.positionOf(lamp),
    shortAddress,
  }));
  const ways = Math.min(FEEDERS_MAX, Math.max(FEEDERS_MIN, Math.ceil(size / LAMPS_PER_FEEDER)));
  const feeders = chunks(size, ways).map((shortAddresses, at) => ({ feeder: at + 1, shortAddresses }));
  const groups = groupsOf(size).map((shortAddresses, group) => ({
    id: `${id}-g${group}`,
    name: `${name}, group ${group + 1}`,
    group,
    shortAddresses,
  }));
  return { id, name, position: contour.positionOf(spot), lamps, feeders, groups };
}

function groupsOf(size: number): number[][] {
  if (size <= GROUP_SIZE + GROUP_SLACK) return [range(0, size)];
  return [range(0, GROUP_SIZE), range(GROUP_SIZE, size)];
}

/** 0..size-1 in `count` runs that differ by one at most. */
function chunks(size: number, count: number): number[][] {
  return Array.from({ length: count }, (_, at) =>
    range(Math.floor((size * at) / count), Math.floor((size * (at + 1)) / count)),
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
