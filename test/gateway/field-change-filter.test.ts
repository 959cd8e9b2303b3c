import fc from "fast-check";
import t from "tap";
import { DeviceFault } from "../../domain/errors.ts";
import { isBad } from "../../domain/quality.ts";
import type { PointChange } from "../../domain/reading.ts";
import { Instant } from "../../domain/time.ts";
import type { Sample } from "../../drivers/driver.ts";
import { ChangeFilter } from "../../gateway/field/unit/change-filter.ts";
import { sitePoint } from "./field/host-bench.ts";

const AT = Instant(1_000);
const SLOT = [0];

function filterOf(definition: Parameters<typeof sitePoint>[2] = {}) {
  const filter = new ChangeFilter([sitePoint(1, 0, definition)]);
  return (sample: Sample): PointChange | undefined => {
    const out: PointChange[] = [];
    filter.accept(SLOT, [sample], AT, out);
    return out[0];
  };
}
const of = (value: number | boolean | string): Sample => ({ value, takenAt: null });

t.test("what is told", async (t) => {
  const timeout = new DeviceFault("timeout", "read");
  const cases: readonly {
    name: string;
    definition?: Parameters<typeof sitePoint>[2];
    samples: readonly Sample[];
    told: readonly (Partial<PointChange> | undefined)[];
  }[] = [
    {
      name: "the first value, whatever it is",
      samples: [of(0)],
      told: [{ value: 0, quality: "good", cause: "none" }],
    },
    {
      name: "with no deadband every change",
      samples: [of(1), of(1), of(1.0001)],
      told: [{}, undefined, { value: 1.0001 }],
    },
    {
      name: "against the value told last, so that a creep is seen",
      definition: { deadband: 1 },
      samples: [of(0), of(0.6), of(1.2), of(1.8), of(2.2)],
      told: [{}, undefined, { value: 1.2 }, undefined, { value: 2.2 }],
    },
    {
      name: "a change of exactly the deadband, in decimal fractions too",
      definition: { deadband: 0.1 },
      samples: [of(0.6), of(0.7)],
      told: [{}, { value: 0.7 }],
    },
    {
      name: "out of range keeps its value",
      definition: { range: { min: 0, max: 100 }, deadband: 5 },
      samples: [of(50), of(101), of(102), of(99)],
      told: [
        {},
        { value: 101, quality: "uncertain/engineering-units-exceeded", cause: "out-of-range" },
        undefined,
        { value: 99, quality: "good" },
      ],
    },
    {
      name: "a sentinel is no value",
      samples: [of(1), { sentinel: 65_535 }, { sentinel: 65_535 }, of(1)],
      told: [{}, { value: null, quality: "bad/sensor-failure", cause: "sentinel" }, undefined, { value: 1 }],
    },
    {
      name: "not-a-number never leaks",
      samples: [of(Number.NaN), of(Number.NaN), of(Number.POSITIVE_INFINITY)],
      told: [{ value: null, quality: "bad/sensor-failure" }, undefined, undefined],
    },
    {
      name: "a fault with its code",
      samples: [of(1), { fault: timeout }, { fault: new DeviceFault("unknown-address", "read") }],
      told: [{}, { cause: "timeout" }, { quality: "bad/configuration-error", cause: "unknown-address" }],
    },
    {
      name: "the device's own verdict",
      samples: [of(1), { value: 1, takenAt: AT, quality: "good/local-override" }, of(1)],
      told: [
        {},
        { value: 1, quality: "good/local-override", cause: "device-report", sourceTimestamp: AT },
        { value: 1 },
      ],
    },
    {
      name: "the device's own verdict that it has no value",
      samples: [
        of(1),
        { bad: "bad/out-of-service", takenAt: AT },
        { bad: "bad/out-of-service", takenAt: AT },
        { bad: "bad/sensor-failure", takenAt: null },
      ],
      told: [
        {},
        { value: null, quality: "bad/out-of-service", cause: "device-report", sourceTimestamp: AT },
        undefined,
        { quality: "bad/sensor-failure", sourceTimestamp: null },
      ],
    },
    {
      name: "booleans and texts",
      samples: [of(false), of(false), of(true), of("on"), of("on")],
      told: [{}, undefined, { value: true }, { value: "on" }, undefined],
    },
  ];
  for (const { name, definition, samples, told } of cases) {
    const accept = filterOf(definition);
    for (const [index, sample] of samples.entries()) {
      const change = accept(sample);
      const wanted = told[index];
      if (wanted === undefined) t.equal(change, undefined, `${name}: sample ${index} is not told`);
      else t.match(change, wanted, `${name}: sample ${index}`);
    }
  }
});

t.test("marks are told once, and the value after them again", async (t) => {
  const filter = new ChangeFilter([sitePoint(1, 0), sitePoint(1, 1)]);
  const out: PointChange[] = [];
  filter.accept([0, 1], [of(1), of(2)], AT, out);
  filter.mark([0, 1], "bad/no-communication", "timeout", AT, out);
  filter.mark([0, 1], "bad/no-communication", "timeout", AT, out);
  filter.accept([1, 0], [of(2), of(1)], AT, out);
  t.same(
    out.map((change) => [change.point, change.value]),
    [
      [1_000, 1],
      [1_001, 2],
      [1_000, null],
      [1_001, null],
      [1_001, 2],
      [1_000, 1],
    ],
  );
});

const anySample: fc.Arbitrary<Sample> = fc.oneof(
  fc.double().map(of),
  fc.integer({ min: -20, max: 120 }).map(of),
  fc.constant<Sample>({ sentinel: 1 }),
  fc.constant<Sample>({ bad: "bad/device-failure", takenAt: null }),
  fc.constant<Sample>({ fault: new DeviceFault("timeout", "read") }),
  fc
    .integer({ min: 0, max: 9 })
    .map((value): Sample => ({ value, takenAt: AT, quality: "uncertain/last-usable-value" })),
);

t.test(
  "whatever comes, what was told last is within the deadband of the truth, and null exactly when bad",
  async (t) => {
    const seed = Number(process.env["SEED"] ?? 20_260_102);
    t.comment(`SEED=${seed}`);
    const deadband = 2;
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 60 }), (samples) => {
        const accept = filterOf({ deadband, range: { min: 0, max: 100 } });
        let last: PointChange | undefined;
        return samples.every((sample) => {
          last = accept(sample) ?? last;
          return last !== undefined && isTrueTo(sample, last, deadband);
        });
      }),
      { seed, numRuns: 500 },
    );
    t.pass("500 runs");
  },
);

/** Whether what was told last still says what the sample says. */
function isTrueTo(sample: Sample, last: PointChange, deadband: number): boolean {
  if (isBad(last.quality) !== (last.value === null)) return false;
  if ((last.quality === "good") !== (last.cause === "none")) return false;
  const isValue = "value" in sample && Number.isFinite(sample.value);
  if (!isValue) return last.value === null;
  return last.value !== null && Math.abs(Number(last.value) - Number(sample.value)) < deadband;
}
