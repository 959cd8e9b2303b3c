import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import pino from "pino";
import t from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointValue } from "../../../domain/reading.ts";
import { Millis } from "../../../domain/time.ts";
import { NO_HOLES, type Sample, type UnitSession } from "../../../drivers/driver.ts";
import type { ModbusAddress } from "../../../drivers/modbus/modbus-address.ts";
import { modbusDriver } from "../../../drivers/modbus/modbus-driver.ts";
import { compileReader, readerOf } from "../../../drivers/modbus/point-reader.ts";
import { encodeWrite } from "../../../drivers/modbus/point-writer.ts";
import { CountingClock } from "../counting-clock.ts";
import { point } from "./modbus-unit.ts";
import { frame, hex, RawPeer, type RawRequest } from "./raw-peer.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);

interface GoldenExchange {
  readonly name: string;
  readonly points: readonly (Partial<PointDefinition> & { readonly address: unknown })[];
  /** Absent: the points are read. */
  readonly write?: PointValue;
  readonly request: string;
  readonly reply: string;
  readonly samples?: readonly unknown[];
  readonly fault?: string;
}
const golden: readonly GoldenExchange[] = JSON.parse(
  readFileSync(new URL("../../fixtures/frames/modbus-points.json", import.meta.url), "utf8"),
);
const UNIT = 9;
const never = new AbortController().signal;

function define(address: unknown, rest: Partial<PointDefinition> = {}): PointDefinition<ModbusAddress> {
  const definition = point("p", address, rest);
  return { ...definition, address: modbusDriver.parseAddress(address, definition) };
}

/** A session with a peer that answers each request by `answer`. */
async function withSession(
  use: (session: UnitSession<ModbusAddress>, peer: RawPeer) => Promise<void>,
  requestTimeout = Millis(2_000),
): Promise<void> {
  await using peer = await RawPeer.open();
  const config = modbusDriver.parseBusConfig({ transport: "tcp", host: "127.0.0.1", port: peer.port });
  const logger = pino({ enabled: false });
  const context = { clock: new CountingClock(), logger, requestTimeout, frames: () => {} };
  await using bus = await modbusDriver.openBus(config, context, never);
  await use(bus.openSession(String(UNIT), []), peer);
}

/** What the golden file writes of it: faults by their code, and NaN, which JSON lacks, as text. */
function written(sample: Sample): unknown {
  if ("fault" in sample) return { fault: sample.fault.code };
  if ("sentinel" in sample) return { sentinel: Number.isNaN(sample.sentinel) ? "NaN" : sample.sentinel };
  return "bad" in sample ? { bad: sample.bad } : { value: sample.value };
}

async function run(session: UnitSession<ModbusAddress>, one: GoldenExchange): Promise<unknown> {
  const points = one.points.map(({ address, ...rest }) => define(address, rest));
  try {
    if (one.write !== undefined) {
      const [target] = points;
      if (target === undefined) throw new Error("no point to write");
      await session.write(target, one.write, never);
      return undefined;
    }
    const [exchange, ...more] = session.plan(points, NO_HOLES);
    if (exchange === undefined || more.length > 0) throw new Error("more than one exchange");
    return (await session.exchange(exchange, never)).map(written);
  } catch (error) {
    if (error instanceof DeviceFault) return error.code;
    throw error;
  }
}

t.test("golden exchanges: the request's bytes and what the answer means", async (t) => {
  await withSession(async (session, peer) => {
    for (const one of golden) {
      let asked = "";
      peer.onRequest = (request) => {
        asked = request.pdu.toString("hex");
        t.equal(request.unit, UNIT);
        request.socket.write(frame(request, one.reply));
      };
      t.same(await run(session, one), one.fault ?? one.samples, one.name);
      t.equal(asked, one.request.replaceAll(" ", ""), `${one.name}: request`);
    }
  });
});

t.test("golden answers, cut at every byte, mean the same", async (t) => {
  await withSession(async (session, peer) => {
    for (const one of golden) {
      const size = 7 + hex(one.reply).length;
      const meanings = new Set<string>();
      for (let at = 1; at < size; at += 1) {
        peer.onRequest = (request) => void writeCut(request, frame(request, one.reply), at);
        meanings.add(JSON.stringify(await run(session, one)));
      }
      t.same([...meanings], [JSON.stringify(one.fault ?? one.samples)], one.name);
    }
  });
});

t.test("golden answers behind frames that nobody asked for mean the same", async (t) => {
  await withSession(async (session, peer) => {
    for (const one of golden) {
      peer.onRequest = (request) => {
        const stranger = { ...request, transaction: request.transaction + 1 };
        request.socket.write(Buffer.concat([frame(stranger, one.reply), frame(request, one.reply)]));
      };
      t.same(await run(session, one), one.fault ?? one.samples, one.name);
    }
  });
});

t.test("half an answer is no value", async (t) => {
  await withSession(async (session, peer) => {
    const [one] = golden;
    if (one === undefined) throw new Error("no golden exchange");
    peer.onRequest = (request) => void request.socket.write(frame(request, one.reply).subarray(0, 10));
    t.equal(await run(session, one), "timeout", one.name);
  }, Millis(50));
});

