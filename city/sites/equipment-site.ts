import { z } from "zod";
import { COUNTER_BAUD, DOOR_BAUD, doorsOf, WEATHER_UNITS } from "../../simulators/city/equipment-config.ts";
import type { EquipmentKind, PlacedEquipment } from "../../simulators/city/place-equipment.ts";

/** Buses and devices of a site file. */
export interface SitePart {
  readonly buses: readonly object[];
  readonly devices: readonly object[];
}

/** Where a piece of equipment is reached, as the simulators told it. */
export type ReachOf = (equipment: PlacedEquipment) => unknown;

const socket = z.looseObject({ host: z.string(), port: z.number(), unit: z.number() });
const port = z.looseObject({ path: z.string() });
const server = z.looseObject({ url: z.string(), fingerprint: z.string() });

/** An exit is released by the unit itself, so five questions a second are enough of a door. */
const DOOR_POLL = "200 ms";
/** The doors share two cores with the whole city: while it starts they may take their time. */
const DOOR_REPLY = "1 s";

/** What the installer writes for the equipment of one municipality. */
export function equipmentSite(equipment: readonly PlacedEquipment[], reachOf: ReachOf): SitePart {
  const junctions = equipment.filter(({ kind }) => kind === "junction");
  const parts = equipment.flatMap((each) =>
    each.kind === "junction" ? [] : [PARTS[each.kind](each, reachOf(each))],
  );
  return joined([...(junctions.length === 0 ? [] : [controllers(junctions, reachOf)]), ...parts]);
}

/** The key file of an entrance's line, beside the site file. */
export function keyFileOf(entranceId: string): string {
  return `${entranceId}.keys`;
}

/** One server has the controllers of all junctions; its fingerprint was compared on site. */
function controllers(junctions: readonly PlacedEquipment[], reachOf: ReachOf): SitePart {
  const [first] = junctions;
  const { url, fingerprint } = server.parse(first === undefined ? undefined : reachOf(first));
  const bus = {
    id: "junctions",
    driver: "opcua",
    endpoint: url,
    security: { mode: "sign-and-encrypt", policy: "Basic256Sha256" },
    trustedServer: fingerprint,
  };
  const devices = junctions.map(({ id, name, position }) => ({
    id,
    name,
    profile: "neutral-traffic-cabinet",
    bus: bus.id,
    unit: id,
    position,
  }));
  return { buses: [bus], devices };
}

type PartOf = (equipment: PlacedEquipment, reach: unknown) => SitePart;
const PARTS: Readonly<Record<Exclude<EquipmentKind, "junction">, PartOf>> = {
  "wire-junction": onSocket("neutral-wire-cabinet"),
  barrier: onSocket("neutral-barrier"),
  bollard: onSocket("neutral-bollard"),
  building: onSocket("neutral-building", { pollIntervals: { fast: "2 s" } }),
  counter: onSocket("neutral-people-counter"),
  entrance: ({ id, name, position }, reach) => ({
    buses: [
      {
        id,
        driver: "serial",
        dialect: "osdp",
        line: serialLine(reach, DOOR_BAUD),
        security: { mode: "required", keyFile: keyFileOf(id) },
        pollEvery: DOOR_POLL,
        replyTimeout: DOOR_REPLY,
      },
    ],
    devices: doorsOf(id).map((door, at) => ({
      id: door.id,
      name: `${name}, door ${at + 1}`,
      profile: "osdp-door",
      bus: id,
      unit: door.address,
      position,
    })),
  }),
  "text-counter": ({ id, name, position }, reach) => ({
    buses: [{ id, driver: "serial", dialect: "ascii", line: serialLine(reach, COUNTER_BAUD) }],
    devices: [{ id, name, profile: "serial-people-counter", bus: id, unit: 1, position }],
  }),
  "weather-station": ({ id, name, position }, reach) => ({
    buses: [
      {
        id,
        driver: "modbus",
        transport: "rtu",
        path: port.parse(reach).path,
        baud: 19_200,
        requestTimeout: "300 ms",
        // The meters are of another service than the station; whoever loses the line loses both.
        isolationGroup: "sensing",
      },
    ],
    devices: [
      { id, name, profile: "lufft-ws600", bus: id, unit: WEATHER_UNITS.weather, position },
      {
        id: `${id}-iem3155`,
        name: `${name}, meter of the heating`,
        profile: "schneider-iem3000",
        bus: id,
        unit: WEATHER_UNITS.iem3155,
        position,
        parent: id,
      },
      {
        id: `${id}-b23`,
        name: `${name}, meter of the road sensors`,
        profile: "abb-b23",
        bus: id,
        unit: WEATHER_UNITS.b23,
        position,
        parent: id,
      },
    ],
  }),
  "io-board": ({ id, name, position }, reach) => ({
    buses: [{ id, driver: "firmata", line: { kind: "serial", path: port.parse(reach).path } }],
    devices: [{ id, name, profile: "arduino-uno-indicator", bus: id, unit: 0, position }],
  }),
};

/** One Modbus unit behind a socket of its own. */
function onSocket(profile: string, setting: object = {}): PartOf {
  return ({ id, name, position }, reach) => {
    const { host, port, unit } = socket.parse(reach);
    return {
      buses: [{ id, driver: "modbus", transport: "tcp", host, port, requestTimeout: "1 s", ...setting }],
      devices: [{ id, name, profile, bus: id, unit, position }],
    };
  };
}

function serialLine(reach: unknown, baud: number): object {
  return { kind: "serial", path: port.parse(reach).path, baud, parity: "none", stopBits: 1 };
}

function joined(parts: readonly SitePart[]): SitePart {
  return {
    buses: parts.flatMap(({ buses }) => buses),
    devices: parts.flatMap(({ devices }) => devices),
  };
}
