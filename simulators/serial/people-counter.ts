import { DeviceJournal } from "../device-journal.ts";
import type { DeviceAction, DeviceSurroundings } from "../simulated-device.ts";
import type { TextDevice } from "./text-device.ts";

/** 24 bits, as the display of the counter has them. */
const TOTAL_MAX = 2 ** 24;
const PEOPLE_MAX = 10_000;

/**
 * Neutral people counter, revision 1: answers `#NNR*` with its totals and whether the lens is covered, `#NNS?*` and
 * `#NNS=…*` with its sensitivity, and what it does not take with `?NN`. The totals are lost with the power.
 */
export class PeopleCounter implements TextDevice {
  readonly actions: readonly DeviceAction[];
  readonly #address: string;
  readonly #log: DeviceJournal;
  #in: number;
  #out: number;
  #sensitivity = 70;
  #covered = 0;

  constructor(
    { id, journal }: DeviceSurroundings,
    given: { readonly address: number; readonly in: number; readonly out: number },
  ) {
    this.#address = String(given.address).padStart(2, "0");
    this.#log = new DeviceJournal(id, journal);
    this.#in = given.in % TOTAL_MAX;
    this.#out = given.out % TOTAL_MAX;
    this.actions = [this.#pass(), this.#losePower(), this.#cover()];
  }

  view(): object {
    return { in: this.#in, out: this.#out, sensitivity: this.#sensitivity, covered: this.#covered };
  }

  answer(line: string): string | undefined {
    const asked = /^#(\d\d)(.*)\*$/.exec(line);
    if (asked === null || asked[1] !== this.#address) return undefined;
    const order = asked[2] ?? "";
    if (order === "R")
      return `!${this.#address},IN=${digits(this.#in)},OUT=${digits(this.#out)},C=${this.#covered}*`;
    if (order === "S?") return `!${this.#address},S=${this.#sensitivity}*`;
    const setting = /^S=(\d{1,3})$/.exec(order);
    return setting === null ? `?${this.#address}` : this.#setSensitivity(Number(setting[1]));
  }

  #setSensitivity(to: number): string {
    const order = { protocol: "ascii", what: "S=", values: [to] };
    if (to < 10 || to > 100) {
      this.#log.ordered(order, "out-of-range");
      return `?${this.#address}`;
    }
    const from = this.#sensitivity;
    this.#sensitivity = to;
    this.#log.ordered(order, "executed", from === to ? [] : [{ what: "sensitivity", from, to }]);
    return `!${this.#address},OK*`;
  }

  #pass(): DeviceAction {
    return {
      name: "pass",
      about: "people walk by",
      takes: { in: `0 to ${PEOPLE_MAX} people in`, out: `0 to ${PEOPLE_MAX} people out` },
      prepare: (fields) => {
        const range = { min: 0, max: PEOPLE_MAX };
        const inwards = fields.optionalWholeNumber("in", range) ?? 0;
        const outwards = fields.optionalWholeNumber("out", range) ?? 0;
        return () => {
          const before = { in: this.#in, out: this.#out };
          this.#in = (this.#in + inwards) % TOTAL_MAX;
          this.#out = (this.#out + outwards) % TOTAL_MAX;
          this.#log.effect({ by: "control", action: "pass" }, [
            { what: "people-in", from: before.in, to: this.#in },
            { what: "people-out", from: before.out, to: this.#out },
          ]);
        };
      },
    };
  }

  #losePower(): DeviceAction {
    return {
      name: "lose-power",
      about: "the totals begin at 0 again",
      prepare: () => () => {
        const before = { in: this.#in, out: this.#out };
        this.#in = 0;
        this.#out = 0;
        this.#log.effect({ by: "control", action: "lose-power" }, [
          { what: "people-in", from: before.in, to: 0 },
          { what: "people-out", from: before.out, to: 0 },
        ]);
      },
    };
  }

  #cover(): DeviceAction {
    return {
      name: "cover",
      about: "something hangs before the lens, or is taken away",
      takes: { covered: "0 or 1" },
      prepare: (fields) => {
        const to = fields.wholeNumber("covered", { min: 0, max: 1 });
        return () => {
          const from = this.#covered;
          this.#covered = to;
          this.#log.effect({ by: "control", action: "cover" }, [{ what: "covered", from, to }]);
        };
      },
    };
  }
}

function digits(total: number): string {
  return String(total).padStart(8, "0");
}