async function writeCut(request: RawRequest, bytes: Buffer, at: number): Promise<void> {
  request.socket.write(bytes.subarray(0, at));
  await turn();
  request.socket.write(bytes.subarray(at));
}

const level = define({ table: "holding", register: 15 }, { access: "read-write" });

t.test("a value that the register can not hold is refused before it is sent", async (t) => {
  const rw = { access: "read-write" } as const;
  const dali = define({ table: "holding", register: 1 }, { ...rw, scale: { kind: "dali-log" } });
  const label = define({ table: "holding", register: 1, registers: 2 }, { ...rw, type: "text" });
  const cases: readonly { name: string; target: PointDefinition<ModbusAddress>; value: PointValue }[] = [
    { name: "below u16", target: level, value: -1 },
    { name: "above u16", target: level, value: 65_536 },
    { name: "NaN", target: level, value: Number.NaN },
    { name: "infinite", target: level, value: Number.POSITIVE_INFINITY },
    { name: "boolean for a number", target: level, value: true },
    { name: "text for a number", target: level, value: "40" },
    { name: "the sentinel", target: { ...level, sentinels: [65_535] }, value: 65_535 },
    { name: "101 % of light", target: dali, value: 101 },
    { name: "less than no light", target: dali, value: -1 },
    {
      name: "beyond float32",
      target: define({ table: "holding", register: 1, coding: "float32" }, rw),
      value: 1e39,
    },
    {
      name: "beyond 2^53-1",
      target: define({ table: "holding", register: 1, coding: "u64" }, rw),
      value: 2 ** 53,
    },
    {
      name: "below s32",
      target: define({ table: "holding", register: 1, coding: "s32" }, rw),
      value: -(2 ** 31) - 1,
    },
    { name: "long text", target: label, value: "12345" },
    { name: "text that is not ASCII", target: label, value: "é" },
    { name: "number for a text", target: label, value: 5 },
    {
      name: "number for a coil",
      target: define({ table: "coil", register: 1 }, { ...rw, type: "boolean" }),
      value: 1,
    },
    { name: "number for a boolean", target: { ...level, type: "boolean" }, value: 1 },
    { name: "a point that is only read", target: { ...level, access: "read" }, value: 1 },
  ];
  await withSession(async (session, peer) => {
    for (const { name, target, value } of cases) {
      const error: unknown = await session.write(target, value, never).catch((reason: unknown) => reason);
      t.ok(error instanceof DeviceFault, name);
      if (!(error instanceof DeviceFault) || !(error.cause instanceof Error)) continue;
      t.equal(error.code, name.includes("only read") ? "unknown-address" : "refused-by-device", name);
      t.match(error.cause.message, /^not sent: /, name);
    }
    t.equal(peer.requests.length, 0);
  });
});

t.test("an output is read from its image and written where it is an output", async (t) => {
  const coil = define(
    { table: "input", register: 4, bit: 9, writeCoil: 25 },
    { access: "read-write", type: "boolean" },
  );
  t.match(encodeWrite(coil, true, 1), {
    function: 5,
    register: 25,
    state: true,
    label: "write true to coil 25 of unit 1",
  });
  t.match(encodeWrite(coil, false, 1), { state: false });
  t.throws(() => encodeWrite(coil, 1, 1), { code: "refused-by-device" });
  t.match(readerOf(coil, 4)(Buffer.from([0x02, 0x00])), { value: true });
  t.match(readerOf(coil, 4)(Buffer.from([0xfd, 0xff])), { value: false });
  const plan = define({ table: "input", register: 6, writeRegister: 0 }, { access: "read-write" });
  t.match(encodeWrite(plan, 7, 1), {
    function: 6,
    register: 0,
    words: [7],
    label: "write 7 to holding 0 of unit 1",
  });
});

t.test("blocks that hold the same point at the same place share its reader, others do not", async (t) => {
  const voltage = define({ table: "input", register: 3 }, {});
  const data = Buffer.from([0, 1, 0, 2, 0, 3, 0, 4]);
  t.match(
    [readerOf(voltage, 0)(data), readerOf(voltage, 2)(data), readerOf(voltage, 3)(data)],
    [{ value: 4 }, { value: 2 }, { value: 1 }],
  );
  t.equal(readerOf(voltage, 2), readerOf(voltage, 2));
});

