import { type AgeingConfig, type CabinetConfig, parseAgeing, parseCabinet } from "./city/cabinet-config.ts";
import { MAX_CHANNELS } from "./dali/dali-map.ts";
import type { FadeRule } from "./dali/gear-orders.ts";
import { GEARS_PER_CHANNEL } from "./dali/gear-state.ts";
import { DEVICE_KINDS } from "./device-kinds.ts";
import { type Endpoint, listenOf, parseEndpoint } from "./endpoint.ts";
import { Fields, InvalidField } from "./input-fields.ts";
import type { OpenDevice } from "./simulated-device.ts";
import { parseSky, type SkyConfig } from "./sky/sky.ts";

export interface GroupConfig {
  /** 0..15. */
  readonly group: number;
  /** Short addresses, the same on every channel. */
  readonly lamps: readonly number[];
}

export interface BridgeConfig {
  readonly id: string;
  readonly listen: Endpoint;
  /** Modbus unit id, 0..255. Default 1. */
  readonly unit: number;
  /** 1 or 2. Default 1. */
  readonly channels: number;
  /** Gears on each channel, at short addresses 0..lamps-1. Default 8. */
  readonly lamps: number;
  /** Default: group 0 all, 1 the even and 2 the odd short addresses. */
  readonly groups: readonly GroupConfig[];
  /** ms a level takes, or `dali`. Default 50. */
  readonly fade: FadeRule;
  /** Default 100. */
  readonly refreshMs: number;
  /** Default `exception`. */
  readonly holes: "exception" | "zero";
}

/** One device of a kind that `device-kinds.ts` lists, with its configuration checked. */
export interface DeviceConfig {
  readonly id: string;
  readonly kind: string;
  readonly open: OpenDevice;
}

export interface SimulationConfig {
  readonly seed: number;
  readonly bridges: readonly BridgeConfig[];
  readonly cabinets: readonly (Omit<CabinetConfig, "listen"> & { readonly listen: Endpoint })[];
  readonly devices: readonly DeviceConfig[];
  /** Absent: no lamp fails by itself. */
  readonly ageing: AgeingConfig | undefined;
  /** Absent: the sky of the machine's time, and street lamps stay as they are told. */
  readonly sky: SkyConfig | undefined;
  /** Absent: no HTTP control API. Loopback only. */
  readonly control: Endpoint | undefined;
  readonly journalFile: string | undefined;
  readonly journalCapacity: number | undefined;
}

const MAX_SOCKETS = 2_000;

/** Checks a whole configuration before any socket is opened. @throws {InvalidField} with the first field that is wrong. */
export function parseSimulationConfig(data: unknown): SimulationConfig {
  const fields = new Fields(data);
  const seed = fields.optionalWholeNumber("seed", { min: 0, max: 4_294_967_295 }) ?? 1;
  const bridges = optionalList(fields, "bridges").map((bridge, at) => parseBridge(bridge, `/bridges/${at}`));
  const cabinets = optionalList(fields, "cabinets").map((cabinet, at) => {
    const parsed = parseCabinet(cabinet, `/cabinets/${at}`);
    return { ...parsed, listen: parseEndpoint(parsed.listen, `/cabinets/${at}/listen`) };
  });
  const devices = optionalList(fields, "devices").map((device, at) => parseDevice(device, `/devices/${at}`));
  const sockets = bridges.length + cabinets.length + devices.length;
  if (sockets === 0 || sockets > MAX_SOCKETS) {
    throw new InvalidField("/bridges", `1 to ${MAX_SOCKETS} bridges, cabinets and devices`);
  }
  refuseRepeats({ bridges, cabinets, devices });
  const ageing = fields.has("ageing") ? parseAgeing(fields.raw("ageing")) : undefined;
  const sky = fields.has("sky") ? parseSky(fields.raw("sky")) : undefined;
  const control = fields.has("control") ? parseControl(fields) : undefined;
  const journalFile = fields.has("journalFile") ? fields.text("journalFile") : undefined;
  const journalCapacity = fields.optionalWholeNumber("journalCapacity", { min: 100, max: 10_000_000 });
  fields.refuseUnknown();
  return { seed, bridges, cabinets, devices, ageing, sky, control, journalFile, journalCapacity };
}

