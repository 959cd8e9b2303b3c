import type { Lane } from "../../domain/lane.ts";
import { LANES } from "../../domain/lane.ts";
import type { LineageEntry } from "../../domain/wire/hello.ts";
import type { IncarnationRow } from "../store/tables/incarnations.ts";

/** What a HELLO's lineage says beside what the center knows of the gateway (I6). */
export interface LineageJudgement {
  /** To be added, oldest first. */
  readonly added: readonly LineageEntry[];
  /** For people: how the lineage contradicts what the center holds. Null: it does not. */
  readonly fork: string | null;
  /** Nothing that the center knows is in it, though it knows some: the store was destroyed or changed. */
  readonly storeLost: boolean;
}

/** Highest sequence of the lane that the center holds; 0 for none. */
export type HighestHeld = (incarnation: string, lane: Lane) => number;

/**
 * A store's lineage only ever grows, and so does what it wrote. So each known child of an entry told must be told
 * too, and no parent may have ended before what the center holds of it. The acknowledged beginning may be left out.
 */
export function judgeLineage(
  known: readonly IncarnationRow[],
  lineage: readonly LineageEntry[],
  highestHeld: HighestHeld,
): LineageJudgement {
  const knownIds = new Set(known.map((row) => row.incarnation));
  const told = new Set(
    lineage.flatMap((entry) => [entry.incarnation, ...(entry.parent === null ? [] : [entry.parent])]),
  );
  const added = lineage.filter((entry) => !knownIds.has(entry.incarnation));
  return {
    added,
    // Told once: when the lineage brings something new.
    fork: added.length === 0 ? null : (leftOut(known, told) ?? cutShort(added, highestHeld)),
    storeLost: known.length > 0 && !known.some((row) => told.has(row.incarnation)),
  };
}

function leftOut(known: readonly IncarnationRow[], told: ReadonlySet<string>): string | null {
  const child = known.find(
    (row) => row.parent !== null && told.has(row.parent) && !told.has(row.incarnation),
  );
  return child === undefined
    ? null
    : `the store was once open as incarnation ${child.incarnation}, of which it knows nothing now`;
}

function cutShort(added: readonly LineageEntry[], highestHeld: HighestHeld): string | null {
  for (const { parent, parentLast } of added) {
    if (parent === null) continue;
    const lane = LANES.find((each) => highestHeld(parent, each) > parentLast[each]);
    if (lane === undefined) continue;
    return `its incarnation ${parent} ended at ${parentLast[lane]} in lane ${lane}, and the center holds ${highestHeld(parent, lane)}`;
  }
  return null;
}
