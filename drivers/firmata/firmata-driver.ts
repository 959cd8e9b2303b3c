import type { Driver } from "../driver.ts";
import { type FirmataAddress, footprintOf, parseFirmataAddress } from "./firmata-address.ts";
import { openBus } from "./firmata-bus.ts";
import { type FirmataBusConfig, parseBusConfig, parseUnitAddress } from "./firmata-config.ts";

/** Boards with StandardFirmata 2.5: indicators, sensors, contacts. Nothing that can hurt somebody (DOMAIN E.7). */
export const firmataDriver: Driver<FirmataBusConfig, FirmataAddress> = {
  name: "firmata",
  parseBusConfig,
  parseAddress: parseFirmataAddress,
  parseUnitAddress,
  footprint: footprintOf,
  openBus,
};
