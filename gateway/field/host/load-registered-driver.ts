import type { Driver } from "../../../drivers/driver.ts";
import { DRIVER_NAMES, isDriverName, loadDriver } from "../../../drivers/registry.ts";

/** Loads only this driver's code. @throws {RangeError} for a name that is not in the registry: a bug, sites are checked. */
export async function loadRegisteredDriver(name: string): Promise<Driver> {
  if (!isDriverName(name)) throw new RangeError(`no driver ${name}; there are ${DRIVER_NAMES.join(", ")}`);
  return await loadDriver(name);
}
