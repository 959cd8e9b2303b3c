/** The SDM630's default demand period. */
const PERIOD_MS = 3_600_000;
const MS_PER_HOUR = 3_600_000;

interface Mark {
  readonly atMs: number;
  readonly kwh: number;
}

/**
 * Mean power over the last demand period. It knows the energy only when it is asked, so the period it looks back over
 * is one to two periods long once the meter was asked for that long, and begins with the first question before.
 */
export class DemandMeter {
  #older: Mark | undefined;
  #newer: Mark | undefined;
  #maxW = 0;

  demandW(kwh: number, at: { readonly nowMs: number; readonly w: number }): { nowW: number; maxW: number } {
    const { nowMs, w } = at;
    this.#older ??= { atMs: nowMs, kwh };
    this.#newer ??= this.#older;
    if (nowMs - this.#newer.atMs >= PERIOD_MS) {
      this.#older = this.#newer;
      this.#newer = { atMs: nowMs, kwh };
    }
    const hours = (nowMs - this.#older.atMs) / MS_PER_HOUR;
    const nowW = hours === 0 ? w : ((kwh - this.#older.kwh) * 1_000) / hours;
    this.#maxW = Math.max(this.#maxW, nowW);
    return { nowW, maxW: this.#maxW };
  }
}
