import { type Bus, type Driver, type DriverContext, type KeyedUnit, UnitKeyError } from "../driver.ts";
import { openAsciiBus } from "./ascii/ascii-bus.ts";
import { parseBusConfig, parseUnitAddress, type SerialBusConfig } from "./bus-config.ts";
import { giveUnitKey } from "./osdp/give-unit-key.ts";
import { openOsdpBus } from "./osdp/osdp-bus.ts";
import { footprintOf, parseSerialAddress, type SerialAddress } from "./serial-address.ts";

/** Serial protocols: OSDP 2.2 (IEC 60839-11-5) as the panel, and ASCII protocols as profiles declare them. */
export const serialDriver: Driver<SerialBusConfig, SerialAddress> = {
  name: "serial",
  parseBusConfig,
  parseAddress: parseSerialAddress,
  parseUnitAddress,
  footprint: footprintOf,
  openBus,
  giveKey,
};

function openBus(
  config: SerialBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<SerialAddress>> {
  return config.dialect === "osdp"
    ? openOsdpBus(config, context, signal)
    : openAsciiBus(config, context, signal);
}

async function giveKey(
  config: SerialBusConfig,
  unit: KeyedUnit,
  context: DriverContext,
  signal: AbortSignal,
): Promise<void> {
  if (config.dialect === "osdp") await giveUnitKey(config, unit, context, signal);
  else throw new UnitKeyError(`units of the dialect ${config.dialect} have no keys`);
}
