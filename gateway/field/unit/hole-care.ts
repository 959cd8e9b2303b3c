import type { Footprint } from "../../../drivers/driver.ts";

/** A unit that is still starting may refuse what it has: missing points are looked for again this long after it answered … */
const FIRST_RETEST_MS = 60_000;
/** … and then this often, give or take a tenth, so that the units of a bus do not all do it at once. */
const RETEST_MS = 3_600_000;

/** When the holes of a unit are looked for anew, and when the core is told of them. */
export class HoleCare {
  readonly #intervalMs: number;
  #retestAt = 0;
  #told: string;

  constructor(known: readonly Footprint[], place: { readonly index: number; readonly count: number }) {
    this.#intervalMs = RETEST_MS * (0.9 + (0.2 * place.index) / Math.max(1, place.count - 1));
    this.#told = JSON.stringify(known);
  }

  /** The unit answers, at first or again. */
  answers(now: number): void {
    this.#retestAt = now + FIRST_RETEST_MS;
  }

  /** `due`: what is known is to be forgotten and looked for now. */
  takeTurn(holes: readonly Footprint[], now: number): "due" | "not yet" {
    if (holes.length === 0 || now < this.#retestAt) return "not yet";
    this.#retestAt = now + this.#intervalMs;
    return "due";
  }

  /** All holes, if they are others than were told last. */
  takeNews(holes: readonly Footprint[]): readonly Footprint[] | undefined {
    const text = JSON.stringify(holes);
    if (text === this.#told) return undefined;
    this.#told = text;
    return holes;
  }
}
