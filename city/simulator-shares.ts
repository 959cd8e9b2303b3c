import type { CabinetConfig } from "../simulators/city/cabinet-config.ts";
import type { PlacedDevice } from "../simulators/city/equipment-config.ts";

/** What one simulators' program has. */
export interface SimulatorShare {
  readonly cabinets: readonly CabinetConfig[];
  readonly devices: readonly PlacedDevice[];
}

/**
 * CPU of a start, in that of a street cabinet with its lamps (measured: 1.7 ms): a program serves all it has in one thread, and a lamp
 * beside an OPC UA server waits for it.
 */
const CABINET_LOAD = 1;
const DEVICE_LOAD = 4;
const CONTROLLER_LOAD = 30;
const LOADS: ReadonlyMap<string, number> = new Map([
  ["osdp-line", 40],
  ["firmata-board", 500],
]);

/** Shares devices, then cabinets, out so that each program has as much to do; of each municipality in every program. */
export function shareOutSimulators(
  { cabinets, devices }: SimulatorShare,
  programs: number,
): readonly SimulatorShare[] {
  const shares = Array.from({ length: programs }, () => ({
    cabinets: [] as CabinetConfig[],
    devices: [] as PlacedDevice[],
    load: 0,
  }));
  for (const device of devices.toSorted((one, other) => loadOf(other) - loadOf(one))) {
    const share = leastOf(shares, ({ load }) => load);
    share.devices.push(device);
    share.load += loadOf(device);
  }
  // A program whose devices are more than its part of everything has no cabinets.
  const part = (sum(shares, ({ load }) => load) + CABINET_LOAD * cabinets.length) / programs;
  for (const cabinet of cabinets)
    leastOf(shares, (share) => (share.cabinets.length + 1) / Math.max(0, part - share.load)).cabinets.push(
      cabinet,
    );
  return shares;
}

function loadOf({ kind, cabinets }: PlacedDevice): number {
  return cabinets === undefined ? (LOADS.get(kind) ?? DEVICE_LOAD) : CONTROLLER_LOAD * cabinets.length;
}

/** The first of them. */
function leastOf<Item>(items: readonly Item[], by: (item: Item) => number): Item {
  const [first, ...others] = items;
  if (first === undefined) throw new RangeError("there is no program to share out to");
  return others.reduce((least, item) => (by(item) < by(least) ? item : least), first);
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}
