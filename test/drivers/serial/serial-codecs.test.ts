import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { FrameCutter, frameOf } from "../../../drivers/serial/ascii/frame-cutter.ts";
import { FRAMING_SCHEMA } from "../../../drivers/serial/ascii/framing.ts";
import { fillPattern, matchPattern, parsePattern } from "../../../drivers/serial/ascii/text-pattern.ts";
import { decodeFrame, encodeFrame, encodeUnsigned } from "../../../drivers/serial/osdp/osdp-frame.ts";
import { OsdpFrameReader } from "../../../drivers/serial/osdp/osdp-frame-reader.ts";
import { cardOf, keysOf } from "../../../drivers/serial/osdp/osdp-replies.ts";
import { PacketCollector } from "../../../simulators/osdp/pd-frame.ts";

interface GoldenFrame {
  readonly name: string;
  readonly frame: string;
  readonly meaning: {
    readonly address: number;
    readonly from: "panel" | "unit";
    readonly sequence: number;
    readonly code: number;
    readonly data: string;
  };
}
const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 2_000);

const FRAMES = join(import.meta.dirname, "../../fixtures/frames/osdp.json");
const GOLDEN: readonly GoldenFrame[] = JSON.parse(readFileSync(FRAMES, "utf8"));
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

t.test("golden OSDP frames decode and encode byte for byte", async (t) => {
  for (const { name, frame, meaning } of GOLDEN) {
    const bytes = bytesOf(frame);
    const decoded = decodeFrame(bytes);
    if ("defect" in decoded) throw new Error(`${name}: ${decoded.defect}`);
    const { address, from, sequence, code, data } = decoded.frame;
    t.same({ address, from, sequence, code, data: Buffer.from(data).toString("hex") }, meaning, name);
    t.same(encodeFrame(encodeUnsigned(decoded.frame)), bytes, name);
  }
});

t.test("golden OSDP frames are found cut at every byte and behind noise", async (t) => {
  for (const { name, frame } of GOLDEN) {
    const bytes = bytesOf(frame);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const found: Buffer[] = [];
      const reader = new OsdpFrameReader();
      for (const chunk of [Buffer.from("ff53ff0000", "hex"), bytes.subarray(0, cut), bytes.subarray(cut)])
        reader.read(chunk, (each) => found.push(Buffer.from(each)));
      t.same(found.at(-1), bytes, `${name}, cut at ${cut}`);
    }
  }
});

t.test("a flipped bit in a golden OSDP frame is found", async (t) => {
  for (const { name, frame } of GOLDEN) {
    const bytes = bytesOf(frame);
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const broken = Buffer.from(bytes);
      broken.writeUInt8((broken[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
      // The bit that says whether a CRC or a checksum follows makes the one of the other.
      t.ok("defect" in decodeFrame(broken), `${name}, bit ${bit}`);
    }
  }
});

t.test("an OSDP command of any content is understood by a unit", async () => {
  const command = fc.record({
    address: fc.integer({ min: 0, max: 126 }),
    sequence: fc.integer({ min: 0, max: 3 }),
    code: fc.integer({ min: 0, max: 255 }),
    data: fc.uint8Array({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(command, ({ address, sequence, code, data }) => {
      const bytes = encodeFrame(encodeUnsigned({ address, sequence, code, data, from: "panel" }));
      const [packet] = new PacketCollector().feed(bytes);
      return (
        packet?.address === address &&
        packet.sequence === sequence &&
        packet.code === code &&
        packet.data.equals(Buffer.from(data))
      );
    }),
    { seed, numRuns: RUNS },
  );
});

t.test("what a line may bring never stops the OSDP reader, and never grows it", async () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.constantFrom(...GOLDEN.map(({ frame }) => bytesOf(frame))),
    fc.constant(Buffer.from("5381ff05", "hex")),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 40 }), (chunks) => {
      const reader = new OsdpFrameReader();
      for (const each of chunks) {
        reader.read(each, (frame) => {
          const decoded = decodeFrame(frame);
          if ("defect" in decoded) return;
          cardOf(Buffer.from(decoded.frame.data));
          keysOf(Buffer.from(decoded.frame.data));
        });
      }
      reader.reset();
      const found: Buffer[] = [];
      reader.read(bytesOf(GOLDEN[0]?.frame ?? ""), (frame) => found.push(frame));
      return found.length === 1;
    }),
    { seed, numRuns: RUNS },
  );
});

t.test("cards and keys", async (t) => {
  const told = bytesOf("00 01 1a 00 a5 00 00 00");
  t.same(cardOf(told), { item: "card", reader: 0, text: "26:2940000" }, "26 bits from the highest");
  t.equal(cardOf(bytesOf("00 01 1a 00 a5 00")), undefined, "fewer bytes than bits");
  t.equal(cardOf(bytesOf("00 01 00 00 a5")), undefined, "no bits");
  t.same(keysOf(bytesOf("00 03 31 32 0d")), { item: "keypad", reader: 0, text: "12#" });
  t.equal(keysOf(bytesOf("00 04 31")), undefined, "fewer keys than told");
});

t.test("text frames of every framing come out as they went in, however they are cut", async () => {
  const framings = [
    { end: "\\r\\n" },
    { start: "\\x02", end: "\\x03", checksum: "xor-hex" },
    { start: ":", end: "\\r", checksum: "crc16-hex" },
    { end: "\\r", checksum: "sum-hex" },
    { start: "#", length: 12, checksum: "sum-byte" },
  ] as const;
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.constantFrom(...framings),
      fc.stringMatching(/^[A-Z0-9=,.+-]{10}$/),
      cuts,
      (written, text, sizes) => {
        const framing = FRAMING_SCHEMA.parse(written);
        const cutter = new FrameCutter(framing);
        const found: unknown[] = [];
        // A terminal's wake-up character before it is noise where a start tells frames apart.
        const noise = framing.start.length > 0 ? Buffer.from("zz") : Buffer.alloc(0);
        const line = Buffer.concat([noise, frameOf(text, framing), frameOf(text, framing)]);
        for (let at = 0, turn = 0; at < line.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          cutter.take(line.subarray(at, at + size), (frame) => found.push(frame));
          at += size;
        }
        return JSON.stringify(found) === JSON.stringify([{ text }, { text }]);
      },
    ),
    { seed, numRuns: RUNS },
  );
});

t.test("text without an end is dropped at its bound and the next frame is read", async (t) => {
  const cutter = new FrameCutter(FRAMING_SCHEMA.parse({ end: "\\r" }));
  const found: unknown[] = [];
  cutter.take(Buffer.alloc(1_025, "x"), (frame) => found.push(frame));
  cutter.take(Buffer.from("OK\r"), (frame) => found.push(frame));
  t.same(found, [{ defect: "no end" }, { text: "OK" }]);
});

t.test("a pattern reads what it writes, and nothing of another unit", async (t) => {
  const pattern = parsePattern("!{unit:02},IN={value},OUT={skip};");
  t.equal(fillPattern(pattern, { unit: 7, value: "12" }), "!07,IN=12,OUT=;");
  t.same(matchPattern(pattern, "!07,IN=000123,OUT=4;", 7), { value: "000123" });
  t.equal(matchPattern(pattern, "!08,IN=000123,OUT=4;", 7), "another unit");
  t.equal(matchPattern(pattern, "!07,IN=000123", 7), "another text");
  t.equal(matchPattern(pattern, "", 7), "another text");
  t.throws(() => parsePattern("{value}{skip}"), /write what stands between/);
  t.throws(() => parsePattern("{walue}"), /is no gap/);
});
