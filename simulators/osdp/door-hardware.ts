import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";

/** What the door can tell by itself, waiting for the next poll. */
export type DoorNews =
  | {
      readonly kind: "card";
      readonly reader: number;
      readonly format: number;
      readonly bits: number;
      readonly data: Buffer;
    }
  | { readonly kind: "keys"; readonly reader: number; readonly keys: string }
  | { readonly kind: "inputs" | "local" | "outputs" | "readers" };

/** A reader keeps this many; the oldest gives way. */
const NEWS_MAX = 32;
export const INPUTS = { contact: 0, exitButton: 1 } as const;
export const OUTPUTS = { strike: 0, light: 1 } as const;
const INPUT_NAMES = ["door-contact", "exit-button"] as const;
const OUTPUT_NAMES = ["strike", "door-light"] as const;

/**
 * A door as it hangs in the wall: contact, exit button, strike, light, reader with lamp and buzzer. The strike lets go by
 * itself when its time is over; whoever hears that is told at the next poll.
 */
export class DoorHardware {
  readonly inputs = [0, 0];
  readonly outputs = [0, 0];
  readonly lamps = new Map<string, number>();
  tamper = 0;
  powerFailure = 0;
  readerTamper = 0;
  beeps = 0;
  readonly #log: DeviceJournal;
  readonly #clock: SimulatorClock;
  readonly #release: (() => void)[] = [];
  readonly #news: DoorNews[] = [];

  constructor(log: DeviceJournal, clock: SimulatorClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The next thing to tell, taken out. */
  takeNews(): DoorNews | undefined {
    return this.#news.shift();
  }

  get waitingNews(): number {
    return this.#news.length;
  }

  tell(news: DoorNews): void {
    const isState = news.kind !== "card" && news.kind !== "keys";
    if (isState && this.#news.some(({ kind }) => kind === news.kind)) return;
    this.#news.push(news);
    if (this.#news.length > NEWS_MAX) this.#news.shift();
  }

  setInput(number: number, to: number, cause: EffectCause): void {
    const from = this.inputs[number] ?? 0;
    this.inputs[number] = to;
    this.#log.effect(cause, [{ what: INPUT_NAMES[number] ?? `input-${number}`, from, to }]);
    if (from !== to) this.tell({ kind: "inputs" });
  }

  set(what: "tamper" | "powerFailure" | "readerTamper", to: number, cause: EffectCause): void {
    const from = this[what];
    this[what] = to;
    this.#log.effect(cause, [{ what: SIGNS[what], from, to }]);
    if (from !== to) this.tell({ kind: what === "readerTamper" ? "readers" : "local" });
  }

  /** `forMs`: it falls back after that; 0 lasts. */
  setOutput(number: number, to: number, forMs: number, cause: EffectCause): void {
    this.#release[number]?.();
    const from = this.outputs[number] ?? 0;
    this.outputs[number] = to;
    const what = outputName(number);
    this.#log.effect(cause, [{ what, from, to }]);
    if (from !== to) this.tell({ kind: "outputs" });
    if (forMs <= 0) return;
    this.#release[number] = this.#clock.after(forMs, () =>
      this.setOutput(number, to === 0 ? 1 : 0, 0, { by: "device", rule: `${what} timer` }),
    );
  }

  setLamp(reader: number, lamp: number, colour: number, cause: EffectCause): void {
    const place = `lamp-${reader}-${lamp}`;
    const from = this.lamps.get(place) ?? 0;
    this.lamps.set(place, colour);
    this.#log.effect(cause, [{ what: place, from, to: colour }]);
  }

  beep(times: number, cause: EffectCause): void {
    const from = this.beeps;
    this.beeps += times;
    this.#log.effect(cause, [{ what: "beeps", from, to: this.beeps }]);
  }

  /** Outputs and lamps go out, and what was still to be told is forgotten. */
  losePower(cause: EffectCause): void {
    for (const number of this.outputs.keys()) this.setOutput(number, 0, 0, cause);
    for (const [place, from] of this.lamps) this.#log.effect(cause, [{ what: place, from, to: 0 }]);
    this.lamps.clear();
    this.#news.length = 0;
  }

  close(): void {
    for (const release of this.#release) release?.();
  }
}

const SIGNS = { tamper: "tamper", powerFailure: "power-failure", readerTamper: "reader-tamper" } as const;

function outputName(number: number): string {
  return OUTPUT_NAMES[number] ?? `output-${number}`;
}
