import type { Bus, Driver, DriverContext } from "../driver.ts";
import { type ModbusBusConfig, parseBusConfig, parseUnitAddress } from "./bus-config.ts";
import { footprintOf, type ModbusAddress, parseModbusAddress } from "./modbus-address.ts";
import { ModbusBus } from "./modbus-bus.ts";
import { ModbusClient } from "./modbus-client.ts";
import type { ModbusPort } from "./modbus-port.ts";
import { TcpPort } from "./tcp-port.ts";

/** MODBUS Application Protocol V1.1b3: functions 1 to 6, 15 and 16. */
export const modbusDriver: Driver<ModbusBusConfig, ModbusAddress> = {
  name: "modbus",
  parseBusConfig,
  parseAddress: parseModbusAddress,
  parseUnitAddress,
  footprint: footprintOf,
  openBus,
};

/** @throws {DeviceFault} `connection-lost`, or the signal's reason; nothing is left open then. */
async function openBus(
  config: ModbusBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<Bus<ModbusAddress>> {
  signal.throwIfAborted();
  const port = openPort(config, context);
  const client = new ModbusClient(port);
  const abort = (): void => port.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await client.open(`open ${config.transport} ${config.host}:${config.port}`);
    signal.throwIfAborted();
    return new ModbusBus(port, client, config);
  } catch (error) {
    port.destroy();
    await port.lost;
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The only place that tells transports apart. */
function openPort(config: ModbusBusConfig, context: DriverContext): ModbusPort {
  const { host, port, connectTimeout, requestTimeout = context.requestTimeout } = config;
  const { clock, frames } = context;
  return new TcpPort({ host, port, connectTimeout, requestTimeout, clock, frames });
}
