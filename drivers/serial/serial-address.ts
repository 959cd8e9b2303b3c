import type { PointDefinition } from "../../domain/point.ts";
import { AddressError, type Footprint } from "../driver.ts";
import { type AsciiAddress, footprintOfAscii, parseAsciiAddress } from "./ascii/ascii-address.ts";
import { footprintOfOsdp, type OsdpAddress, parseOsdpAddress } from "./osdp/osdp-address.ts";

/** Where a point is, in the words of its unit's dialect. */
export type SerialAddress = OsdpAddress | AsciiAddress;

export const DIALECTS = ["ascii", "osdp"] as const;
export type Dialect = (typeof DIALECTS)[number];
const EXPECTED = `one of ${DIALECTS.join(", ")}`;

/** @throws {AddressError} */
export function parseSerialAddress(
  data: unknown,
  point: Pick<PointDefinition, "type" | "access">,
): SerialAddress {
  return dialectOf(data) === "osdp" ? parseOsdpAddress(data, point) : parseAsciiAddress(data, point);
}

export function footprintOf(address: SerialAddress): Footprint {
  return address.dialect === "osdp" ? footprintOfOsdp(address) : footprintOfAscii(address);
}

/** What the dialect of a bus or an address is. @throws {AddressError} */
export function dialectOf(data: unknown): Dialect {
  const told = typeof data === "object" && data !== null && "dialect" in data ? data.dialect : undefined;
  const found = DIALECTS.find((dialect) => dialect === told);
  if (found !== undefined) return found;
  throw new AddressError("/dialect", EXPECTED, `/dialect: write ${EXPECTED}`);
}