t.test("the DALI curve gives the levels of the published tables, both ways", async (t) => {
  const lamp = define(
    { table: "holding", register: 0 },
    { access: "read-write", scale: { kind: "dali-log" } },
  );
  const read = compileReader(lamp, 0);
  // DOMAIN B.1, computed from IEC 62386-102 and agreeing with two vendors' tables.
  for (const [arc, percent] of [
    [0, 0],
    [1, 0.1],
    [85, 0.99],
    [170, 10.1],
    [195, 20],
    [210, 30.1],
    [229, 50.5],
    [241, 70.1],
    [254, 100],
  ] as const) {
    const sample = read(Buffer.from([0, arc]));
    t.ok("value" in sample && Math.abs(Number(sample.value) - percent) < 0.06, `${arc} is ${percent} %`);
  }
  for (let arc = 0; arc <= 254; arc += 1) {
    const sample = read(Buffer.from([0, arc]));
    if (!("value" in sample)) throw new Error(`level ${arc} has no value`);
    t.match(encodeWrite(lamp, sample.value, 1), { words: [arc] }, `level ${arc} back`);
  }
  t.match(encodeWrite(lamp, 0.01, 1), { words: [1] }, "a little light is not off");
});

t.test("what is written is read again, in every coding and order", async () => {
  const order = fc.constantFrom("big", "little");
  const value = {
    u16: fc.nat(0xffff),
    s16: fc.integer({ min: -0x8000, max: 0x7fff }),
    u32: fc.nat(0xffff_ffff),
    s32: fc.integer(),
    u64: fc.maxSafeNat(),
    s64: fc.maxSafeInteger(),
    float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  };
  const cases = fc.oneof(
    ...Object.entries(value).map(([coding, numbers]) =>
      fc.tuple(fc.constant(coding), numbers as fc.Arbitrary<number>),
    ),
  );
  fc.assert(
    fc.property(cases, order, order, ([coding, number], wordOrder, byteOrder) => {
      const words = coding.endsWith("16") ? {} : { wordOrder };
      const target = define(
        { table: "holding", register: 5, coding, byteOrder, ...words },
        { access: "read-write" },
      );
      const request = encodeWrite(target, number, 1);
      if (!("words" in request)) throw new Error("no registers");
      const data = Buffer.alloc(2 * request.words.length);
      for (const [index, word] of request.words.entries()) data.writeUInt16BE(word, 2 * index);
      const sample = compileReader(target, 5)(data);
      return "value" in sample && sample.value === number;
    }),
    { seed, numRuns: 3_000 },
  );
});

t.test("a scaled value comes back as the decimal that was meant", async () => {
  const scale = fc.constantFrom(0.1, 0.01, 0.001, 0.25, 0.5, 2, 10, 1);
  fc.assert(
    fc.property(fc.nat(0xffff), scale, (raw, factor) => {
      const target = define(
        { table: "holding", register: 0 },
        { access: "read-write", scale: { kind: "linear", factor, offset: 0 } },
      );
      const sample = compileReader(target, 0)(Buffer.from([raw >> 8, raw & 0xff]));
      if (!("value" in sample)) return false;
      const request = encodeWrite(target, sample.value, 1);
      return "words" in request && request.words[0] === raw && String(sample.value).length <= 8;
    }),
    { seed, numRuns: 2_000 },
  );
});

t.test("footprints find two points on one place", async (t) => {
  const footprint = (address: object, rest: Partial<PointDefinition> = {}) =>
    modbusDriver.footprint(define({ table: "holding", register: 20, ...address }, rest).address);
  t.same(footprint({}), { space: "holding", first: 20, count: 1 });
  t.same(footprint({ coding: "u64" }), { space: "holding", first: 20, count: 4 });
  t.same(footprint({ bits: { shift: 4, width: 3 } }), {
    space: "holding",
    first: 20,
    count: 1,
    bitMask: 0b111_0000,
  });
  t.same(footprint({ bit: 15 }, { type: "boolean" }), {
    space: "holding",
    first: 20,
    count: 1,
    bitMask: 0x8000,
  });
  t.same(footprint({ registers: 20 }, { type: "text" }), { space: "holding", first: 20, count: 20 });
  t.same(footprint({ table: "coil" }, { type: "boolean" }), { space: "coil", first: 20, count: 1 });
});

t.test("a unit's quirk lowers what one request reads", async (t) => {
  await withSession(async (_, peer) => {
    const config = modbusDriver.parseBusConfig({
      transport: "tcp",
      host: "127.0.0.1",
      port: peer.port,
      requestTimeout: "40 ms",
    });
    const context = {
      clock: new CountingClock(),
      logger: pino({ enabled: false }),
      requestTimeout: Millis(60_000),
      frames: () => {},
    };
    await using bus = await modbusDriver.openBus(config, context, never);
    const session = bus.openSession("1", [
      { flag: "registers-per-read", value: 80, why: "SDM630 refuses 81" },
    ]);
    const points = Array.from({ length: 100 }, (_, register) => define({ table: "input", register }));
    const exchanges = session.plan(points, NO_HOLES);
    t.same(
      exchanges.map(({ label }) => label),
      ["read 80 input registers from 0 of unit 1", "read 20 input registers from 80 of unit 1"],
    );
    const [first] = exchanges;
    if (first === undefined) throw new Error("no exchange");
    const error: unknown = await session.exchange(first, never).catch((reason: unknown) => reason);
    t.match(error, { code: "timeout" }, "the bus's own request time-out goes before the field host's");
  });
});
