import { DeviceJournal } from "../device-journal.ts";
import type { ModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";
import { BarrierBank } from "./barrier-bank.ts";
import type { Flags } from "./barrier-flags.ts";
import { MovingBarrier } from "./moving-barrier.ts";

export const barrierKind = kindOf("barrier with an arm", 3_000);
export const bollardKind = kindOf("retractable bollard: open is lowered, closed is raised", 5_000);

function kindOf(what: string, travelMs: number): ModbusUnitKind {
  return {
    about: `${what}, on remote I/O: "travelMs" limit to limit [${travelMs}], "pulseMs" 500..1000 [700]`,
    parse: (fields) => {
      const settings = {
        travelMs: fields.optionalWholeNumber("travelMs", { min: 100, max: 60_000 }) ?? travelMs,
        pulseMs: fields.optionalWholeNumber("pulseMs", { min: 500, max: 1_000 }) ?? 700,
      };
      return (around) => new SimulatedBarrier(around, settings);
    },
  };
}

/** Plain actions: which flag they make of what. */
const TURNS: readonly { readonly name: string; readonly about: string; readonly set: Partial<Flags> }[] = [
  { name: "occupy-safety-loop", about: "a vehicle stands under the arm", set: { safetyLoop: true } },
  { name: "free-safety-loop", about: "it is gone", set: { safetyLoop: false } },
  { name: "occupy-entry-loop", about: "a vehicle waits in front", set: { entryLoop: true } },
  { name: "free-entry-loop", about: "it is gone", set: { entryLoop: false } },
  { name: "interrupt-photocell", about: "somebody is in the light beam", set: { photocell: true } },
  { name: "clear-photocell", about: "nobody is", set: { photocell: false } },
  { name: "press-edge", about: "the arm touches something", set: { edge: true } },
  { name: "release-edge", about: "it does not", set: { edge: false } },
  { name: "break-arm", about: "somebody drove through", set: { armMissing: true } },
  { name: "mount-arm", about: "a new arm", set: { armMissing: false } },
  { name: "turn-key-local", about: "a hand takes over at the device", set: { localKey: true } },
  { name: "turn-key-remote", about: "and gives it back", set: { localKey: false } },
  { name: "cut-mains", about: "the battery carries on", set: { mains: false } },
  { name: "restore-mains", about: "power is back; nothing moves by itself", set: { mains: true } },
  { name: "drain-battery", about: "the battery is empty", set: { batteryLow: true } },
  { name: "charge-battery", about: "and full", set: { batteryLow: false } },
  { name: "fire-alarm", about: "the fire brigade's input at the device", set: { fire: true } },
  { name: "end-fire-alarm", about: "it is over; nothing moves by itself", set: { fire: false } },
  { name: "jam", about: "the motor turns and nothing moves", set: { jammed: true } },
  {
    name: "repair",
    about: "motor and limit switches are sound again",
    set: { jammed: false, motorFault: false, openLimitStuck: undefined, closedLimitStuck: undefined },
  },
];

class SimulatedBarrier implements ModbusUnit {
  readonly actions: readonly DeviceAction[];
  readonly bank: BarrierBank;
  readonly #barrier: MovingBarrier;
  readonly #log: DeviceJournal;

  constructor(
    { id, journal, clock }: DeviceSurroundings,
    settings: { readonly travelMs: number; readonly pulseMs: number },
  ) {
    this.#log = new DeviceJournal(id, journal);
    this.#barrier = new MovingBarrier({ ...settings, clock, log: this.#log });
    this.bank = new BarrierBank({ ...settings, barrier: this.#barrier, log: this.#log, clock });
    this.actions = [...TURNS.map((turn) => this.#turn(turn)), this.#breakLimit()];
  }

  view(): object {
    const { flags, motion, cycles } = this.#barrier;
    const position = this.#barrier.position();
    const limits = this.#barrier.limits();
    return {
      state: this.#barrier.state(),
      position,
      motion,
      limits,
      cycles,
      ...flags,
      effects: this.#log.effects,
    };
  }

  [Symbol.dispose](): void {
    this.bank[Symbol.dispose]();
    this.#barrier[Symbol.dispose]();
  }

  #turn({ name, about, set }: (typeof TURNS)[number]): DeviceAction {
    const act = (): void => this.#barrier.set(set, { by: "control", action: name });
    return { name, about, prepare: () => act };
  }

  #breakLimit(): DeviceAction {
    const name = "break-limit";
    return {
      name,
      about: "a limit switch says the same all the time",
      takes: { limit: "open, closed", says: "on, off" },
      prepare: (fields) => {
        const limit = fields.oneOf("limit", ["open", "closed"]);
        const says = fields.oneOf("says", ["on", "off"]) === "on";
        const change = limit === "open" ? { openLimitStuck: says } : { closedLimitStuck: says };
        return () => this.#barrier.set(change, { by: "control", action: name });
      },
    };
  }
}
