import fc from "fast-check";
import t from "tap";
import { PointNumber } from "../../domain/ids.ts";
import { QUALITIES, QUALITY_CAUSES } from "../../domain/quality.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { Instant } from "../../domain/time.ts";
import { TwinColumns } from "../../gateway/store/twin-columns.ts";

const instant = fc.integer({ min: 0, max: 4e12 }).map(Instant);
/** Few points, so that values of all types follow each other in one place. */
const reading: fc.Arbitrary<StoredReading> = fc.record(
  {
    point: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2_000 })).map(PointNumber),
    value: fc.oneof(fc.constant(null), fc.double({ noNaN: true }), fc.boolean(), fc.string()),
    quality: fc.constantFrom(...QUALITIES),
    cause: fc.constantFrom(...QUALITY_CAUSES),
    gatewayTimestamp: instant,
    sourceTimestamp: fc.option(instant),
    stateVersion: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  },
  { noNullPrototype: true },
);

t.test("what columns give back is what was set last, of every point and no other", async (t) => {
  fc.assert(
    fc.property(fc.array(reading), (readings) => {
      const columns = new TwinColumns();
      const model = new Map<number, StoredReading>();
      for (const each of readings) {
        columns.set(each);
        model.set(each.point, each);
      }
      const inOrder = [...model.values()].toSorted((one, other) => one.point - other.point);
      t.strictSame([...columns.range(0)], inOrder);
      t.strictSame(
        [...columns.range(2, 5)],
        inOrder.filter(({ point }) => point >= 2 && point < 5),
      );
      for (const point of [1, 2, 3, 4, 5, 1_999, 3_000].map(PointNumber)) {
        t.strictSame(columns.get(point), model.get(point));
        t.equal(columns.versionOf(point), model.get(point)?.stateVersion ?? -1);
      }
    }),
  );
});
