import type { StoreDatabase } from "../database.ts";
import { type Incarnation, LANE_CODES } from "../incarnations.ts";
import type { Store, StoreFinding } from "../store.ts";

type Gap = Extract<Parameters<Store["telemetry"]["appendEvent"]>[1], { kind: "gap" }>;

/** Openings for which a lost file is declared at most: the newest ones, the others were told long ago. */
const OPENINGS_MAX = 100;

/** One open-ended gap per lane of each earlier opening whose records may have been in a file that was lost (I2). */
export function declareLost(
  findings: readonly StoreFinding[],
  earlier: readonly Incarnation[],
  critical: StoreDatabase,
): readonly Gap[] {
  const settledThrough = new Map(
    critical
      .prepare<[], { incarnation: number; lane: number; settled_through: number; highest: number }>(
        "select * from high_water",
      )
      .all()
      .map((row) => [`${row.incarnation}/${row.lane}`, row.settled_through]),
  );
  return findings
    .filter(({ setAsideAs }) => setAsideAs !== null)
    .flatMap(({ file, reason }) => {
      const lanes = file === "critical" ? (["A"] as const) : (["B", "C", "D"] as const);
      return earlier.slice(-OPENINGS_MAX).flatMap(({ number, id }) =>
        lanes.map((lane): Gap => {
          const first = (settledThrough.get(`${number}/${LANE_CODES[lane]}`) ?? 0) + 1;
          const why = `${file}.db was set aside: ${reason}`.slice(0, 200);
          return { kind: "gap", lane, incarnation: id, first, count: null, reason: why };
        }),
      );
    });
}
