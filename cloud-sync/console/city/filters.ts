import { LOOK, LOOKS, type LookName } from "./look.ts";
import type { PlaceTable } from "./place-table.ts";

/** What the map shows. Empty sets: everything. */
export interface Filters {
  readonly municipality: number | null;
  readonly classes: ReadonlySet<string>;
  readonly state: "all" | "trouble" | "doubtful" | "on" | "off";
}
export const NO_FILTERS: Filters = { municipality: null, classes: new Set(), state: "all" };

export const TROUBLE: readonly LookName[] = ["alarm", "silent"];
export const DOUBTFUL: readonly LookName[] = ["old", "unknown", "silent"];
const ON: readonly LookName[] = ["level-1", "level-2", "level-3", "level-4", "level-5"];

/**
 * 1 for each place that passes by what it is; the state is judged by `looksShown`, as it moves. A group is not a thing in
 * the street, so it is found by search only.
 */
export function placesShown(table: PlaceTable, filters: Filters): Uint8Array {
  const classes = table.answer.classes.map((name) => filters.classes.size === 0 || filters.classes.has(name));
  return Uint8Array.from({ length: table.count }, (_, place) => {
    const classShown = classes[table.classOf[place] ?? -1] ?? true;
    const here = filters.municipality === null || table.municipalityOf[place] === filters.municipality;
    return classShown && here && table.answer.members[place] === 0 ? 1 : 0;
  });
}

/** Whether each look passes the filter of states. */
export function looksShown({ state }: Filters): readonly boolean[] {
  const names: readonly LookName[] = {
    all: LOOKS,
    trouble: TROUBLE,
    doubtful: DOUBTFUL,
    on: ON,
    off: ["off"] as const,
  }[state];
  return LOOKS.map((name) => names.includes(name));
}

/** How many places have each look, among those shown by what they are. */
export function countLooks(looks: Uint8Array, shown: Uint8Array): Readonly<Record<LookName, number>> {
  const counts = new Uint32Array(LOOKS.length);
  for (let place = 0; place < looks.length; place += 1) {
    const look = looks[place] ?? 0;
    if (shown[place] === 1) counts[look] = (counts[look] ?? 0) + 1;
  }
  return Object.fromEntries(LOOKS.map((name) => [name, counts[LOOK[name]] ?? 0])) as Record<LookName, number>;
}
