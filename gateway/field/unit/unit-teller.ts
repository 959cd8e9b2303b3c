import { FAULTS, type FaultCode } from "../../../domain/errors.ts";
import type { PointChange } from "../../../domain/reading.ts";
import type { Instant, Uptime } from "../../../domain/time.ts";
import type { Sample } from "../../../drivers/driver.ts";
import { ChangeFilter } from "./change-filter.ts";
import { Pseudonyms } from "./pseudonyms.ts";
import { isPolled, type UnitPoints } from "./unit-points.ts";
import type { Vettings } from "./vettings.ts";

/** When something happened, on both clocks. */
export interface Moment {
  readonly uptime: Uptime;
  readonly at: Instant;
}

export interface UnitTellerParts {
  readonly points: UnitPoints;
  readonly vettings: Vettings;
  /** Takes every change; the host empties it. */
  readonly out: PointChange[];
  /** Hexadecimal; needed where a point is pseudonymous. */
  readonly pseudonymKey: string | undefined;
}

/** What of a unit's samples is told: nothing of a device that is not proven, no name of a person, nothing twice. */
export class UnitTeller {
  /** Slots that can have a value at all. */
  readonly readable: readonly number[];
  readonly #parts: UnitTellerParts;
  readonly #filter: ChangeFilter;
  readonly #pseudonyms: Pseudonyms;

  constructor(parts: UnitTellerParts) {
    const { points } = parts.points;
    this.#parts = parts;
    this.#filter = new ChangeFilter(points);
    this.#pseudonyms = new Pseudonyms(points, parts.pseudonymKey);
    this.readable = [...points.entries()].flatMap(([slot, { definition }]) =>
      isPolled(definition) ? [slot] : [],
    );
  }

  /** Names of persons are taken out before anything else sees the samples. */
  hide(slots: readonly number[], samples: readonly Sample[]): readonly Sample[] {
    return this.#pseudonyms.hide(slots, samples);
  }

  accept(slots: readonly number[], samples: readonly Sample[], { at }: Moment): void {
    const { vettings, out } = this.#parts;
    if (!vettings.isAnyHeld) {
      this.#filter.accept(slots, samples, at, out);
      return;
    }
    for (const [index, slot] of slots.entries()) {
      const sample = samples[index];
      if (sample === undefined || vettings.findDoubt(slot) !== undefined) continue;
      this.#filter.accept([slot], [sample], at, out);
    }
  }

  mark(slots: Iterable<number>, code: FaultCode, { at }: Moment): void {
    this.#filter.mark(slots, FAULTS[code].quality, code, at, this.#parts.out);
  }

  markWrong(slots: readonly number[], { at }: Moment): void {
    const readable = slots.filter((slot) => isPolled(this.#parts.points.getPoint(slot).definition));
    this.#filter.mark(readable, "bad/configuration-error", "wrong-device", at, this.#parts.out);
  }

  /** The subscription lives: events that were not known say that nothing happened yet. */
  awaitEvents(slots: readonly number[], { at }: Moment): void {
    const proven = slots.filter((slot) => this.#parts.vettings.findDoubt(slot) === undefined);
    this.#filter.markUnlessGood(proven, "bad/waiting-for-initial-data", "no-event-yet", at, this.#parts.out);
  }

  /** Everything is told again with its next sample. */
  forget(): void {
    this.#filter.forget();
  }
}
