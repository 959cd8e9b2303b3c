import fc from "fast-check";
import t from "tap";
import { type BatchEntry, decodeEntries } from "../../cloud-sync/ingest/decode-entries.ts";
import { type IngestPlan, type IngestView, planIngest } from "../../cloud-sync/ingest/ingest-plan.ts";
import { correctBlock, correctUptime } from "../../cloud-sync/ingest/time-map.ts";
import { formatMultirange, parseMultirange } from "../../cloud-sync/store/tables/cursors.ts";
import type { EntryDigest } from "../../cloud-sync/store/tables/entry-digests.ts";
import { IncarnationId, PointId } from "../../domain/ids.ts";
import { addRange, coversRange, type RangeSet, type SequenceRange } from "../../domain/lane.ts";
import { Instant } from "../../domain/time.ts";
import type { BatchHeader } from "../../domain/wire/batch.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import { pointsEntry, reading, recordEntry } from "./center-for-tests.ts";

const INCARNATION = IncarnationId("ab".repeat(16));
const POINTS = new Map(
  [1, 2, 3].map((number) => [
    number,
    { pointNo: 100 + number, pointId: PointId(`lamp-${number}/dim-level`), type: "number" as const },
  ]),
);
const VIEW: IngestView = {
  history: "live",
  held: [],
  findPoint: (number) => POINTS.get(number),
  stored: [],
  timeSamples: [],
};
/** fast-check prints the seed of a run that fails. */
const RUNS = { numRuns: 300 };

function headerOf(ranges: readonly SequenceRange[]): BatchHeader {
  return {
    session: "1.1",
    lane: "C",
    incarnation: INCARNATION,
    ranges: [...ranges],
    history: false,
    codec: "none",
    sizeBytes: 1,
  };
}

/** What the gateway wrote: entries that follow each other, some with points nobody knows. */
const LANE = fc
  .array(fc.record({ count: fc.integer({ min: 1, max: 6 }), point: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((blocks) => {
    let next = 1;
    return blocks.map(({ count, point }) => {
      const first = next;
      next += count;
      const readings = Array.from({ length: count }, (_, index) =>
        reading({ number: point, stateVersion: first + index, value: first + index }),
      );
      return { range: { first, count }, frame: pointsEntry(INCARNATION, first, readings) };
    });
  });

/** A center that only remembers: the same duties as the tables, in memory. */
class RememberingCenter {
  held: RangeSet = [];
  readonly digests: EntryDigest[] = [];
  readonly stored: number[] = [];
  readonly quarantined: number[] = [];

  take(entries: readonly BatchEntry[]): IngestPlan {
    const plan = planIngest(entries, { ...VIEW, held: this.held, stored: this.digests });
    for (const range of plan.gained) this.held = addRange(this.held, range);
    this.digests.push(...plan.digests);
    this.stored.push(...plan.readings.map((each) => each.sequence));
    for (const { ranges } of plan.quarantined) {
      for (const { first, count } of ranges)
        for (let at = first; at < first + count; at += 1) this.quarantined.push(at);
    }
    return plan;
  }
}

t.test(
  "I2 I4 whatever is repeated, reordered or cut into batches, each record is stored or quarantined once",
  (t) => {
    const property = fc.property(
      LANE,
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }),
      (lane, draws) => {
        const center = new RememberingCenter();
        const whole = draws.map(([from, length]): [number, number] => [
          from % lane.length,
          1 + (length % lane.length),
        ]);
        for (const [from, length] of [...whole, [0, lane.length] as const]) {
          const part = lane.slice(from, from + length);
          const ranges = part.map((entry) => entry.range);
          const plan = center.take(
            decodeEntries(
              headerOf(ranges),
              part.map((entry) => entry.frame),
            ),
          );
          const told = plan.outcomes.reduce<RangeSet>(addRange, []);
          if (!ranges.every((range) => coversRange(told, range))) return false;
        }
        const total = lane.reduce((sum, entry) => sum + entry.range.count, 0);
        const all = [...center.stored, ...center.quarantined];
        return (
          all.length === total &&
          new Set(all).size === total &&
          coversRange(center.held, { first: 1, count: total })
        );
      },
    );
    t.doesNotThrow(() => fc.assert(property, RUNS));
    t.end();
  },
);

t.test(
  "I12 I15 whatever bits flip, sound entries are stored, and every id of the batch is answered or the batch refused",
  (t) => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    const property = fc.property(LANE, flips, (lane, bits) => {
      const frames = lane.map((entry) => Buffer.from(entry.frame));
      for (const [which, place, mask] of bits) {
        const frame = frames[which % frames.length];
        if (frame === undefined) return false;
        const at = place % frame.length;
        frame[at] = (frame[at] ?? 0) ^ mask;
      }
      const broken = new Set(
        [...frames.keys()].filter((index) => !frames[index]?.equals(lane[index]?.frame ?? Buffer.alloc(0))),
      );
      const center = new RememberingCenter();
      const plan = center.take(decodeEntries(headerOf(lane.map((entry) => entry.range)), frames));
      const total = lane.reduce((sum, entry) => sum + entry.range.count, 0);
      const sound = lane.flatMap((entry, index) =>
        broken.has(index) || !POINTS.has(numberOf(entry)) ? [] : [entry.range],
      );
      const stored = center.stored.reduce<RangeSet>((set, first) => addRange(set, { first, count: 1 }), []);
      const soundCount = sound.reduce((sum, range) => sum + range.count, 0);
      return (
        sound.every((range) => coversRange(stored, range)) &&
        center.stored.length === soundCount &&
        coversRange(plan.gained, { first: 1, count: total }) &&
        plan.gained.length === 1
      );
    });
    t.doesNotThrow(() => fc.assert(property, RUNS));
    t.end();
  },
);

