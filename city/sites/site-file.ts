import type { PlacedCabinet, PlacedLamp, PlacedMunicipality } from "../../simulators/city/placement.ts";
import type { CabinetSocket } from "../ready-lines.ts";
import { cabinetPoints, GROUP_POINTS, LAMP_POINTS, METER_POINTS } from "./device-points.ts";
import { equipmentSite, type ReachOf } from "./equipment-site.ts";

/** The site file of one municipality's gateway, as JSON: what an installer would have written after a walk past all cabinets. */
export function siteFileOf(context: {
  readonly municipality: PlacedMunicipality;
  /** By cabinet, as the simulators opened them. */
  readonly sockets: ReadonlyMap<string, CabinetSocket>;
  readonly reachOf: ReachOf;
  readonly centerUrl: string;
  readonly passwordFile: string;
}): string {
  const { municipality, sockets, reachOf, centerUrl, passwordFile } = context;
  const cabinets = municipality.cabinets.map((cabinet) => {
    const socket = sockets.get(cabinet.id);
    if (socket === undefined) throw new Error(`the simulators opened no socket for ${cabinet.id}`);
    return { cabinet, socket };
  });
  const equipment = equipmentSite(municipality.equipment, reachOf);
  const site = {
    site: { id: municipality.slug, name: municipality.name },
    gateway: municipality.gatewayId,
    dataFolder: "data",
    // Two dozen gateways share this machine's disk.
    store: { ballastMiB: 2 },
    // The city runs on one machine, so nothing is gained by spreading reconnects over minutes.
    center: { url: centerUrl, reconnectMin: "1 s", reconnectMax: "2 s" },
    broker: { host: "127.0.0.1", port: 0, passwordFile },
    buses: [...cabinets.map(({ cabinet, socket }) => busOf(cabinet, socket)), ...equipment.buses],
    devices: [
      ...cabinets.flatMap(({ cabinet, socket }) => devicesOf(cabinet, socket.units)),
      ...equipment.devices,
    ],
  };
  return `${JSON.stringify(site)}\n`;
}

/** Bridge, controller and meter share the serial line behind one converter. */
function busOf({ id }: PlacedCabinet, { host, port }: CabinetSocket): object {
  return { id, driver: "modbus", transport: "tcp", host, port, requestTimeout: "2 s" };
}

function devicesOf(cabinet: PlacedCabinet, units: CabinetSocket["units"]): readonly object[] {
  const { id, name, position, feeders, groups, lamps } = cabinet;
  const place = { bus: id, parent: id };
  const bridge = { ...place, unit: units.bridge };
  return [
    {
      id,
      name,
      profile: "neutral-segment-cabinet",
      bus: id,
      unit: units.controller,
      position,
      points: cabinetPoints(feeders),
    },
    {
      ...bridge,
      id: `${id}-bridge`,
      name: `${name}, DALI bridge`,
      profile: "intesis-dali-bridge",
      position,
    },
    {
      ...place,
      id: `${id}-meter`,
      name: `${name}, meter`,
      profile: "eastron-sdm630",
      unit: units.meter,
      position,
      points: METER_POINTS,
    },
    ...lamps.map((lamp) => lampOf(lamp, bridge)),
    ...groups.map((group) => ({
      ...bridge,
      id: group.id,
      name: group.name,
      profile: "intesis-dali-group",
      parameters: { group: group.group },
      members: group.shortAddresses.map((shortAddress) => lamps[shortAddress]?.id),
      points: GROUP_POINTS,
    })),
  ];
}

function lampOf({ id, name, position, shortAddress }: PlacedLamp, bridge: object): object {
  const profile = "intesis-dali-lamp";
  return { ...bridge, id, name, profile, parameters: { shortAddress }, position, points: LAMP_POINTS };
}