function parseBridge(data: unknown, pointer: string): BridgeConfig {
  const fields = new Fields(data, pointer);
  const id = fields.slug("id");
  const lamps = fields.optionalWholeNumber("lamps", { min: 0, max: GEARS_PER_CHANNEL }) ?? 8;
  const config = {
    id,
    listen: listenOf(fields),
    unit: fields.optionalWholeNumber("unit", { min: 0, max: 255 }) ?? 1,
    channels: fields.optionalWholeNumber("channels", { min: 1, max: MAX_CHANNELS }) ?? 1,
    lamps,
    groups: fields.has("groups") ? parseGroups(fields, lamps) : defaultGroups(lamps),
    fade: parseFade(fields),
    refreshMs: fields.optionalWholeNumber("refreshMs", { min: 0, max: 600_000 }) ?? 100,
    holes: fields.has("holes") ? fields.oneOf("holes", ["exception", "zero"]) : "exception",
  };
  fields.refuseUnknown();
  return config;
}

function parseDevice(data: unknown, pointer: string): DeviceConfig {
  const fields = new Fields(data, pointer);
  const id = fields.slug("id");
  const kind = fields.oneOf("kind", Object.keys(DEVICE_KINDS));
  const open = DEVICE_KINDS[kind]?.parse(fields);
  if (open === undefined) throw new InvalidField(`${pointer}/kind`, "a kind of device");
  fields.refuseUnknown();
  return { id, kind, open };
}

function parseFade(fields: Fields): FadeRule {
  if (!fields.has("fadeMs")) return 50;
  if (fields.raw("fadeMs") === "dali") return "dali";
  return fields.wholeNumber("fadeMs", { min: 0, max: 600_000 });
}

function parseGroups(fields: Fields, lamps: number): readonly GroupConfig[] {
  return fields.list("groups").map((data, at) => {
    const pointer = `${fields.pointerTo("groups")}/${at}`;
    const group = new Fields(data, pointer);
    const number = group.wholeNumber("group", { min: 0, max: 15 });
    const members = group.list("lamps").map((lamp, index) => {
      if (typeof lamp === "number" && Number.isInteger(lamp) && lamp >= 0 && lamp < lamps) return lamp;
      throw new InvalidField(`${pointer}/lamps/${index}`, `a short address below ${lamps}`);
    });
    group.refuseUnknown();
    return { group: number, lamps: members };
  });
}

function defaultGroups(lamps: number): readonly GroupConfig[] {
  const all = Array.from({ length: lamps }, (_, shortAddress) => shortAddress);
  return [
    { group: 0, lamps: all },
    { group: 1, lamps: all.filter((shortAddress) => shortAddress % 2 === 0) },
    { group: 2, lamps: all.filter((shortAddress) => shortAddress % 2 === 1) },
  ];
}

function parseControl(fields: Fields): Endpoint {
  const endpoint = parseEndpoint(fields.text("control"), "/control");
  if (endpoint.host !== "::1" && !endpoint.host.startsWith("127.")) {
    throw new InvalidField("/control", "a loopback address: whoever reaches it can break every lamp");
  }
  return endpoint;
}

function optionalList(fields: Fields, name: string): readonly unknown[] {
  return fields.has(name) ? fields.list(name) : [];
}

function refuseRepeats(lists: Readonly<Record<string, readonly { readonly id: string }[]>>): void {
  const seen = new Set<string>();
  for (const [name, list] of Object.entries(lists)) {
    for (const [at, { id }] of list.entries()) {
      if (seen.has(id)) throw new InvalidField(`/${name}/${at}/id`, `an id of its own; ${id} is taken`);
      seen.add(id);
    }
  }
}
