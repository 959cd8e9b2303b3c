import { AddressError, type SiteFolders } from "../driver.ts";
import { type AsciiBusConfig, parseAsciiBusConfig } from "./ascii/ascii-bus-config.ts";
import { type OsdpBusConfig, parseOsdpBusConfig } from "./osdp/osdp-bus-config.ts";
import { dialectOf } from "./serial-address.ts";

/** A line speaks one dialect. */
export type SerialBusConfig = OsdpBusConfig | AsciiBusConfig;

/** @throws {AddressError} */
export function parseBusConfig(data: unknown, folders?: SiteFolders): SerialBusConfig {
  return dialectOf(data) === "osdp" ? parseOsdpBusConfig(data, folders) : parseAsciiBusConfig(data);
}

const UNIT = "a unit address from 0 to 126";

/**
 * OSDP: 0 … 126, as 127 is broadcast, which more than one unit would answer (SIA OSDP 2.2 §5.9). A text protocol without
 * unit addresses has 0. @throws {AddressError}
 */
export function parseUnitAddress(data: unknown): string {
  const text = typeof data === "number" ? String(data) : data;
  if (typeof text === "string" && /^\d{1,3}$/.test(text) && Number(text) <= 126) return String(Number(text));
  throw new AddressError(
    "",
    UNIT,
    `${JSON.stringify(data)} is no unit address of a serial line: write ${UNIT}`,
  );
}
