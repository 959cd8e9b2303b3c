import { listenOf } from "../endpoint.ts";
import type { Fields } from "../input-fields.ts";
import type { ControlledDevice, DeviceKind, DeviceSurroundings } from "../simulated-device.ts";
import { openModbusTcpServer } from "./modbus-tcp-server.ts";
import type { RegisterBank } from "./register-bank.ts";

/** A kind of device that is one unit on a Modbus line or socket, whichever that is. */
export interface ModbusUnitKind {
  /** See {@link DeviceKind.about}. */
  readonly about: string;
  /** Reads its own members; whoever carries it reads `unit`, and where it listens. @throws {InvalidField} */
  parse(fields: Fields): MakeModbusUnit;
}

export type MakeModbusUnit = (around: DeviceSurroundings) => ModbusUnit;

export interface ModbusUnit extends ControlledDevice, Disposable {
  readonly bank: RegisterBank;
}

/** The unit alone on a Modbus TCP socket. */
export function overTcp(kind: ModbusUnitKind): DeviceKind {
  return {
    about: kind.about,
    parse: (fields) => {
      const listen = listenOf(fields);
      const unit = fields.optionalWholeNumber("unit", { min: 0, max: 255 }) ?? 1;
      const make = kind.parse(fields);
      return async (around) => {
        const made = make(around);
        const units = new Map([[unit, made.bank]]);
        const server = await openModbusTcpServer({ ...listen, units, clock: around.clock });
        return {
          reach: { ...server.address, unit },
          faults: server.faults,
          actions: made.actions,
          view: () => made.view(),
          [Symbol.asyncDispose]: async () => {
            await server[Symbol.asyncDispose]();
            made[Symbol.dispose]();
          },
        };
      };
    },
  };
}
