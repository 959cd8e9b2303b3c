import type { Bus, Driver, DriverContext } from "../driver.ts";
import { type OpcUaBusConfig, parseBusConfig } from "./bus-config.ts";
import {
  choicesOf,
  footprintOf,
  type OpcUaAddress,
  parseOpcUaAddress,
  parseUnitAddress,
} from "./opcua-address.ts";
import { OpcUaBus } from "./opcua-bus.ts";
import { openConnection } from "./opcua-connection.ts";

/** OPC UA (OPC 10000, opc.tcp binary): Read, Write, Call and one subscription with data changes. */
export const opcuaDriver: Driver<OpcUaBusConfig, OpcUaAddress> = {
  name: "opcua",
  parseBusConfig,
  parseAddress: parseOpcUaAddress,
  parseUnitAddress,
  choices: choicesOf,
  footprint: footprintOf,
  openBus,
};

/** @throws {DeviceFault} `connection-lost`, or the signal's reason; nothing is left open then. */
async function openBus(
  config: OpcUaBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<OpcUaAddress>> {
  return new OpcUaBus(await openConnection(config, context, signal), config);
}
