import { sdm630Kind } from "./meter/sdm630-kind.ts";
import { type ModbusUnitKind, overTcp } from "./modbus/modbus-unit-kind.ts";
import { osdpDoorKind } from "./osdp/osdp-door-kind.ts";
import { registerBankKind } from "./register-bank/register-bank-kind.ts";
import { peopleCounterKind } from "./serial/people-counter-kind.ts";
import type { DeviceKind } from "./simulated-device.ts";

/** Every kind that is a Modbus unit, for sockets and lines alike. A new one is one line here. */
export const MODBUS_UNIT_KINDS: Readonly<Record<string, ModbusUnitKind>> = {
  "register-bank": registerBankKind,
  sdm630: sdm630Kind,
};

/** Every kind of device that a configuration may list. A new one that is no Modbus unit is one line here. */
export const DEVICE_KINDS: Readonly<Record<string, DeviceKind>> = {
  "osdp-door": osdpDoorKind,
  "people-counter": peopleCounterKind,
  ...Object.fromEntries(Object.entries(MODBUS_UNIT_KINDS).map(([name, kind]) => [name, overTcp(kind)])),
};
