import t from "tap";
import { DeviceId, PointNumber, pointIdOf } from "../../domain/ids.ts";
import { Millis, Uptime } from "../../domain/time.ts";
import type { Sample } from "../../drivers/driver.ts";
import type { OperationResult } from "../../gateway/field/field-plan.ts";
import { type OperationLine, runOperation } from "../../gateway/field/operation-runner.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { operation } from "./field/host-bench.ts";

const LAMPS = 40;
const WITHIN = Millis(5_000);

/** A group of lamps on a line where each of them takes `perLamp` to be read; `levelAt`: of lamp n, ms after the write. */
async function proven(
  perLamp: Millis,
  levelAt: (lamp: number, sinceWrite: number) => number,
): Promise<{ readonly result: OperationResult; readonly looks: number; readonly took: number }> {
  const clock = new SimulatedClock();
  let writtenAt = Number.POSITIVE_INFINITY;
  let looks = 0;
  const line: OperationLine = {
    clock,
    signal: new AbortController().signal,
    async read(points) {
      if (clock.uptime() >= writtenAt) looks += 1;
      const samples = new Map<PointNumber, Sample>();
      for (const point of points) {
        samples.set(point, { value: levelAt(point, clock.uptime() - writtenAt), takenAt: null });
        await clock.advance(perLamp);
      }
      return samples;
    },
    async write() {
      writtenAt = clock.uptime();
      return undefined;
    },
    rest: (duration) => clock.advance(duration),
    lend: (duration) => clock.advance(duration),
  };
  const points = Array.from({ length: LAMPS }, (_, index) => ({
    number: PointNumber(index + 1),
    pointId: pointIdOf(DeviceId(`lamp-${index + 1}`), "actual-level"),
  }));
  const readBack = { points, expected: 85, tolerance: 1, within: WITHIN, settle: Millis(0) };
  const result = await runOperation(
    operation({ value: 85, readBack, deadline: Uptime(1e9) }),
    line,
    new AbortController().signal,
  );
  return { result, looks, took: clock.uptime() - writtenAt };
}

/** As a luminaire moves: from 0 to 85 in two seconds. */
const fading = (_lamp: number, sinceWrite: number): number =>
  sinceWrite > 0 ? Math.min(85, (85 * sinceWrite) / 2_000) : 0;

t.test("a look that outlasts the window is followed by one that began after it", async (t) => {
  const slow = await proven(Millis(150), fading);
  t.match(slow.result, { outcome: "succeeded" }, "its first lamps were read while they were still fading");
  t.equal(slow.looks, 2);
  const quick = await proven(Millis(1), fading);
  t.match(quick.result, { outcome: "succeeded" });
  t.ok(quick.took < 2_200, "and it ends as soon as all agree");
});

t.test("what does not agree after the window is not looked at again", async (t) => {
  const stuck = (lamp: number, sinceWrite: number): number => (lamp === 1 ? 0 : fading(lamp, sinceWrite));
  const slow = await proven(Millis(150), stuck);
  t.match(slow.result, { outcome: "outcome-unknown", evidence: { detail: /39 of 40 points read back 85/ } });
  t.equal(slow.looks, 2);
  const quick = await proven(Millis(1), stuck);
  t.match(quick.result, { outcome: "outcome-unknown" });
  t.ok(quick.took >= WITHIN && quick.took <= WITHIN + 2 * LAMPS);
});
