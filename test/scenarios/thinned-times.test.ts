import t from "tap";
import { correctBlock } from "../../cloud-sync/ingest/time-map.ts";
import { PointNumber } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { Hours, Instant, Millis } from "../../domain/time.ts";
import { type PointsBlock, TIME_QUALITIES } from "../../domain/wire/points-block.ts";
import { blocksOf, keptOf } from "../../gateway/store/space/thinning.ts";

const OPENED_AT = 1_800_000_000_000;

/** A block stored two hours after the opening, its readings up to 200 ms old, by a clock that is `fastMs` ahead. */
function blockOf(timeQuality: PointsBlock["timeQuality"], fastMs: number): PointsBlock {
  const readings = [0, 50, 100, 200].map(
    (after, index): StoredReading => ({
      point: PointNumber(index + 1),
      value: index,
      quality: "good",
      cause: "none",
      gatewayTimestamp: Instant(OPENED_AT + Hours(2) - 200 + after + fastMs),
      sourceTimestamp: null,
      stateVersion: index,
    }),
  );
  return { storedAt: Millis(Hours(2)), timeQuality, readings };
}

t.test(
  "the center reckons the same time of a reading that was told again as of the one that gave way",
  (t) => {
    const samples = [10, 11].map((hours) => ({ uptimeMs: Hours(hours), offsetMs: OPENED_AT }));
    for (const timeQuality of TIME_QUALITIES) {
      const block = blockOf(timeQuality, timeQuality === "synced" ? 0 : 3_000);
      const correct = ({ readings, ...rest }: PointsBlock) =>
        correctBlock({ ...rest, walls: readings.map((each) => each.gatewayTimestamp) }, samples);
      const before = correct(block);
      // Without the newest, by which the center maps the whole block.
      for (const again of blocksOf(keptOf(block).slice(0, 3))) {
        const after = correct(again);
        for (const { gatewayTimestamp } of again.readings) {
          t.equal(after(gatewayTimestamp)?.at, before(gatewayTimestamp)?.at, timeQuality);
        }
      }
    }
    t.end();
  },
);
