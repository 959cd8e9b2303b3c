import { EQUIPMENT_KINDS, type PlacedEquipment } from "../simulators/city/place-equipment.ts";
import type { CityPlacement, PlacedCabinet, PlacedMunicipality } from "../simulators/city/placement.ts";
import { placeCity } from "../simulators/city/placement.ts";

/** Which of the city's equipment this run has, and which process carries which gateway. */
export interface CityPlan {
  readonly seed: number;
  /** Those with a cabinet in this run; each has one gateway. */
  readonly municipalities: readonly PlacedMunicipality[];
  readonly gatewayPrograms: readonly GatewayProgramPlan[];
  readonly cabinets: readonly PlacedCabinet[];
  readonly lamps: number;
  readonly equipment: readonly PlacedEquipment[];
}

export interface GatewayProgramPlan {
  readonly name: string;
  /** Dijon is the one to measure: its services are processes of their own. */
  readonly hosting: "processes" | "in-process";
  readonly municipalities: readonly PlacedMunicipality[];
}

/** What stands in a city besides lamps and cabinets. */
export const EQUIPMENT_CHOICES = ["all", "one-of-each", "none"] as const;
export type EquipmentChoice = (typeof EQUIPMENT_CHOICES)[number];

/** Of every city: the gateway of Dijon, which has 62 % of the lamps. */
export const DIJON = "gw-dijon";
/** The same city at every start. */
const SEED = 1;
/** Dijon and one in each of the two other processes. */
export const CABINETS_MIN = 3;
export const CABINETS_MAX = 725;

/**
 * @param cabinets so many, spread over the municipalities, the largest first; or all.
 * @param equipment what else stands there. Default: all, of a smaller city one of each kind
 */
export function planCity(
  cabinets: number | "all",
  equipment: EquipmentChoice = cabinets === "all" ? "all" : "one-of-each",
): CityPlan {
  const placed = cabinets === "all" ? placeCity({ seed: SEED }).municipalities : spread(cabinets);
  const municipalities = equipment === "all" ? placed : fewer(placed, equipment);
  const used = municipalities.flatMap((municipality) => municipality.cabinets);
  return {
    seed: SEED,
    municipalities,
    gatewayPrograms: shareOut(municipalities),
    cabinets: used,
    lamps: used.reduce((sum, cabinet) => sum + cabinet.lamps.length, 0),
    equipment: municipalities.flatMap((municipality) => municipality.equipment),
  };
}

/** The first of each kind, in the largest municipality that has it. */
function fewer(
  municipalities: readonly PlacedMunicipality[],
  which: Exclude<EquipmentChoice, "all">,
): readonly PlacedMunicipality[] {
  const all = municipalities
    .toSorted((one, other) => other.population - one.population)
    .flatMap(({ equipment }) => equipment);
  const firsts = EQUIPMENT_KINDS.map((kind) => all.find((each) => each.kind === kind));
  const kept = new Set(which === "none" ? [] : firsts);
  return municipalities.map((municipality) => ({
    ...municipality,
    equipment: municipality.equipment.filter((each) => kept.has(each)),
  }));
}

/** One after the other in each municipality, as long as it has any. */
function spread(cabinets: number): readonly PlacedMunicipality[] {
  const placed: CityPlacement = placeCity({ seed: SEED });
  const bySize = placed.municipalities.toSorted((one, other) => other.population - one.population);
  const rounds = Math.max(...bySize.map((municipality) => municipality.cabinets.length));
  const chosen = new Set<PlacedCabinet>();
  for (let round = 0; round < rounds; round += 1) {
    for (const municipality of bySize) {
      const cabinet = municipality.cabinets[round];
      if (cabinet !== undefined && chosen.size < cabinets) chosen.add(cabinet);
    }
  }
  return placed.municipalities
    .map((municipality) => ({
      ...municipality,
      cabinets: municipality.cabinets.filter((cabinet) => chosen.has(cabinet)),
    }))
    .filter((municipality) => municipality.cabinets.length > 0);
}

/** Dijon alone, the others in two processes with about as many lamps each. */
function shareOut(municipalities: readonly PlacedMunicipality[]): readonly GatewayProgramPlan[] {
  const dijon = municipalities.filter(({ gatewayId }) => gatewayId === DIJON);
  const others = municipalities
    .filter(({ gatewayId }) => gatewayId !== DIJON)
    .toSorted((one, other) => other.population - one.population);
  const half = (which: number) => others.filter((_, index) => index % 2 === which);
  return [
    { name: "gateway-dijon", hosting: "processes", municipalities: dijon },
    { name: "gateways-1", hosting: "in-process", municipalities: half(0) },
    { name: "gateways-2", hosting: "in-process", municipalities: half(1) },
  ];
}
