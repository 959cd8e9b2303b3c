import { Seconds } from "../../domain/time.ts";
import type { PlacedCabinet } from "../../simulators/city/placement.ts";
import type { City } from "../city.ts";
import { DIJON } from "../city-plan.ts";
import type { CommandCase, Move } from "./command-case.ts";

/** One order to a lamp, to a whole group and to a cabinet's light, and the refusals. */
export function commandCases(city: City): readonly CommandCase[] {
  const [one, two] = dijonCabinets(city);
  const group = one.groups[0];
  const members = group?.shortAddresses.map((address) => lampOf(one, address)) ?? [];
  const base = { gatewayId: DIJON, moves: [] };
  const dim = (id: string, value: number) => ({ pointId: `${id}/dim-level`, value });
  const first = lampOf(one, 0);
  return [
    { ...base, name: "K1, one lamp", ...dim(first, 40), expected: "succeeded", moves: [levelOf(first, 40)] },
    {
      ...base,
      name: `K1, a group of ${members.length}`,
      pointId: `${group?.id}/level`,
      value: 70,
      expected: "succeeded",
      moves: members.map((id) => levelOf(id, 70)),
    },
    lightCase(one, "on"),
    lightCase(one, "off"),
    { ...base, name: "unknown device", ...dim("lamp-9999", 40), expected: "rejected (unknown-point)" },
    { ...base, name: "out of range", ...dim(lampOf(two, 1), 140), expected: "rejected (out-of-range)" },
    {
      ...base,
      name: "expired",
      ...dim(lampOf(two, 2), 10),
      ttlMs: 6_000,
      expected: "expired",
      freeze: Seconds(7),
    },
  ];
}

/** Two of them; in a small city the same one twice. */
export function dijonCabinets(city: City): readonly [PlacedCabinet, PlacedCabinet] {
  const dijon = city.plan.municipalities.find(({ gatewayId }) => gatewayId === DIJON);
  const [one, two = one] = dijon?.cabinets ?? [];
  if (one === undefined || two === undefined) throw new RangeError("the city has no cabinet in Dijon");
  return [one, two];
}

export function lampOf(cabinet: PlacedCabinet, shortAddress: number): string {
  return cabinet.lamps[shortAddress]?.id ?? "";
}

export function levelOf(device: string, to: number): Move {
  return { device, what: "level", to };
}

/** The light inside the cabinet: momentary and reversible, so no preview; nobody stands in it by its fault. */
function lightCase({ id }: PlacedCabinet, to: "on" | "off"): CommandCase {
  return {
    name: `K2, cabinet light ${to}`,
    gatewayId: DIJON,
    pointId: `${id}/cabinet-light`,
    value: to === "on",
    expected: "succeeded",
    moves: [{ device: id, what: "cabinet-light", to: to === "on" ? 1 : 0 }],
  };
}
