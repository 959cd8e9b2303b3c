import type { Logger } from "pino";
import type { Clock } from "../../domain/time.ts";
import { AddressError, type KeyedUnit, UnitKeyError } from "../../drivers/driver.ts";
import { loadRegisteredDriver } from "./host/load-registered-driver.ts";
import type { FieldBusSource } from "./plan-field.ts";

/**
 * Gives a unit of the bus a key of its own. The line has to be free: the gateway is stopped, or does not have this bus.
 * @throws {DeviceFault | UnitKeyError | AddressError}
 */
export async function giveKey(
  bus: Pick<FieldBusSource, "driver" | "config" | "requestTimeout">,
  unit: { readonly address: string; readonly before: KeyedUnit["before"] },
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const driver = await loadRegisteredDriver(bus.driver);
  if (driver.giveKey === undefined) throw new UnitKeyError(`units of a ${bus.driver} bus have no keys`);
  const address = driver.parseUnitAddress(unit.address, bus.config);
  const context = { clock, logger, requestTimeout: bus.requestTimeout, frames: () => {} };
  await driver.giveKey(bus.config, { address, before: unit.before }, context, signal);
}

/** Whether it is the person at the door who mends it: a key file, an address, a bus without keys. */
export function isKeyRefusal(error: unknown): boolean {
  return error instanceof UnitKeyError || error instanceof AddressError;
}