t.test("I12 a broken frame that tells a shorter place than it had takes no other entry along", (t) => {
  const five = Array.from({ length: 5 }, (_, index) => reading({ stateVersion: 1 + index }));
  const first = pointsEntry(INCARNATION, 1, five);
  const second = pointsEntry(INCARNATION, 6, [reading({ stateVersion: 6 })]);
  const frame = Buffer.from(first);
  // Count 5 became 1: the checksum is wrong, and what the frame says of its place fits into the batch.
  frame.writeUInt32LE(1, 32);
  const entries = decodeEntries(
    headerOf([
      { first: 1, count: 5 },
      { first: 6, count: 1 },
    ]),
    [frame, second],
  );
  t.strictSame(
    entries.map(({ ranges, content }) => [ranges, content.kind]),
    [
      [[{ first: 1, count: 5 }], "fault"],
      [[{ first: 6, count: 1 }], "points"],
    ],
  );
  t.end();
});

/** The point all readings of a block are of. */
function numberOf(entry: { readonly range: SequenceRange; readonly frame: Uint8Array }): number {
  const decoded = decodeEntries(headerOf([entry.range]), [entry.frame])[0]?.content;
  return decoded?.kind === "points" ? (decoded.block.readings[0]?.point ?? 0) : 0;
}

t.test(
  "I8 the newest version of a point is its state, in any order of batches; history moves nothing",
  (t) => {
    const order = fc.infiniteStream(fc.nat());
    const property = fc.property(LANE, order, (lane, draws) => {
      const shuffled = lane
        .map((entry) => ({ entry, place: draws.next().value ?? 0 }))
        .sort((left, right) => left.place - right.place)
        .map(({ entry }) => entry);
      const decoded = decodeEntries(
        headerOf(shuffled.map((entry) => entry.range)),
        shuffled.map((entry) => entry.frame),
      );
      const newest = new Map<number, number>();
      for (const entry of lane) newest.set(numberOf(entry), entry.range.first + entry.range.count - 1);
      newest.delete(4);
      const told = planIngest(decoded, VIEW).states.map(
        ({ point, placed }) => [point.pointNo - 100, placed.reading.stateVersion] as const,
      );
      const isNewest =
        told.length === newest.size && told.every(([number, version]) => newest.get(number) === version);
      return isNewest && planIngest(decoded, { ...VIEW, history: "history" }).states.length === 0;
    });
    t.doesNotThrow(() => fc.assert(property, RUNS));
    t.end();
  },
);

