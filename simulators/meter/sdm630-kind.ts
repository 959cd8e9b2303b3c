import type { ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import { ConstantLoad, readLoad } from "./constant-load.ts";
import { Sdm630 } from "./sdm630.ts";

/** A meter by itself, with a load that the control API changes. */
export const sdm630Kind: ModbusUnitKind = {
  about: `Eastron SDM630 meter: "loadW": W on each phase, [[1000,2000,3000]]`,
  parse: (fields) => {
    const loadW = readLoad(fields);
    return ({ id, seed, journal, clock }) => {
      const load = new ConstantLoad({ id, loadW, journal, clock });
      const bank = new Sdm630({ id, seed, load, journal, clock });
      return { bank, actions: load.actions, view: () => load.view(), [Symbol.dispose]: () => {} };
    };
  },
};
