import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { SimulatorClock } from "../clock.ts";
import { DeviceJournal } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";
import type { LineEnd } from "../line/line-end.ts";
import { LINE_HELP, lineEndOf } from "../line/open-line-end.ts";
import type { DeviceAction, DeviceKind, DeviceSurroundings, SimulatedDevice } from "../simulated-device.ts";
import { ArduinoUno, CLOCK_HZ, FLASH_BYTES, PIN_COUNT, SUPPLY_V } from "./arduino-uno.ts";
import { readIntelHex } from "./intel-hex.ts";

const FIRMWARE = "avrgirl-arduino/junk/hex/uno/StandardFirmata.cpp.hex";
const SLICE_MS = 4;
/** While nobody talks to a board with a slow pace. */
const IDLE_SLICE_MS = 20;
/** A machine that was busy elsewhere makes up for this much at most; the rest the board just did not live. */
const CATCH_UP_MS = 40;
/** Bytes on the line, its own too, wake the board from its slow pace for this long after the last. */
const AWAKE_MS = 15;
/** It is awake after power-up until the firmware has spoken (1.9 s), or for so much of its own time. */
const BOOT_CYCLES = 3 * CLOCK_HZ;
/** Of each cycle that passes until then: the firmware blinks its version on the LED and waits by its timer in between. */
const LOST_IN_BOOT = 19;
const CHANNELS = 6;
const MILLIVOLTS = { min: 0, max: 1_000 * SUPPLY_V };

/** An Arduino Uno with genuine StandardFirmata 2.5, run instruction by instruction. */
export const firmataBoardKind: DeviceKind = {
  about: `Arduino Uno with StandardFirmata: "idlePercent" 1 to 100 of its real speed while nobody talks to it, default 100; ${LINE_HELP}`,
  parse: (fields) => {
    const idlePercent = fields.optionalWholeNumber("idlePercent", { min: 1, max: 100 }) ?? 100;
    const openLine = lineEndOf(fields);
    return async (around) => new SimulatedBoard(await openLine(), idlePercent, around);
  },
};

class SimulatedBoard implements SimulatedDevice {
  readonly reach: object;
  readonly actions: readonly DeviceAction[];
  readonly #line: LineEnd;
  readonly #log: DeviceJournal;
  readonly #clock: SimulatorClock;
  readonly #idlePercent: number;
  readonly #levels = new Uint8Array(PIN_COUNT);
  readonly #duties = new Map<number, number>();
  readonly #inputs = new Map<string, number>();
  #uno: ArduinoUno | undefined;
  #lastMs = 0;
  #awakeUntilMs = 0;
  #isBooting = false;
  #outgoing: number[] = [];
  #cancel = (): void => {};

  constructor(line: LineEnd, idlePercent: number, { id, journal, clock }: DeviceSurroundings) {
    this.#line = line;
    this.#idlePercent = idlePercent;
    this.#log = new DeviceJournal(id, journal);
    this.#clock = clock;
    this.reach = line.reach;
    this.actions = [this.#inputAction(), this.#voltageAction(), this.#resetAction(), this.#powerAction()];
    line.onBytes((bytes) => {
      this.#wake();
      this.#uno?.receive(bytes);
    });
    this.#powerUp();
    this.#tick();
  }

  view(): object {
    return {
      powered: this.#uno !== undefined,
      pins: [...this.#levels],
      duties: Object.fromEntries(this.#duties),
      inputs: Object.fromEntries(this.#inputs),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel();
    this.#uno = undefined;
    await this.#line[Symbol.asyncDispose]();
  }

  #powerUp(): void {
    this.#uno = new ArduinoUno(firmware(), {
      sent: (byte) => this.#say(byte),
      pinChanged: (pin, level) => this.#pinChanged(pin, level),
    });
    this.#lastMs = this.#clock.monotonicMs();
    this.#isBooting = true;
    for (const [place, value] of this.#inputs) this.#apply(place, value);
  }

  #say(byte: number): void {
    this.#outgoing.push(byte);
    this.#isBooting = false;
  }

  /** What it slept until now was lived at the slow pace. */
  #wake(): void {
    const now = this.#clock.monotonicMs();
    if (now >= this.#awakeUntilMs) {
      this.#cancel();
      this.#live();
      this.#cancel = this.#clock.after(SLICE_MS, () => this.#tick());
    }
    this.#awakeUntilMs = now + AWAKE_MS;
  }

  #tick(): void {
    const sliceMs = this.#live() === "awake" ? SLICE_MS : IDLE_SLICE_MS;
    this.#cancel = this.#clock.after(sliceMs, () => this.#tick());
  }

