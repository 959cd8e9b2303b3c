import assert from "node:assert";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import t from "tap";
import { IncarnationId, PointNumber } from "../../domain/ids.ts";
import { LANES } from "../../domain/lane.ts";
import { isBad, QUALITIES, QUALITY_CAUSES } from "../../domain/quality.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { Instant, Millis } from "../../domain/time.ts";
import {
  decodeEntry,
  ENTRY_BODY_MAX_BYTES,
  ENTRY_RECORDS_MAX,
  type Entry,
  encodeEntry,
  entryFrameLength,
  peekEntry,
} from "../../domain/wire/entry.ts";
import { decodePointsBlock, encodePointsBlock, TIME_QUALITIES } from "../../domain/wire/points-block.ts";
import { WireError } from "../../domain/wire/wire-error.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000_000);
t.comment(`SEED=${seed}`);

interface GoldenFrame {
  readonly name: string;
  readonly source: string;
  readonly entry: Omit<Entry, "body"> & { readonly body: string };
  readonly block?: unknown;
  readonly frame: string;
}
const golden = JSON.parse(
  readFileSync(new URL("../fixtures/wire/entries.json", import.meta.url), "utf8"),
) as readonly GoldenFrame[];

const entry = plainRecord({
  incarnation: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => IncarnationId(Buffer.from(bytes).toString("hex"))),
  lane: fc.constantFrom(...LANES),
  range: plainRecord({
    first: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - ENTRY_RECORDS_MAX }),
    count: fc.integer({ min: 1, max: ENTRY_RECORDS_MAX }),
  }),
  kind: fc.constantFrom("record" as const, "points" as const),
  body: fc.uint8Array({ maxLength: 300 }),
});

const BASE = 1_800_000_000_000;
const reading: fc.Arbitrary<StoredReading> = plainRecord({
  point: fc.integer({ min: 1, max: 0xffff_ffff }).map(PointNumber),
  value: fc.oneof(fc.double(), fc.boolean(), fc.string({ unit: "binary" })),
  quality: fc.constantFrom(...QUALITIES),
  cause: fc.constantFrom(...QUALITY_CAUSES),
  // Also of a clock that was never set, and of one that runs ahead: nothing is told as nearer than it is.
  gatewayTimestamp: fc
    .oneof(fc.integer({ min: BASE, max: BASE + 2_000_000_000 }), fc.constantFrom(0, 86_400_000, BASE * 2))
    .map(Instant),
  sourceTimestamp: fc.option(fc.integer({ min: 0, max: 2 ** 52 }).map(Instant)),
  stateVersion: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
}).map((each) => (isBad(each.quality) ? { ...each, value: null } : each));
const block = plainRecord({
  storedAt: fc.integer({ min: 0, max: 2 ** 45 }).map(Millis),
  timeQuality: fc.constantFrom(...TIME_QUALITIES),
  readings: fc.array(reading, { minLength: 1, maxLength: 40 }),
});

t.test("frames of released schemas are read and written as they were", (t) => {
  t.ok(golden.length >= 4);
  for (const { name, entry: told, block: readings, frame } of golden) {
    const bytes = Buffer.from(frame, "hex");
    const decoded = decodeEntry(bytes);
    t.same({ ...decoded, body: Buffer.from(decoded.body).toString("hex") }, told, name);
    t.equal(Buffer.from(encodeEntry(decoded)).toString("hex"), frame, `${name}, written again`);
    if (readings === undefined) continue;
    const points = decodePointsBlock(decoded.body);
    t.same(points, readings, `${name}, its readings`);
    t.equal(
      Buffer.from(encodePointsBlock(points)).toString("hex"),
      told.body,
      `${name}, its readings written again`,
    );
  }
  t.end();
});

