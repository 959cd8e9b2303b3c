import type { Footprint, HoleMap } from "../../../drivers/driver.ts";

/** Beyond this many, holes are no longer remembered: blocks over them are split anew each time they are planned. */
const HOLES_MAX = 256;

/** Places of one unit that answered "illegal address"; the core keeps them over restarts. */
export class KnownHoles implements HoleMap {
  #holes: Footprint[];

  constructor(known: readonly Footprint[]) {
    this.#holes = known.slice(0, HOLES_MAX);
  }

  /** In the order of their places. */
  get all(): readonly Footprint[] {
    return this.#holes.toSorted((left, right) =>
      left.space < right.space ? -1 : left.space > right.space ? 1 : left.first - right.first,
    );
  }

  /** How many were remembered since the last {@link clear}: grows with each new one. */
  get count(): number {
    return this.#holes.length;
  }

  has(space: string, first: number, count: number): boolean {
    return this.#holes.some(
      (hole) => hole.space === space && hole.first < first + count && first < hole.first + hole.count,
    );
  }

  add(hole: Footprint): void {
    const { space, first, count } = hole;
    const isNew = !this.#holes.some(
      (hole) => hole.space === space && hole.first === first && hole.count === count,
    );
    if (count > 0 && isNew && this.#holes.length < HOLES_MAX) this.#holes.push({ space, first, count });
  }

  /** The unit may have been exchanged or finished its start: nothing is known any more. */
  clear(): void {
    this.#holes = [];
  }
}

/** `holding:20-21`, as people read it. */
export function formatPlace({ space, first, count }: Footprint): string {
  return count === 1 ? `${space}:${first}` : `${space}:${first}-${first + count - 1}`;
}

/** The places between two sets of footprints in the same space; `undefined` when they touch, overlap or lie in several. */
export function gapBetween(left: readonly Footprint[], right: readonly Footprint[]): Footprint | undefined {
  const space = left[0]?.space;
  if (space === undefined || [...left, ...right].some((place) => place.space !== space)) return undefined;
  const end = Math.max(...left.map((place) => place.first + place.count));
  const start = Math.min(...right.map((place) => place.first));
  return start > end ? { space, first: end, count: start - end } : undefined;
}
