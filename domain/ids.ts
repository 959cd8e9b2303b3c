import type { Branded } from "./branded.ts";

/** A place with one gateway or more. */
export type SiteId = Branded<string, "SiteId">;
/** A gateway's place in the center's register; subject of its certificate. */
export type GatewayId = Branded<string, "GatewayId">;
/** One thing in the street; unique within its gateway. */
export type DeviceId = Branded<string, "DeviceId">;
/** A device model, e.g. `intesis-dali-lamp`. */
export type ProfileId = Branded<string, "ProfileId">;
/** An open line, socket or board; unique within its gateway. */
export type BusId = Branded<string, "BusId">;
/** `<device>/<point>`, e.g. `lamp-0042/dim-level`; unique within its gateway. */
export type PointId = Branded<string, "PointId">;
/** UUIDv7 in lower case: ordered by the time its maker believed in. */
export type CommandId = Branded<string, "CommandId">;
/** 128 random bits, 32 hexadecimal digits: one opening of one store (PROTOCOL §1). */
export type IncarnationId = Branded<string, "IncarnationId">;
/** 128 random bits, 32 hexadecimal digits: proof that a command is fresh; lives in RAM only (PROTOCOL §1). */
export type Token = Branded<string, "Token">;
/**
 * A point's number in one gateway's store: 1 … 2^32-1, given once, never reused while the store lives.
 * Stored and sent instead of the {@link PointId}; the CATALOGUE says which is which.
 */
export type PointNumber = Branded<number, "PointNumber">;

/** Lower-case words joined by hyphens: safe as an MQTT topic level, a file name and a URL segment. */
const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const SLUG_LENGTH_MAX = 64;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const HEX_128 = /^[0-9a-f]{32}$/;

/** Whether `text` is lower-case words joined by hyphens, at most 64 characters. */
export function isSlug(text: string): boolean {
  return text.length <= SLUG_LENGTH_MAX && SLUG.test(text);
}

/** @throws {RangeError} unless `text` is a slug, e.g. `dijon-centre`. */
export function SiteId(text: string): SiteId {
  return slug("site id", text) as SiteId;
}

/** @throws {RangeError} unless `text` is a slug, e.g. `gw-dijon`. */
export function GatewayId(text: string): GatewayId {
  return slug("gateway id", text) as GatewayId;
}

/** @throws {RangeError} unless `text` is a slug, e.g. `lamp-0042`. */
export function DeviceId(text: string): DeviceId {
  return slug("device id", text) as DeviceId;
}

/** @throws {RangeError} unless `text` is a slug. */
export function ProfileId(text: string): ProfileId {
  return slug("profile id", text) as ProfileId;
}

/** @throws {RangeError} unless `text` is a slug. */
export function BusId(text: string): BusId {
  return slug("bus id", text) as BusId;
}

/** @throws {RangeError} unless `text` is two slugs joined by `/`. */
export function PointId(text: string): PointId {
  const [device, point, ...rest] = text.split("/");
  if (device === undefined || point === undefined || rest.length > 0) {
    throw new RangeError(`point id ${JSON.stringify(text)} is not <device>/<point>`);
  }
  slug("device id", device);
  slug("point name", point);
  return text as PointId;
}

/** The point `name` of `device`. @throws {RangeError} unless `name` is a slug. */
export function pointIdOf(device: DeviceId, name: string): PointId {
  // A template's text keeps its parts beside the whole: 32 bytes more for each point of a site.
  return [device, slug("point name", name)].join("/") as PointId;
}

/** The two halves of a point id. */
export function splitPointId(id: PointId): { readonly device: DeviceId; readonly point: string } {
  const cut = id.indexOf("/");
  return { device: id.slice(0, cut) as DeviceId, point: id.slice(cut + 1) };
}

/** @throws {RangeError} unless `text` is a UUIDv7 in lower case. */
export function CommandId(text: string): CommandId {
  if (!UUID_V7.test(text))
    throw new RangeError(`command id ${JSON.stringify(text)} is not a UUIDv7 in lower case`);
  return text as CommandId;
}

/** @throws {RangeError} unless `text` is 32 hexadecimal digits in lower case. */
export function IncarnationId(text: string): IncarnationId {
  return hex128("incarnation", text) as IncarnationId;
}

/** @throws {RangeError} unless `text` is 32 hexadecimal digits in lower case. */
export function Token(text: string): Token {
  return hex128("token", text) as Token;
}

/** @throws {RangeError} unless `value` is an integer from 1 to 2^32-1. */
export function PointNumber(value: number): PointNumber {
  if (!Number.isInteger(value) || value < 1 || value > 0xffff_ffff) {
    throw new RangeError(`point number ${value} is not an integer from 1 to 4294967295`);
  }
  return value as PointNumber;
}

function slug(what: string, text: string): string {
  if (!isSlug(text)) {
    throw new RangeError(
      `${what} ${JSON.stringify(text)} is not lower-case words joined by hyphens, at most ${SLUG_LENGTH_MAX} characters`,
    );
  }
  return text;
}

function hex128(what: string, text: string): string {
  if (!HEX_128.test(text)) throw new RangeError(`${what} is not 32 hexadecimal digits in lower case`);
  return text;
}
