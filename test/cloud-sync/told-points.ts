import { DayPartitions } from "../../cloud-sync/store/tables/day-partitions.ts";
import { moveStates } from "../../cloud-sync/store/tables/point-states.ts";
import { PointNumber } from "../../domain/ids.ts";
import { Millis } from "../../domain/time.ts";
import { rowsOf } from "./center-for-tests.ts";
import type { openTestOperators } from "./operators-for-tests.ts";

type Center = Pick<Awaited<ReturnType<typeof openTestOperators>>, "database" | "clock">;

/** Tells points of the test gateway by hand, as ingest would write them. */
export async function tellerOf({ database, clock }: Center) {
  const rows = await rowsOf(database, "select point_no, gateway_no, name from points");
  const gatewayNo = Number(rows[0]?.["gateway_no"]);
  let version = 0;
  const tell = async (name: string, value: boolean): Promise<void> => {
    version += 1;
    const pointNo = Number(rows.find((row) => row["name"] === name)?.["point_no"]);
    const at = clock.now();
    const stamps = { gatewayTimestamp: at, sourceTimestamp: null, stateVersion: version };
    const reading = { point: PointNumber(1), value, quality: "good", cause: "none", ...stamps } as const;
    const placed = { pointNo, sequence: version, reading, corrected: { at, error: Millis(0) } };
    await new DayPartitions(database).ensure([at], at);
    await database.transaction((tx) =>
      moveStates(tx, { gatewayNo, lineageOrder: 1, readings: [placed], at }),
    );
  };
  return { tell, gatewayNo };
}
