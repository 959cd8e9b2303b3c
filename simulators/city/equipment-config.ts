import type { EquipmentKind, PlacedEquipment } from "./place-equipment.ts";

/** Doors of an entrance, on one line. */
export const DOORS_PER_ENTRANCE = 4;
/** Four doors that are asked five times a second fill half of a line at this speed. */
export const DOOR_BAUD = 19_200;
export const COUNTER_BAUD = 9_600;
/** On the serial line of a weather station. */
export const WEATHER_UNITS = { weather: 1, iem3155: 2, b23: 3 } as const;
/** Of its real speed while nobody talks to it: run instruction by instruction, it would take half a core. */
const BOARD_IDLE_PERCENT = 5;

export interface EquipmentSetting {
  /** Of each door, 32 hexadecimal digits; undefined: it is in install mode. */
  doorKey(doorId: string): string | undefined;
  /** Where the OPC UA servers keep their certificates; undefined: a new one at every start. */
  readonly pkiFolder: string | undefined;
}

/** One of the `devices` of a simulation's configuration. */
export interface PlacedDevice {
  readonly id: string;
  readonly kind: string;
  /** Ids, where it is a server of several signal controllers. */
  readonly cabinets?: readonly string[];
  readonly [member: string]: unknown;
}

/** `devices` of a simulation's configuration: signal controllers of one place share a server, the others stand alone. */
export function equipmentDevices(
  equipment: readonly PlacedEquipment[],
  setting: EquipmentSetting,
): readonly PlacedDevice[] {
  const junctions = equipment.filter(({ kind }) => kind === "junction");
  const others = equipment.flatMap(({ id, kind }) =>
    kind === "junction" ? [] : [{ id, ...MEMBERS[kind](id, setting) }],
  );
  return junctions.length === 0 ? others : [controllers(junctions, setting), ...others];
}

/** The device of the simulation in which this equipment is found. */
export function deviceIdOf({ id, kind }: PlacedEquipment): string {
  return kind === "junction" ? JUNCTIONS : id;
}

export function doorsOf(entranceId: string): readonly { readonly id: string; readonly address: number }[] {
  return Array.from({ length: DOORS_PER_ENTRANCE }, (_, at) => ({
    id: `${entranceId}-door-${at + 1}`,
    address: at,
  }));
}

/** All stand in one municipality. */
const JUNCTIONS = "junctions";

function controllers(junctions: readonly PlacedEquipment[], { pkiFolder }: EquipmentSetting): PlacedDevice {
  return {
    id: JUNCTIONS,
    kind: "traffic-controllers",
    cabinets: junctions.map(({ id }) => id),
    security: "secured",
    ...(pkiFolder !== undefined && { pkiFolder }),
  };
}

type MembersOf = (
  id: string,
  setting: EquipmentSetting,
) => {
  readonly kind: string;
  readonly [member: string]: unknown;
};
const MEMBERS: Readonly<Record<Exclude<EquipmentKind, "junction">, MembersOf>> = {
  "wire-junction": () => ({ kind: "wire-cabinet" }),
  barrier: () => ({ kind: "barrier" }),
  bollard: () => ({ kind: "bollard" }),
  entrance: (id, setting) => ({
    kind: "osdp-line",
    baud: DOOR_BAUD,
    doors: doorsOf(id).map((door) => {
      const key = setting.doorKey(door.id);
      return { ...door, ...(key !== undefined && { key }) };
    }),
  }),
  building: () => ({ kind: "building" }),
  counter: () => ({ kind: "modbus-counter" }),
  "text-counter": () => ({ kind: "people-counter", baud: COUNTER_BAUD }),
  "weather-station": () => ({
    kind: "rtu-line",
    baud: 19_200,
    parity: "even",
    units: [
      { unit: WEATHER_UNITS.weather, kind: "lufft-ws" },
      { unit: WEATHER_UNITS.iem3155, kind: "iem3000" },
      { unit: WEATHER_UNITS.b23, kind: "b23" },
    ],
  }),
  "io-board": () => ({ kind: "firmata-board", idlePercent: BOARD_IDLE_PERCENT }),
};