t.test("header and frames that contradict each other store nothing", (t) => {
  const frame = pointsEntry(INCARNATION, 1, [reading()]);
  const cases = [
    {
      name: "a range without entry",
      ranges: [
        { first: 1, count: 1 },
        { first: 2, count: 5 },
      ],
      frames: [frame],
    },
    { name: "an entry outside the ranges", ranges: [{ first: 7, count: 1 }], frames: [frame] },
  ];
  for (const { name, ranges, frames } of cases)
    t.throws(() => decodeEntries(headerOf(ranges), frames), WireError, name);
  t.end();
});

t.test("an entry of another lane, of another incarnation or of the wrong form is quarantined", (t) => {
  const range = [{ first: 1, count: 1 }];
  const audit = { tWall: 0, tMono: 0, tq: "unset", body: { kind: "link", state: "up", detail: "" } };
  let deep: unknown = "end";
  for (let level = 0; level < 1_000; level += 1) deep = [deep];
  const cases = [
    { name: "lane", frame: pointsEntry(INCARNATION, 1, [reading()], "B"), cause: "bad-schema" },
    { name: "incarnation", frame: pointsEntry("cd".repeat(16), 1, [reading()]), cause: "bad-schema" },
    { name: "record in lane C", frame: recordEntry(INCARNATION, "C", 1, audit), cause: "bad-schema" },
  ];
  for (const { name, frame, cause } of cases) {
    t.match(
      decodeEntries(headerOf(range), [frame])[0],
      { ranges: range, content: { kind: "fault", cause } },
      name,
    );
  }
  const inB = { ...headerOf(range), lane: "B" as const };
  for (const extra of [{ note: deep }, { note: "half \ud800" }, { tWall: 1e300 }]) {
    const nested = recordEntry(INCARNATION, "B", 1, { ...audit, ...extra });
    t.match(decodeEntries(inB, [nested])[0]?.content, { kind: "fault", cause: "not-storable" });
  }
  t.end();
});

t.test("cursor ranges survive PostgreSQL's form", (t) => {
  const ranges = fc.array(
    fc.record({ first: fc.integer({ min: 1, max: 2 ** 50 }), count: fc.integer({ min: 1, max: 1_000 }) }),
  );
  fc.assert(
    fc.property(ranges, (list) => {
      const set = list.reduce<RangeSet>(addRange, []);
      return JSON.stringify(parseMultirange(formatMultirange(set))) === JSON.stringify(set);
    }),
    RUNS,
  );
  t.end();
});

t.test(
  "I19 uptime maps to UTC by the samples around it; the error grows where there is none after it",
  (t) => {
    const samples = [
      { uptimeMs: 0, offsetMs: 1_000_000 },
      { uptimeMs: 100_000, offsetMs: 1_000_100 },
    ];
    t.equal(correctUptime([], 5), null);
    t.match(correctUptime(samples, 50_000), { at: 1_050_050, error: 500 });
    t.match(correctUptime(samples, 10_100_000), { at: 11_100_100, error: 1_500 });
    t.equal(correctUptime(samples, Number.NaN), null);
    const walls = [5_000, 6_000];
    const unset = correctBlock({ storedAt: 50_000, timeQuality: "unset", walls }, samples);
    t.match(
      unset(Instant(5_000)),
      { at: 1_049_050, error: 700 },
      "as far before the commit as before the newest",
    );
    const jumped = correctBlock(
      { storedAt: 50_000, timeQuality: "synced", walls: [5_000, 1_050_000 + 10 * 86_400_000] },
      samples,
    );
    t.match(jumped(Instant(5_000)), { at: 1_050_050 }, "stamped before the clock was set");
    const good = correctBlock({ storedAt: 50_000, timeQuality: "synced", walls: [1_050_000] }, samples);
    t.match(
      good(Instant(1_049_990)),
      { at: 1_049_990 },
      "a synchronised clock that agrees is the better one",
    );
    t.match(correctBlock({ storedAt: 5, timeQuality: "synced", walls }, [])(Instant(7)), { at: 7 });
    t.equal(correctBlock({ storedAt: 5, timeQuality: "unset", walls }, [])(Instant(7)), null);
    t.end();
  },
);
