import type { Device } from "../../domain/device.ts";
import type { BusId, DeviceId, GatewayId, PointId, PointNumber, SiteId } from "../../domain/ids.ts";
import type { PollClass, SitePoint } from "../../domain/point.ts";
import type { Profile, Service } from "../../domain/profile.ts";
import type { Millis } from "../../domain/time.ts";
import type { DriverName } from "../../drivers/registry.ts";

/** A site file with its profiles, checked whole and resolved: what every part of the gateway is built from. */
export interface Site {
  readonly siteId: SiteId;
  readonly gatewayId: GatewayId;
  readonly name: string;
  /** Absent: this gateway works alone. */
  readonly center?: CenterLink;
  readonly broker: BrokerSettings;
  /** Folder of the store, keys and sockets; absolute. */
  readonly dataFolder: string;
  /** Room for the store, and what of it is kept back for lane A on a full disk. */
  readonly store: { readonly quotaBytes: number; readonly ballastBytes: number };
  readonly buses: readonly SiteBus[];
  readonly devices: readonly Device[];
  /** Those that the devices use. */
  readonly profiles: readonly Profile[];
}

export interface CenterLink {
  /** `https://host:port` of the center's gateway listener. */
  readonly url: string;
  /** Ceiling of the first random wait after an outage; it doubles up to `reconnectMax` (PROTOCOL §3). Default 60 s. */
  readonly reconnectMin: Millis;
  /** Default 5 min. */
  readonly reconnectMax: Millis;
}

export interface BrokerSettings {
  /** Loopback unless the site says otherwise. */
  readonly host: string;
  /** 0: given by the system, told by `nerve status`. Default 1883. */
  readonly port: number;
  /** User names and scrypt hashes, one a line; absent: nobody may connect. */
  readonly passwordFile?: string;
}

export interface SiteBus {
  readonly id: BusId;
  readonly driver: DriverName;
  /** Parsed by the driver; only it knows the type. Structured-cloneable, so that it can cross to a field host. */
  readonly config: unknown;
  /** Buses of one group share a field host; default: the service of the devices on it. */
  readonly isolationGroup: Service | string;
  readonly requestTimeout: Millis;
  readonly pollIntervals: Readonly<Record<PollClass, Millis>>;
}

/** A site before the store has numbered its points: what `loadSite` gives, since the site file names the store's folder. */
export type UnnumberedSite = Omit<Site, "devices"> & { readonly devices: readonly UnnumberedDevice[] };
export type UnnumberedDevice = Omit<Device, "points"> & { readonly points: readonly UnnumberedPoint[] };
export type UnnumberedPoint = Omit<SitePoint, "number">;

/** Numbers of the points, given by the store: same for the same id for as long as the store lives. */
export type NumberPoints = (ids: readonly PointId[]) => ReadonlyMap<PointId, PointNumber>;

/** A point with the device it belongs to, found by id: what admission, broker and API ask for. */
export interface PointOfDevice {
  readonly device: Device;
  readonly point: SitePoint;
}

/** The points of a site by id and number; built once. Two numbers a point: a table of objects took 180 bytes. */
export class PointIndex {
  readonly #devices: readonly Device[];
  readonly #byId: ReadonlyMap<DeviceId, Device>;
  /** By point number: place of its device and place in that. -1: no such point. */
  readonly #deviceOf: Int32Array;
  readonly #placeOf: Int32Array;
  readonly size: number;

  constructor({ devices }: Site) {
    this.#devices = devices;
    this.#byId = new Map(devices.map((device) => [device.id, device]));
    let highest = 0;
    let size = 0;
    for (const { points } of devices) {
      size += points.length;
      for (const { number } of points) highest = Math.max(highest, number);
    }
    this.size = size;
    this.#deviceOf = new Int32Array(highest + 1).fill(-1);
    this.#placeOf = new Int32Array(highest + 1);
    for (const [index, { points }] of devices.entries()) {
      for (const [place, { number }] of points.entries()) {
        this.#deviceOf[number] = index;
        this.#placeOf[number] = place;
      }
    }
  }

  find(id: PointId): PointOfDevice | undefined {
    const slash = id.indexOf("/");
    const device = this.#byId.get(id.slice(0, Math.max(0, slash)) as DeviceId);
    const point = device?.points.find((each) => each.id === id);
    return device === undefined || point === undefined ? undefined : { device, point };
  }

  findByNumber(number: PointNumber): PointOfDevice | undefined {
    const device = this.#devices[this.#deviceOf[number] ?? -1];
    const point = device?.points[this.#placeOf[number] ?? -1];
    return device === undefined || point === undefined ? undefined : { device, point };
  }
}

/** Poll intervals where the site file names none (DOMAIN C.4). */
export const DEFAULT_POLL_INTERVALS_MS: Readonly<Record<PollClass, number>> = {
  "safety-status": 250,
  fast: 1_000,
  normal: 5_000,
  meter: 60_000,
  lamp: 30_000,
  slow: 900_000,
};
