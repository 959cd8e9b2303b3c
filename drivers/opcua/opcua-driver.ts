import type { Bus, Driver, DriverContext } from "../driver.ts";
import { type OpcUaBusConfig, parseBusConfig } from "./bus-config.ts";
import {
  choicesOf,
  footprintOf,
  type OpcUaAddress,
  parseOpcUaAddress,
  parseUnitAddress,
} from "./opcua-address.ts";

/**
 * OPC UA (OPC 10000, opc.tcp binary): Read, Write, Call and one subscription with data changes. The library (60 MB) is no
 * business of the core, which only checks what a site file says.
 */
export const opcuaDriver: Driver<OpcUaBusConfig, OpcUaAddress> = {
  name: "opcua",
  parseBusConfig,
  parseAddress: parseOpcUaAddress,
  parseUnitAddress,
  choices: choicesOf,
  footprint: footprintOf,
  load,
  openBus,
};

async function load() {
  const { OpcUaBus } = await import("./opcua-bus.ts");
  const { openConnection } = await import("./opcua-connection.ts");
  return { OpcUaBus, openConnection };
}

/** @throws {DeviceFault} `connection-lost`, or the signal's reason; nothing is left open then. */
async function openBus(
  config: OpcUaBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<OpcUaAddress>> {
  const { OpcUaBus, openConnection } = await load();
  return new OpcUaBus(await openConnection(config, context, signal), config);
}
