import fc from "fast-check";
import t from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import { MbapReader } from "../../../drivers/modbus/mbap-reader.ts";
import { SimulatedClock } from "../../simulated-clock.ts";
import { openClient } from "./open-client.ts";
import { frame, ownAddresses, type RawRequest } from "./raw-peer.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);

/** A right answer to the next request, a sound frame of anything, or bytes of anything. */
type Noise =
  | { readonly kind: "answer" }
  | { readonly kind: "frame"; readonly transaction: number; readonly unit: number; readonly pdu: Uint8Array }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

const NOISE: fc.Arbitrary<readonly Noise[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: "answer" } as const) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("frame" as const),
        transaction: fc.nat(40),
        unit: fc.nat(3),
        pdu: fc.uint8Array({ minLength: 1, maxLength: 30 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("bytes" as const),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      }),
    },
  ),
  { maxLength: 40 },
);
const CUTS = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

t.test("frames cut anywhere come out whole, whatever is between two reads", async () => {
  const pdus = fc.array(fc.uint8Array({ minLength: 1, maxLength: 253 }), { maxLength: 20 });
  fc.assert(
    fc.property(pdus, CUTS, (sent, sizes) => {
      const frames = sent.map((pdu, transaction) => frame({ transaction, unit: 1 }, Buffer.from(pdu)));
      const reader = new MbapReader();
      const got: string[] = [];
      for (const piece of cut(Buffer.concat(frames), sizes)) {
        const defect = reader.read(piece, (bytes) => void got.push(bytes.toString("hex")));
        if (defect !== undefined) throw new Error(defect);
      }
      return got.join() === frames.map((bytes) => bytes.toString("hex")).join();
    }),
    { seed, numRuns: 2_000 },
  );
});

t.test("noise of every kind settles every request and crashes nothing", async (t) => {
  const counts = { answered: 0, faults: 0 };
  await fc.assert(
    fc.asyncProperty(NOISE, CUTS, async (noise, sizes) => {
      const { answered, faults } = await hear(noise, sizes);
      counts.answered += answered;
      counts.faults += faults;
    }),
    { seed, numRuns: 150 },
  );
  t.ok(counts.answered > 0 && counts.faults > 0, JSON.stringify(counts));
});

/** Twenty requests meet the noise, then the end of the line. */
async function hear(noise: readonly Noise[], sizes: readonly number[]) {
  const clock = new SimulatedClock();
  await using line = await openClient({ clock, requestTimeout: 100 });
  const settled = Promise.allSettled(Array.from({ length: 20 }, (_, first) => line.read(first, 2)));
  const bytes = bytesOf(noise, await line.peer.received(20));
  const [socket] = line.peer.sockets();
  for (const piece of cut(bytes, sizes)) socket?.write(piece);
  socket?.end();
  const outcomes = await settled;
  if (clock.pendingTimers !== 0) throw new Error("a timer was left behind");
  const mayLie = noise.some(({ kind }) => kind !== "answer");
  return {
    answered: outcomes.filter((outcome, first) => isAnswered(outcome, mayLie ? undefined : first)).length,
    faults: outcomes.filter(({ status }) => status === "rejected").length,
  };
}

/** `first`: the register that was asked, unless a frame of the noise may have answered as well. */
function isAnswered(outcome: PromiseSettledResult<readonly number[]>, first: number | undefined): boolean {
  if (outcome.status === "rejected") {
    if (outcome.reason instanceof DeviceFault) return false;
    throw outcome.reason;
  }
  if (first !== undefined && outcome.value[0] !== first) throw new Error(`${first} got ${outcome.value}`);
  return true;
}

function bytesOf(noise: readonly Noise[], requests: readonly RawRequest[]): Buffer {
  const waiting = [...requests];
  return Buffer.concat(
    noise.map((one) => {
      if (one.kind === "bytes") return one.bytes;
      if (one.kind === "frame") return frame(one, Buffer.from(one.pdu));
      const request = waiting.shift();
      return request === undefined ? Buffer.alloc(0) : ownAddresses(request);
    }),
  );
}

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += sizes[(pieces.length - 1) % sizes.length] ?? 1) {
    pieces.push(bytes.subarray(at, at + (sizes[pieces.length % sizes.length] ?? 1)));
  }
  return pieces;
}
