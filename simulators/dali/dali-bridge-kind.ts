import { InvalidField } from "../input-fields.ts";
import type { ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import type { DeviceAction } from "../simulated-device.ts";
import { DaliBridge } from "./dali-bridge.ts";
import { GEARS_PER_CHANNEL } from "./gear-state.ts";
import { LAMP_ACTIONS } from "./lamp-control.ts";

/** A bridge with lamps on one channel, on whatever carries Modbus. */
export const daliBridgeKind: ModbusUnitKind = {
  about: 'Intesis INMBSDAL bridge: "lamps" at short addresses 0 and on, 0..64 [8], "fadeMs" [50]',
  parse: (fields) => {
    const lamps = fields.optionalWholeNumber("lamps", { min: 0, max: GEARS_PER_CHANNEL }) ?? 8;
    const fade = fields.optionalWholeNumber("fadeMs", { min: 0, max: 600_000 }) ?? 50;
    return ({ id, seed, journal, clock }) => {
      const gears = Array.from({ length: lamps }, (_, shortAddress) => ({
        channel: 0,
        shortAddress,
        groups: 1,
      }));
      const options = {
        id,
        channels: 1,
        gears,
        seed,
        fade,
        refreshMs: 100,
        holes: "exception",
        journal,
        clock,
      } as const;
      const bank = new DaliBridge(options);
      const view = (): object => ({ lamps: bank.lamps() });
      return { bank, actions: [treatAction(bank)], view, [Symbol.dispose]: () => {} };
    };
  },
};

function treatAction(bridge: DaliBridge): DeviceAction {
  return {
    name: "treat-lamp",
    about: "breaks, freezes or repairs one lamp",
    takes: { lamp: "its id", how: LAMP_ACTIONS.join(", ") },
    prepare: (fields) => {
      const lamp = fields.text("lamp");
      const how = fields.oneOf("how", LAMP_ACTIONS);
      if (bridge.findLamp(lamp) === undefined)
        throw new InvalidField(fields.pointerTo("lamp"), "a lamp of this bridge");
      return () => void bridge.treat(lamp, how);
    },
  };
}
