import { readFileSync } from "node:fs";
import fc from "fast-check";
import t from "tap";
import { crc16 } from "../../../drivers/modbus/crc16.ts";
import { expectationOf } from "../../../drivers/modbus/rtu/rtu-frame.ts";
import { RtuReader } from "../../../drivers/modbus/rtu/rtu-reader.ts";
import { crcOf, decodeRtu, encodeRtu } from "../../../simulators/line/rtu-frame.ts";
import { hex } from "./raw-peer.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** Frames of the fuzz; `FUZZ_FRAMES=5000000` runs it for long. */
const FUZZ_FRAMES = Number(process.env["FUZZ_FRAMES"] ?? 20_000);
t.comment(`SEED=${seed} FUZZ_FRAMES=${FUZZ_FRAMES}`);

interface GoldenFrame {
  readonly name: string;
  readonly source: string;
  readonly request: string;
  readonly reply: string;
}

const GOLDEN: readonly GoldenFrame[] = JSON.parse(
  readFileSync(new URL("../../fixtures/frames/modbus-rtu.json", import.meta.url), "utf8"),
);

/** Feeds `bytes` in pieces of `sizes`, over and over; the first answer found. */
function readIn(bytes: Buffer, sizes: readonly number[], request: Buffer): Buffer | undefined {
  const reader = new RtuReader();
  const expected = expectationOf(request);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const answer = reader.push(bytes.subarray(at, at + size), expected);
    if (answer !== undefined) return answer;
    at += size;
  }
  return undefined;
}

for (const { name, source, request, reply } of GOLDEN) {
  t.test(`${name}: whole, cut at every byte, and with noise before (${source})`, async (t) => {
    const frame = hex(reply);
    for (let cut = 1; cut <= frame.length; cut += 1) {
      t.same(readIn(frame, [cut, frame.length], hex(request)), frame, `cut behind byte ${cut}`);
    }
    for (const noise of ["00", "ff ff", "11", "11 03", "11 03 ff 00", "0a 81", "11 83 02 c1"]) {
      t.same(readIn(Buffer.concat([hex(noise), frame]), [3], hex(request)), frame, `noise ${noise}`);
    }
    for (let at = 0; at < frame.length; at += 1) {
      const damaged = Buffer.from(frame);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      t.equal(readIn(damaged, [1], hex(request)), undefined, `bit turned in byte ${at}`);
      t.equal(readIn(frame.subarray(0, at), [1], hex(request)), undefined, `ends before byte ${at}`);
    }
  });
}

const READ = fc.record({
  unit: fc.integer({ min: 1, max: 247 }),
  functionCode: fc.constantFrom(3, 4),
  first: fc.nat(65_000),
  count: fc.integer({ min: 1, max: 125 }),
});
const SIZES = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

function requestOf({
  unit,
  functionCode,
  first,
  count,
}: {
  unit: number;
  functionCode: number;
  first: number;
  count: number;
}): Buffer {
  const pdu = Buffer.alloc(5);
  pdu.writeUInt8(functionCode, 0);
  pdu.writeUInt16BE(first, 1);
  pdu.writeUInt16BE(count, 3);
  return encodeRtu(unit, pdu);
}

function answerTo(request: Buffer, data: Uint8Array): Buffer {
  const bytes = 2 * request.readUInt16BE(4);
  const body = Buffer.alloc(bytes, Buffer.from(data.length === 0 ? [0] : data));
  return encodeRtu(request.readUInt8(0), Buffer.concat([request.subarray(1, 2), Buffer.from([bytes]), body]));
}

t.test("the checksum is that of an implementation of its own, bit by bit", async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => crc16(bytes, bytes.length) === crcOf(bytes)),
    { seed, numRuns: 2_000 },
  );
});

t.test("an answer is found however it is cut and whatever noise is before it", async () => {
  fc.assert(
    fc.property(
      READ,
      fc.uint8Array({ maxLength: 40 }),
      SIZES,
      fc.uint8Array({ maxLength: 60 }),
      (asked, data, sizes, noise) => {
        const request = requestOf(asked);
        const answer = answerTo(request, data);
        const found = readIn(Buffer.concat([noise, answer]), sizes, request);
        return found?.equals(answer) === true;
      },
    ),
    { seed, numRuns: 1_000 },
  );
});

t.test("no frame of another unit, function or length is ever taken for the answer", async () => {
  fc.assert(
    fc.property(READ, READ, SIZES, (asked, other, sizes) => {
      const request = requestOf(asked);
      const foreign = answerTo(requestOf(other), new Uint8Array([7, 1]));
      const isAlike =
        asked.unit === other.unit && asked.functionCode === other.functionCode && asked.count === other.count;
      return (readIn(foreign, sizes, request) !== undefined) === isAlike;
    }),
    { seed, numRuns: 1_000 },
  );
});

t.test("fuzz: no crash, no stall, no growth; what is returned is always a sound answer", async (t) => {
  const reader = new RtuReader();
  const chance = seededNumbers(seed);
  const request = requestOf({ unit: 17, functionCode: 3, first: 100, count: 4 });
  const expected = expectationOf(request);
  const before = memoryAfterCollection();
  let slowestMs = 0;
  let answers = 0;
  for (let round = 0; round < FUZZ_FRAMES; round += 1) {
    const bytes = fuzzed(request, chance);
    // Of this thread's own processor time: a machine that is busy elsewhere is no stall of the decoder.
    const start = process.threadCpuUsage();
    const answer = reader.push(bytes, expected);
    if (chance() % 5 === 0) reader.takeRemains();
    const used = process.threadCpuUsage(start);
    slowestMs = Math.max(slowestMs, (used.user + used.system) / 1_000);
    if (answer === undefined) continue;
    answers += 1;
    const decoded = decodeRtu(answer);
    if (decoded?.unit !== 17 || (decoded.pdu.readUInt8(0) & 0x7f) !== 3) t.fail(answer.toString("hex"));
  }
  t.ok(answers > FUZZ_FRAMES / 100, `${answers} answers among ${FUZZ_FRAMES} frames`);
  t.ok(slowestMs < 50, `slowest ${slowestMs.toFixed(2)} ms`);
  t.ok(reader.heldBytes <= 1_024);
  const grownMb = (memoryAfterCollection() - before) / 1_048_576;
  t.ok(grownMb < 20, `grew by ${grownMb.toFixed(1)} MiB`);
});

/** A right answer, a refusal, one of them damaged, cut or doubled, or anything. */
function fuzzed(request: Buffer, chance: () => number): Buffer {
  const right =
    chance() % 3 === 0
      ? encodeRtu(17, Buffer.from([0x83, 2]))
      : answerTo(request, Buffer.from([chance() & 0xff]));
  switch (chance() % 6) {
    case 0:
      return right;
    case 1:
      right[chance() % right.length] = chance() & 0xff;
      return right;
    case 2:
      return right.subarray(0, chance() % right.length);
    case 3:
      return Buffer.concat([right.subarray(chance() % right.length), right, right]);
    case 4:
      return Buffer.concat([request, right]);
    default:
      return Buffer.from(Array.from({ length: 1 + (chance() % 300) }, () => chance() & 0xff));
  }
}

/** xorshift32: one number costs nothing, which a generator of the property library does not. */
function seededNumbers(from: number): () => number {
  let state = from | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function memoryAfterCollection(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
