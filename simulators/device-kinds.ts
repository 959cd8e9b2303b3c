import { barrierKind, bollardKind } from "./access/barrier-kinds.ts";
import { buildingKind } from "./building/building-kind.ts";
import { modbusCounterKind } from "./counter/modbus-counter-kind.ts";
import { daliBridgeKind } from "./dali/dali-bridge-kind.ts";
import { firmataBoardKind } from "./firmata/firmata-board-kind.ts";
import { rtuLineKind } from "./line/rtu-line-kind.ts";
import { b23Kind, iem3000Kind, sdm630Kind } from "./meter/meter-kinds.ts";
import { type ModbusUnitKind, overTcp } from "./modbus/modbus-unit-kind.ts";
import { trafficControllersKind } from "./opcua/traffic-controllers-kind.ts";
import { osdpDoorKind } from "./osdp/osdp-door-kind.ts";
import { osdpLineKind } from "./osdp/osdp-line-kind.ts";
import { registerBankKind } from "./register-bank/register-bank-kind.ts";
import { peopleCounterKind } from "./serial/people-counter-kind.ts";
import type { DeviceKind } from "./simulated-device.ts";
import { wireCabinetKind } from "./traffic/wire-cabinet-kind.ts";
import { lufftWsKind } from "./weather/lufft-ws-kind.ts";

/** Every kind that is a Modbus unit, for sockets and lines alike. A new one is one line here. */
export const MODBUS_UNIT_KINDS: Readonly<Record<string, ModbusUnitKind>> = {
  "dali-bridge": daliBridgeKind,
  "register-bank": registerBankKind,
  sdm630: sdm630Kind,
  iem3000: iem3000Kind,
  b23: b23Kind,
  "lufft-ws": lufftWsKind,
  barrier: barrierKind,
  bollard: bollardKind,
  "wire-cabinet": wireCabinetKind,
  "modbus-counter": modbusCounterKind,
  building: buildingKind,
};

/** Every kind of device that a configuration may list. A new one that is no Modbus unit is one line here. */
export const DEVICE_KINDS: Readonly<Record<string, DeviceKind>> = {
  "firmata-board": firmataBoardKind,
  "osdp-door": osdpDoorKind,
  "osdp-line": osdpLineKind,
  "people-counter": peopleCounterKind,
  "rtu-line": rtuLineKind(MODBUS_UNIT_KINDS),
  ...Object.fromEntries(Object.entries(MODBUS_UNIT_KINDS).map(([name, kind]) => [name, overTcp(kind)])),
  "traffic-controllers": trafficControllersKind,
};
