/** Enough for a median that one late exchange does not move. */
const KEPT = 15;

/** The last intervals that a poll class really reached on a unit: what tells an overload. */
export class ReachedIntervals {
  readonly #intervals = new Float64Array(KEPT);
  #noted = 0;

  note(intervalMs: number): void {
    this.#intervals[this.#noted % KEPT] = intervalMs;
    this.#noted += 1;
  }

  /** The median in ms; `null` before a second exchange. */
  median(): number | null {
    const kept = this.#intervals.slice(0, Math.min(this.#noted, KEPT)).sort();
    return kept[kept.length >> 1] ?? null;
  }
}
