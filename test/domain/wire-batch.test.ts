import t from "tap";
import { IncarnationId } from "../../domain/ids.ts";
import { decodeBatch, encodeBatch } from "../../domain/wire/batch.ts";
import { decodeEntry, encodeEntry } from "../../domain/wire/entry.ts";
import { WireError } from "../../domain/wire/wire-error.ts";

const incarnation = IncarnationId("0123456789abcdef".repeat(2));
const frames = [1, 2, 3].map((first) =>
  encodeEntry({
    incarnation,
    lane: "B",
    kind: "record",
    range: { first, count: 1 },
    body: Buffer.from(`{"record":${first}}`),
  }),
);
const header = {
  session: "1.1",
  lane: "B" as const,
  incarnation,
  ranges: [{ first: 1, count: 3 }],
  history: false,
};

t.test("a batch comes back as it went, whatever its codec", async (t) => {
  for (const codec of ["zstd", "gzip", "none"] as const) {
    const decoded = decodeBatch(encodeBatch(header, frames, codec));
    t.match(decoded.header, { ...header, codec });
    t.same(
      decoded.frames.map((frame) => decodeEntry(frame).range.first),
      [1, 2, 3],
      codec,
    );
  }
});

t.test("I12 a frame that hides where it ends takes none of those before it along", async (t) => {
  const damaged = frames.map((frame, index) =>
    index === 1 ? Uint8Array.from(frame, (byte, at) => (at === 0 ? 0 : byte)) : frame,
  );
  const { frames: found } = decodeBatch(encodeBatch(header, damaged, "none"));
  t.equal(found.length, 2);
  t.equal(decodeEntry(found[0] ?? new Uint8Array()).range.first, 1);
  t.throws(() => decodeEntry(found[1] ?? new Uint8Array()), WireError);
});

t.test("a batch that inflates beyond what it told is refused before it fills memory", async (t) => {
  const honest = Buffer.from(encodeBatch(header, [Buffer.alloc(1_000_000)], "zstd"));
  const headLength = honest.readUInt32LE(0);
  const head = JSON.parse(honest.toString("utf8", 4, 4 + headLength));
  const lying = Buffer.from(JSON.stringify({ ...head, sizeBytes: 1_000 }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(lying.length);
  const batch = Buffer.concat([length, lying, honest.subarray(4 + headLength)]);
  t.throws(() => decodeBatch(batch), { code: "bad-codec" });
});

t.test("a batch cut at any byte is refused, never half taken", async (t) => {
  const whole = encodeBatch(header, frames, "zstd");
  for (let end = 0; end < whole.length; end += 1) {
    t.throws(() => decodeBatch(whole.subarray(0, end)), WireError, `cut at ${end}`);
  }
});
