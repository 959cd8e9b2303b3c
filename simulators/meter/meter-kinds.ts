import type { ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import type { RegisterBank } from "../modbus/register-bank.ts";
import { B23 } from "./b23.ts";
import { ConstantLoad, readLoad } from "./constant-load.ts";
import { Iem3000, type MeterOptions } from "./iem3000.ts";
import { Sdm630 } from "./sdm630.ts";

export const sdm630Kind = meterKind("Eastron SDM630", (options) => new Sdm630(options));
export const iem3000Kind = meterKind("Schneider iEM3155", (options) => new Iem3000(options));
export const b23Kind = meterKind("ABB B23", (options) => new B23(options));

/** A meter by itself, with a load that the control API changes. */
function meterKind(model: string, make: (options: MeterOptions) => RegisterBank): ModbusUnitKind {
  return {
    about: `${model} meter: "loadW": [W on L1, L2, L3] [1000,2000,3000]`,
    parse: (fields) => {
      const loadW = readLoad(fields);
      return (around) => {
        const load = new ConstantLoad({ ...around, loadW });
        const bank = make({ ...around, load });
        return { bank, actions: load.actions, view: () => load.view(), [Symbol.dispose]: () => {} };
      };
    },
  };
}
