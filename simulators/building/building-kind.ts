import { DeviceJournal } from "../device-journal.ts";
import type { ModbusUnit, ModbusUnitKind } from "../modbus/modbus-unit-kind.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
} from "../modbus/register-bank.ts";
import { imageWords } from "../modbus/register-words.ts";
import { seededChance } from "../seeded-chance.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";

/** A supervised loop: resistors at its end tell four states apart. */
const LOOP_STATES = ["normal", "alarm", "cut", "short"] as const;
type LoopState = (typeof LOOP_STATES)[number];
/** mV across the loop at its terminals of the analog input: 10 V through 2k2, two resistors of 2k2 at the end. */
const LOOP_MV: Readonly<Record<LoopState, number>> = { short: 40, normal: 5_000, alarm: 6_667, cut: 9_960 };
/** The resistors' tolerance and the converter's noise. */
const SPREAD_MV = 250;
const LOOPS = 4;
const CONTACTS = ["smoke", "flood", "boiler-fault", "door-open", "on-battery"] as const;
const TEMPERATURE_MIN_C = -40;

/** A municipal building's remote I/O; neutral map revision 2 (docs/devices.md, building). */
export const buildingKind: ModbusUnitKind = {
  about: "building I/O: four supervised loops, contacts, a room temperature; no members of its own",
  parse: () => (around) => new Building(around),
};

class Building implements ModbusUnit {
  readonly actions: readonly DeviceAction[];
  readonly bank: RegisterBank;
  readonly #log: DeviceJournal;
  readonly #loops: LoopState[] = Array.from({ length: LOOPS }, () => "normal");
  /** Each loop's resistors are off by so much, mV. */
  readonly #offsets: readonly number[];
  readonly #contacts = new Set<string>();
  #temperatureC = 20.5;
  #pulses = 0;

  constructor({ id, seed, journal }: DeviceSurroundings) {
    this.#log = new DeviceJournal(id, journal);
    const chance = seededChance(seed);
    this.#offsets = this.#loops.map(() => Math.round((chance() - 0.5) * SPREAD_MV));
    this.bank = {
      readDiscrete: (address, count) => slice(this.#inputs(), address, count),
      readInput: (address, count) => slice(this.#words(), address, count),
      writeNotExecuted: (request, reason) => this.#log.refused(request, reason),
    };
    this.actions = [this.#setLoop(), ...this.#contactActions(), this.#setTemperature(), this.#countPulses()];
  }

  view(): object {
    const contacts = Object.fromEntries(CONTACTS.map((contact) => [contact, this.#contacts.has(contact)]));
    return { loops: this.#loops, ...contacts, temperatureC: this.#temperatureC, pulses: this.#pulses };
  }

  [Symbol.dispose](): void {
    // Memory only.
  }

  #inputs(): readonly number[] {
    return CONTACTS.map((contact) => Number(this.#contacts.has(contact)));
  }

  #words(): readonly number[] {
    const loops = this.#loops.map((state, at) => {
      const nominal = LOOP_MV[state];
      // At both ends of the scale the resistors have no part in it.
      return state === "normal" || state === "alarm" ? nominal + (this.#offsets[at] ?? 0) : nominal;
    });
    const tenths = Math.round(this.#temperatureC * 10) & 0xffff;
    const pulses = [Math.floor(this.#pulses / 65_536), this.#pulses % 65_536];
    return [...loops, tenths, ...pulses, ...imageWords(this.#inputs())];
  }

  #setLoop(): DeviceAction {
    return {
      name: "set-loop",
      about: "an intruder, a cut wire, a short",
      takes: { loop: `1..${LOOPS}`, state: LOOP_STATES.join(", ") },
      prepare: (fields) => {
        const at = fields.wholeNumber("loop", { min: 1, max: LOOPS }) - 1;
        const state = fields.oneOf("state", LOOP_STATES);
        return () => {
          const from = LOOP_STATES.indexOf(this.#loops[at] ?? "normal");
          this.#loops[at] = state;
          const change = { what: `loop-${at + 1}`, from, to: LOOP_STATES.indexOf(state) };
          this.#log.effect({ by: "control", action: "set-loop" }, [change]);
        };
      },
    };
  }

  #contactActions(): readonly DeviceAction[] {
    return (["make-contact", "break-contact"] as const).map((name) => ({
      name,
      about: name === "make-contact" ? "the relay picks up" : "and drops",
      takes: { contact: CONTACTS.join(", ") },
      prepare: (fields) => {
        const contact = fields.oneOf("contact", CONTACTS);
        return () => {
          const from = Number(this.#contacts.has(contact));
          if (name === "make-contact") this.#contacts.add(contact);
          else this.#contacts.delete(contact);
          const to = Number(this.#contacts.has(contact));
          this.#log.effect({ by: "control", action: name }, [{ what: contact, from, to }]);
        };
      },
    }));
  }

  #setTemperature(): DeviceAction {
    return {
      name: "set-temperature",
      about: "of the room",
      takes: { celsius: `${TEMPERATURE_MIN_C}..80` },
      prepare: (fields) => {
        const to = fields.number("celsius", { min: TEMPERATURE_MIN_C, max: 80 });
        return () => {
          const from = this.#temperatureC;
          this.#temperatureC = to;
          this.#log.effect({ by: "control", action: "set-temperature" }, [{ what: "temperature", from, to }]);
        };
      },
    };
  }

  #countPulses(): DeviceAction {
    return {
      name: "count-pulses",
      about: "of the building's meter",
      takes: { pulses: "1..1000000" },
      prepare: (fields) => {
        const more = fields.wholeNumber("pulses", { min: 1, max: 1_000_000 });
        return () => {
          const from = this.#pulses;
          this.#pulses += more;
          this.#log.effect({ by: "control", action: "count-pulses" }, [
            { what: "pulses", from, to: this.#pulses },
          ]);
        };
      },
    };
  }
}

function slice(table: readonly number[], address: number, count: number): ReadAnswer {
  if (address + count > table.length) return new ModbusException(ILLEGAL_DATA_ADDRESS);
  return table.slice(address, address + count);
}
