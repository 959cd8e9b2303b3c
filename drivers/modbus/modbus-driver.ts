import type { Bus, Driver, DriverContext } from "../driver.ts";
import { openByteLine } from "../line/open-line.ts";
import { type ModbusBusConfig, parseBusConfig, parseUnitAddress } from "./bus-config.ts";
import { footprintOf, type ModbusAddress, parseModbusAddress } from "./modbus-address.ts";
import { ModbusBus } from "./modbus-bus.ts";
import { ModbusClient } from "./modbus-client.ts";
import type { ModbusPort } from "./modbus-port.ts";
import { RtuPort } from "./rtu/rtu-port.ts";
import { silenceBetweenFrames } from "./rtu/rtu-timing.ts";
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
  const port = await openPort(config, context, signal);
  const client = new ModbusClient(port);
  const abort = (): void => port.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await client.open(`open ${nameOf(config)}`);
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
async function openPort(
  config: ModbusBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<ModbusPort> {
  const { requestTimeout = context.requestTimeout } = config;
  const { clock, frames } = context;
  if (config.transport === "tcp") {
    const { host, port, connectTimeout } = config;
    return new TcpPort({ host, port, connectTimeout, requestTimeout, clock, frames });
  }
  const line = await openByteLine(config.line, context, signal);
  const silence = silenceBetweenFrames({ baud: config.line.baud, characterTime: line.characterTime });
  return new RtuPort(line, { requestTimeout, silence, clock, frames });
}

const nameOf = (config: ModbusBusConfig): string =>
  config.transport === "tcp" ? `tcp ${config.host}:${config.port}` : config.transport;