  /** Lives the time since the last slice, at the pace that the line gives. */
  #live(): "awake" | "idle" {
    const now = this.#clock.monotonicMs();
    const passed = Math.min(CATCH_UP_MS, now - this.#lastMs);
    this.#lastMs = now;
    const uno = this.#uno;
    if (uno === undefined) return "idle";
    const isAwake = this.#isBooting ? uno.cycles < BOOT_CYCLES : this.#isAwake(uno, now);
    const pace = isAwake ? 1 : this.#idlePercent / 100;
    uno.runUntil(uno.cycles + (passed * pace * CLOCK_HZ) / 1_000, this.#isBooting ? LOST_IN_BOOT : 0);
    this.#noteDuties(uno);
    if (this.#outgoing.length > 0) {
      this.#line.write(Buffer.from(this.#outgoing));
      this.#outgoing = [];
      this.#awakeUntilMs = now + AWAKE_MS;
    }
    return isAwake ? "awake" : "idle";
  }

  #isAwake(uno: ArduinoUno, now: number): boolean {
    return this.#idlePercent === 100 || now < this.#awakeUntilMs || uno.waitingBytes > 0;
  }

  #pinChanged(pin: number, level: 0 | 1): void {
    const before = this.#levels[pin] ?? 0;
    this.#levels[pin] = level;
    // A timer toggles the pin some hundred times a second: its duty is the effect.
    if (this.#uno?.dutyOf(pin) !== undefined) return;
    this.#log.effect({ by: "device", rule: "firmware" }, [{ what: `pin-${pin}`, from: before, to: level }]);
  }

  #noteDuties(uno: ArduinoUno): void {
    for (let pin = 3; pin <= 11; pin += 1) {
      const before = this.#duties.get(pin) ?? 0;
      const now = uno.dutyOf(pin) ?? 0;
      if (now === before) continue;
      this.#duties.set(pin, now);
      this.#log.effect({ by: "device", rule: "firmware" }, [{ what: `duty-${pin}`, from: before, to: now }]);
    }
  }

  #set(place: string, value: number, cause: EffectCause): void {
    const from = this.#inputs.get(place) ?? 0;
    this.#inputs.set(place, value);
    this.#apply(place, value);
    this.#log.effect(cause, [{ what: place, from, to: value }]);
  }

  #apply(place: string, value: number): void {
    const [kind, number] = place.split("-");
    if (kind === "contact") this.#uno?.setInput(Number(number), value === 0 ? 0 : 1);
    else this.#uno?.setVoltage(Number(number), value / 1_000);
  }

  #inputAction(): DeviceAction {
    return {
      name: "set-contact",
      about: "a contact on a pin opens or closes",
      takes: { pin: `2 to ${PIN_COUNT - 1}`, level: "0 or 1" },
      prepare: (fields) => {
        const pin = fields.wholeNumber("pin", { min: 2, max: PIN_COUNT - 1 });
        const level = fields.wholeNumber("level", { min: 0, max: 1 });
        return () => this.#set(`contact-${pin}`, level, { by: "control", action: "set-contact" });
      },
    };
  }

  #voltageAction(): DeviceAction {
    return {
      name: "set-voltage",
      about: "the voltage at an analog input",
      takes: { channel: `0 to ${CHANNELS - 1}`, mv: `0 to ${MILLIVOLTS.max} mV` },
      prepare: (fields) => {
        const channel = fields.wholeNumber("channel", { min: 0, max: CHANNELS - 1 });
        const mv = fields.wholeNumber("mv", MILLIVOLTS);
        return () => this.#set(`voltage-${channel}`, mv, { by: "control", action: "set-voltage" });
      },
    };
  }

  #resetAction(): DeviceAction {
    return {
      name: "reset",
      about: "somebody presses the reset button: every output drops, the firmware begins anew",
      prepare: () => () => {
        this.#dropOutputs({ by: "control", action: "reset" });
        this.#powerUp();
      },
    };
  }

  #powerAction(): DeviceAction {
    return {
      name: "power",
      about: "the board's supply is cut (0) or comes back (1); its line stays",
      takes: { on: "0 or 1" },
      prepare: (fields) => {
        const on = fields.wholeNumber("on", { min: 0, max: 1 });
        return () => {
          if (on === 0) {
            this.#uno = undefined;
            this.#dropOutputs({ by: "control", action: "power" });
          } else if (this.#uno === undefined) this.#powerUp();
        };
      },
    };
  }

  #dropOutputs(cause: EffectCause): void {
    for (const [pin, level] of this.#levels.entries()) {
      this.#levels[pin] = 0;
      this.#log.effect(cause, [{ what: `pin-${pin}`, from: level, to: 0 }]);
    }
    for (const [pin, duty] of this.#duties) {
      this.#duties.set(pin, 0);
      this.#log.effect(cause, [{ what: `duty-${pin}`, from: duty, to: 0 }]);
    }
  }
}

/** The image that ships in the package, as a maker would flash it. */
function firmware(): Uint8Array {
  const path = createRequire(import.meta.url).resolve(FIRMWARE);
  return readIntelHex(readFileSync(path, "utf8"), FLASH_BYTES);
}
