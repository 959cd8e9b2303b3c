import type { Driver } from "./driver.ts";

/** Every protocol the gateway speaks, loaded when a site first uses it. A new driver is one line here. */
const DRIVERS = {
  firmata: () => import("./firmata/firmata-driver.ts").then((module) => module.firmataDriver),
  modbus: () => import("./modbus/modbus-driver.ts").then((module) => module.modbusDriver),
  opcua: () => import("./opcua/opcua-driver.ts").then((module) => module.opcuaDriver),
  serial: () => import("./serial/serial-driver.ts").then((module) => module.serialDriver),
} as const satisfies Record<string, () => Promise<unknown>>;

export type DriverName = keyof typeof DRIVERS;
export const DRIVER_NAMES = Object.keys(DRIVERS) as readonly DriverName[];

export function isDriverName(name: string): name is DriverName {
  return Object.hasOwn(DRIVERS, name);
}

/** Its address and configuration types are its own business: what it parsed goes back only to it. */
export async function loadDriver(name: DriverName): Promise<Driver> {
  return (await DRIVERS[name]()) as Driver;
}
