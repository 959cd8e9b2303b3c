import type { ProfileId } from "./ids.ts";
import type { PointDefinition } from "./point.ts";
import type { PointValue } from "./reading.ts";
import type { Millis } from "./time.ts";

/** The four services of a city; also the default isolation groups of field hosts. */
export const SERVICES = ["lighting", "traffic", "access", "sensing"] as const;
export type Service = (typeof SERVICES)[number];

/** Every device class and the service it belongs to. */
export const DEVICE_CLASSES = {
  streetlight: "lighting",
  "segment-cabinet": "lighting",
  "traffic-cabinet": "traffic",
  barrier: "access",
  bollard: "access",
  "access-point": "access",
  meter: "lighting",
  "weather-station": "sensing",
  counter: "sensing",
  building: "sensing",
  "io-board": "sensing",
} as const satisfies Record<string, Service>;
export type DeviceClass = keyof typeof DEVICE_CLASSES;

/** A number that the site file sets for each device, e.g. a DALI short address. */
export interface ProfileParameter {
  readonly min: number;
  readonly max: number;
  /** Taken when the site file sets none. */
  readonly default?: number;
}

/** What one model does differently from its protocol, as a named flag with the reason. */
export interface Quirk {
  readonly flag: "settle-before-read-back" | "registers-per-read";
  /** In milliseconds for times. */
  readonly value: number;
  readonly why: string;
}

/**
 * One thing that must be so if the device is the model that its profile describes: a model text, a voltage that is
 * plausible. Read once the unit answers, before any of its values is told; all checks must hold.
 */
export type ProbeCheck = {
  /** A point of the profile that can be read. */
  readonly point: string;
  /** What it would mean otherwise, for whoever stands before the cabinet. */
  readonly why: string;
} & (
  | { readonly equals: PointValue }
  | { readonly oneOf: readonly PointValue[] }
  /** A regular expression (ECMAScript, `u`) that a text must match in whole or in part, as it is written. */
  | { readonly matches: string }
  /** Inclusive, in the point's unit. */
  | { readonly min: number; readonly max: number }
);

/** Data that describes a device model: the only place that knows one. */
export interface Profile {
  readonly id: ProfileId;
  /** Who makes it and what it is, for people. */
  readonly title: string;
  readonly class: DeviceClass;
  /** Name in the driver registry. */
  readonly driver: string;
  readonly parameters: Readonly<Record<string, ProfileParameter>>;
  /** Addresses may hold linear forms of the parameters; they are resolved for each device by `gateway/site`. */
  readonly points: readonly PointDefinition[];
  readonly quirks: readonly Quirk[];
  /** Whether it is really that device; absent: nobody can tell. */
  readonly probe?: readonly ProbeCheck[];
  /** Whether devices of this profile list `members` in the site file (a group). */
  readonly group: "none" | "members";
  /** SHA-256 of the profile's file, hexadecimal: tells the center when points changed their meaning. */
  readonly hash: string;
}

/** How long to wait after a write before the first read-back; 0 where the profile names no quirk. */
export function settleTime(quirks: readonly Quirk[]): Millis {
  return (quirks.find((quirk) => quirk.flag === "settle-before-read-back")?.value ?? 0) as Millis;
}
