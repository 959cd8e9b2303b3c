import { existsSync } from "node:fs";
import { openForReading, type StoreDatabase } from "../database.ts";
import {
  type CounterRow,
  type Incarnation,
  insertIncarnations,
  LANE_CODES,
  readCounters,
  readIncarnations,
} from "../incarnations.ts";

/** What telemetry.db knew before this opening; nothing when it is new or was set aside. */
export interface TelemetryBefore {
  readonly incarnations: readonly Incarnation[];
  readonly counters: readonly CounterRow[];
}

/** Reads only: the file is opened for writing after critical.db has committed the incarnation (PROTOCOL §5). */
export function readTelemetryBefore(path: string): TelemetryBefore {
  if (!existsSync(path)) return { incarnations: [], counters: [] };
  const database = openForReading(path);
  try {
    const made = database.prepare("select 1 from sqlite_schema where name = 'counters'").get() !== undefined;
    return made
      ? { incarnations: readIncarnations(database), counters: readCounters(database) }
      : { incarnations: [], counters: [] };
  } finally {
    database.close();
  }
}

/**
 * Commits the new incarnation with its place in the lineage, and returns the whole lineage. One that critical.db
 * lost is taken over from telemetry.db, so that the center knows where the retained records belong.
 */
export function takeIncarnation(
  critical: StoreDatabase,
  before: TelemetryBefore,
  opening: { readonly id: Incarnation["id"]; readonly openedAt: number },
): readonly Incarnation[] {
  return critical
    .transaction(() => {
      insertIncarnations(critical, before.incarnations);
      const earlier = readIncarnations(critical);
      const parent = earlier.at(-1);
      const number = (parent?.number ?? 0) + 1;
      const counters = [...readCounters(critical), ...before.counters].filter(
        (row) => row.incarnation === parent?.number,
      );
      const last = (code: number): number => counters.find(({ lane }) => lane === code)?.highest ?? 0;
      const incarnation: Incarnation = {
        number,
        id: opening.id,
        parent: parent?.id ?? null,
        parentLast: {
          A: last(LANE_CODES.A),
          B: last(LANE_CODES.B),
          C: last(LANE_CODES.C),
          D: last(LANE_CODES.D),
        },
        openedAt: opening.openedAt,
      };
      insertIncarnations(critical, [incarnation]);
      return [...earlier, incarnation];
    })
    .immediate();
}