t.test("an entry comes back as it went", (t) => {
  fc.assert(
    fc.property(entry, (each) => {
      const frame = encodeEntry(each);
      assert.deepStrictEqual({ ...decodeEntry(frame), body: Uint8Array.from(decodeEntry(frame).body) }, each);
      assert.deepStrictEqual(peekEntry(frame), {
        incarnation: each.incarnation,
        lane: each.lane,
        range: each.range,
      });
      const followed = Buffer.concat([frame, Buffer.from("the next one")]);
      assert.strictEqual(entryFrameLength(followed), frame.length);
      assert.deepStrictEqual(decodeEntry(followed).range, each.range);
    }),
    { seed },
  );
  t.pass();
  t.end();
});

t.test("a block of readings comes back as it went", (t) => {
  fc.assert(
    fc.property(block, (each) => {
      assert.deepStrictEqual(decodePointsBlock(encodePointsBlock(each)), each);
    }),
    { seed, numRuns: 300 },
  );
  t.pass();
  t.end();
});

t.test("an entry cut at any byte is truncated", (t) => {
  for (const { name, frame } of golden) {
    const bytes = Buffer.from(frame, "hex");
    const taken = Array.from({ length: bytes.length }, (_, length) =>
      faultOf(() => decodeEntry(bytes.subarray(0, length))),
    );
    t.same(new Set(taken), new Set(["truncated"]), name);
  }
  t.end();
});

t.test("a block cut at any byte is refused", (t) => {
  fc.assert(
    fc.property(block, fc.nat(), (each, at) => {
      const bytes = encodePointsBlock(each);
      const cut = bytes.subarray(0, at % bytes.length);
      assert.ok(["truncated", "bad-length"].includes(faultOf(() => decodePointsBlock(cut))));
    }),
    { seed },
  );
  t.pass();
  t.end();
});

t.test("I15 every flipped bit of an entry is found", (t) => {
  let flips = 0;
  const missed: string[] = [];
  for (const { name, frame } of golden) {
    for (let bit = 0; bit < (frame.length / 2) * 8; bit += 1) {
      const bytes = Buffer.from(frame, "hex");
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      flips += 1;
      if (faultOf(() => decodeEntry(bytes)) === "none") missed.push(`${name}, bit ${bit}`);
    }
  }
  t.same(missed, []);
  t.ok(flips > 5_000, `${flips} flips`);
  t.end();
});

t.test("any bytes at all end as an entry or as a coded fault", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      faultOf(() => decodeEntry(bytes));
      faultOf(() => decodePointsBlock(bytes));
      faultOf(() => decodeEntry(Uint8Array.from([0x4e, 1, 0, 1, 1, ...bytes])));
    }),
    { seed, numRuns: 1_000 },
  );
  t.pass();
  t.end();
});

t.test("what is larger than its limit is refused before it is written or read", (t) => {
  const small: Entry = {
    incarnation: IncarnationId("0".repeat(32)),
    lane: "C",
    range: { first: 1, count: 1 },
    kind: "points",
    body: new Uint8Array(),
  };
  t.equal(
    faultOf(() => encodeEntry({ ...small, body: new Uint8Array(ENTRY_BODY_MAX_BYTES + 1) })),
    "too-large",
  );
  t.equal(
    faultOf(() => encodeEntry({ ...small, range: { first: 1, count: ENTRY_RECORDS_MAX + 1 } })),
    "too-large",
  );
  t.equal(
    faultOf(() => encodeEntry({ ...small, range: { first: 1, count: 0 } })),
    "too-large",
  );
  const frame = Buffer.from(encodeEntry(small));
  frame.writeUInt32LE(0xffff_ffff, 36);
  t.equal(
    faultOf(() => decodeEntry(frame)),
    "too-large",
  );
  t.end();
});

/** Objects as a decoder makes them: with the usual prototype, so that they compare equal. */
function plainRecord<Value>(model: { [Key in keyof Value]: fc.Arbitrary<Value[Key]> }): fc.Arbitrary<Value> {
  return fc.record(model, { noNullPrototype: true });
}

/** The code of the WireError that `work` ends in, `none` without one; any other error is a bug and thrown on. */
function faultOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}
