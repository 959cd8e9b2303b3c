import { DeviceJournal } from "../device-journal.ts";
import type { ModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";
import { WireBank } from "./wire-bank.ts";
import { type JunctionFlags, WireJunction } from "./wire-junction.ts";

/** A junction with an older controller: take-over, flashing, plan and phase-end by wires on remote I/O. */
export const wireCabinetKind: ModbusUnitKind = {
  about: `junction controller by wires (P99-110 style) on remote I/O: "watchdogSec" 2..60 [10]`,
  parse: (fields) => {
    const watchdogSec = fields.optionalWholeNumber("watchdogSec", { min: 2, max: 60 }) ?? 10;
    return (around) => new SimulatedWireCabinet(around, watchdogSec);
  },
};

const TURNS: readonly {
  readonly name: string;
  readonly about: string;
  readonly set: Partial<JunctionFlags>;
}[] = [
  {
    name: "turn-police-key",
    about: "the police take the junction: flashing at once",
    set: { policeKey: true },
  },
  { name: "return-police-key", about: "they give it back", set: { policeKey: false } },
  { name: "open-local-panel", about: "somebody works at the controller's panel", set: { localPanel: true } },
  { name: "close-local-panel", about: "nobody does", set: { localPanel: false } },
  { name: "open-door", about: "the cabinet is open", set: { doorOpen: true } },
  { name: "close-door", about: "and shut", set: { doorOpen: false } },
  { name: "cut-mains", about: "the junction is dark", set: { mains: false } },
  { name: "restore-mains", about: "it begins with its first stage", set: { mains: true } },
  { name: "break-lamp", about: "a lamp has failed", set: { lampFault: true } },
  { name: "replace-lamp", about: "a new lamp", set: { lampFault: false } },
];

class SimulatedWireCabinet implements ModbusUnit {
  readonly actions: readonly DeviceAction[];
  readonly bank: WireBank;
  readonly #junction: WireJunction;
  readonly #log: DeviceJournal;

  constructor({ id, journal, clock }: DeviceSurroundings, watchdogSec: number) {
    this.#log = new DeviceJournal(id, journal);
    this.#junction = new WireJunction(clock, this.#log);
    this.bank = new WireBank({ junction: this.#junction, watchdogSec, log: this.#log, clock });
    this.actions = TURNS.map(({ name, about, set }) => ({
      name,
      about,
      prepare: () => () => this.#junction.set(set, { by: "control", action: name }),
    }));
  }

  view(): object {
    const { mode, stage, plan, coordinated, flags } = this.#junction;
    return { mode, stage, plan, coordinated, ...flags, effects: this.#log.effects };
  }

  [Symbol.dispose](): void {
    this.bank[Symbol.dispose]();
    this.#junction[Symbol.dispose]();
  }
}
