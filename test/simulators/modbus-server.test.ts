import { readFileSync } from "node:fs";
import t from "tap";
import { machineClock } from "../../simulators/clock.ts";
import { openModbusTcpServer } from "../../simulators/modbus/modbus-tcp-server.ts";
import {
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteAnswer,
  type WriteRequest,
} from "../../simulators/modbus/register-bank.ts";
import { frame, hex, RawClient } from "./modbus-client.ts";

interface GoldenFrame {
  readonly name: string;
  readonly source: string;
  readonly request: string;
  readonly reply: string;
}
const golden: readonly GoldenFrame[] = JSON.parse(
  readFileSync(new URL("../fixtures/frames/modbus-application.json", import.meta.url), "utf8"),
);

const bits = (text: string): number[] => [...text.replaceAll(" ", "")].map(Number);

/** Holds what the worked examples of the Modbus specification presume; its tables end at 1,184. */
class SpecificationBank implements RegisterBank {
  readonly writes: WriteRequest[] = [];
  readonly refused: string[] = [];
  readonly coils = new Uint8Array(1_184);
  readonly discrete = new Uint8Array(1_184);
  readonly holding = new Uint16Array(1_184);
  readonly input = new Uint16Array(1_184);

  constructor() {
    // Given in the specification from the highest to the lowest number.
    this.coils.set(bits("101 0110 1011 1100 1101").reverse(), 19);
    this.discrete.set(bits("11 0101 1101 1011 1010 1100").reverse(), 196);
    this.holding.set([555, 0, 100], 107);
    this.input.set([10], 8);
  }

  readCoils = (address: number, count: number): ReadAnswer => slice(this.coils, address, count);
  readDiscrete = (address: number, count: number): ReadAnswer => slice(this.discrete, address, count);
  readHolding = (address: number, count: number): ReadAnswer => slice(this.holding, address, count);
  readInput = (address: number, count: number): ReadAnswer => slice(this.input, address, count);

  writeCoils(request: WriteRequest): WriteAnswer {
    this.writes.push(request);
    this.coils.set(request.values, request.address);
    return "written";
  }

  writeRegisters(request: WriteRequest): WriteAnswer {
    this.writes.push(request);
    this.holding.set(request.values, request.address);
    return "written";
  }

  writeNotExecuted(_: WriteRequest, reason: string): void {
    this.refused.push(reason);
  }
}

function slice(table: Uint8Array | Uint16Array, address: number, count: number): ReadAnswer {
  return address + count > table.length ? new ModbusException(2) : table.slice(address, address + count);
}

async function open(bank: RegisterBank = new SpecificationBank()) {
  return await openModbusTcpServer({
    host: "127.0.0.1",
    port: 0,
    units: new Map([[1, bank]]),
    clock: machineClock,
  });
}

t.test("every worked example of the specification is answered as printed", async (t) => {
  await using server = await open();
  await using client = await RawClient.open(server.address);
  for (const example of golden) {
    client.socket.write(frame(example.request, { transaction: 0x1234 }));
    const answer = await client.takeFrame();
    t.equal(
      answer.toString("hex"),
      frame(example.reply, { transaction: 0x1234 }).toString("hex"),
      example.name,
    );
  }
});

t.test("a frame cut at any byte is answered all the same", async (t) => {
  await using server = await open();
  await using client = await RawClient.open(server.address);
  for (const example of golden) {
    const request = frame(example.request);
    for (let cut = 1; cut < request.length; cut += 1) {
      const served = server.requestCount;
      client.socket.write(request.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(request.subarray(cut));
      const answer = await client.takeFrame();
      t.equal(answer.toString("hex"), frame(example.reply).toString("hex"), `${example.name}, cut at ${cut}`);
      t.equal(server.requestCount, served + 1);
    }
  }
});

t.test("what multiple writes carry arrives in the order of the specification", async (t) => {
  const bank = new SpecificationBank();
  await using server = await open(bank);
  await using client = await RawClient.open(server.address);
  await client.ask("0f 0013 000a 02 cd 01");
  await client.ask("10 0001 0002 04 000a 0102", 1);
  t.same(bank.writes[0]?.values, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]);
  t.same(bank.writes[1]?.values, [10, 0x0102]);
  t.match(bank.writes[1]?.origin, { connection: 1, transaction: 2, unit: 1, function: 16 });
});

t.test("pipelined requests in one chunk are answered in their order, on many connections", async (t) => {
  await using server = await open();
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(server.address)));
  const chunk = Buffer.concat(
    Array.from({ length: 300 }, (_, at) => frame("03 006b 0003", { transaction: 60_000 + at })),
  );
  for (const client of clients) client.socket.write(chunk);
  for (const client of clients) {
    for (let at = 0; at < 300; at += 1) {
      const answer = await client.takeFrame();
      if (answer.readUInt16BE(0) !== 60_000 + at) t.fail(`answer ${at} belongs to ${answer.readUInt16BE(0)}`);
    }
    await client[Symbol.asyncDispose]();
  }
  t.equal(server.requestCount, 6_000);
});

const broken = [
  { name: "protocol id 1", bytes: "0001 0001 0006 01 03 006b 0003" },
  { name: "length 0", bytes: "0001 0000 0000 01 03 006b 0003" },
  { name: "length 1: a unit and no PDU", bytes: "0001 0000 0001 01" },
  { name: "length 255: a PDU of 254 bytes", bytes: "0001 0000 00ff 01 03" },
  { name: "length 65535", bytes: "0001 0000 ffff 01 03" },
];
for (const { name, bytes } of broken) {
  t.test(`${name} closes that connection, after what came before it, and no other`, async (t) => {
    await using server = await open();
    await using other = await RawClient.open(server.address);
    await using client = await RawClient.open(server.address);
    client.socket.write(Buffer.concat([frame("04 0008 0001"), hex(bytes)]));
    t.equal((await client.takeFrame()).toString("hex"), frame("04 02 000a").toString("hex"));
    await client.closed();
    t.equal((await other.ask("04 0008 0001")).toString("hex"), "0402000a");
  });
}

const full = (count: number): string => count.toString(16).padStart(4, "0");
const limits = [
  { name: "all 1,184 coils", pdu: `01 0000 ${full(1_184)}`, answer: /^0194/ },
  { name: "2,001 coils", pdu: `01 0000 ${full(2_001)}`, answer: /^8103$/ },
  { name: "2,000 coils past the map", pdu: `01 0000 ${full(2_000)}`, answer: /^8102$/ },
  { name: "no coil", pdu: "01 0000 0000", answer: /^8103$/ },
  { name: "2,001 discrete inputs", pdu: `02 0000 ${full(2_001)}`, answer: /^8203$/ },
  { name: "125 registers", pdu: "03 0000 007d", answer: /^03fa/ },
  { name: "126 registers", pdu: "03 0000 007e", answer: /^8303$/ },
  { name: "no register", pdu: "03 0000 0000", answer: /^8303$/ },
  { name: "126 input registers", pdu: "04 0000 007e", answer: /^8403$/ },
  { name: "an address past 65,535", pdu: "03 ffff 0002", answer: /^8302$/ },
  { name: "a coil value that is neither", pdu: "05 0000 0001", answer: /^8503$/ },
  { name: "1,968 coils written", pdu: `0f 0000 07b0 f6 ${"00".repeat(246)}`, answer: /^8f02$|^0f000007b0$/ },
  { name: "1,969 coils written", pdu: `0f 0000 07b1 f7 ${"00".repeat(247)}`, answer: /^8f03$/ },
  { name: "123 registers written", pdu: `10 0000 007b f6 ${"0007".repeat(123)}`, answer: /^100000007b$/ },
  { name: "124 registers written", pdu: `10 0000 007c f6 ${"0007".repeat(123)}`, answer: /^9003$/ },
  { name: "a byte count that lies", pdu: "10 0000 0002 02 0007", answer: /^9003$/ },
  { name: "a read that is too short", pdu: "03 0000", answer: /^8303$/ },
  { name: "a write that is too long", pdu: "06 0000 0001 00", answer: /^8603$/ },
  { name: "an unknown function", pdu: "2b 0e 01 00", answer: /^ab01$/ },
  { name: "function 0", pdu: "00", answer: /^8001$/ },
];
t.test("the limits of the application protocol are kept", async (t) => {
  const bank = new SpecificationBank();
  bank.writeCoils = () => new ModbusException(2);
  await using server = await open(bank);
  await using client = await RawClient.open(server.address);
  for (const { name, pdu, answer } of limits) t.match((await client.ask(pdu)).toString("hex"), answer, name);
  t.same(bank.refused, ["exception-3", "exception-3", "exception-3", "exception-3", "exception-3"]);
});

t.test("a unit that is not there answers exception 11, a table that is not there exception 1", async (t) => {
  const refused: string[] = [];
  await using server = await open({ writeNotExecuted: (_, reason) => refused.push(reason) });
  await using client = await RawClient.open(server.address);
  t.equal((await client.ask("03 0000 0001", 9)).toString("hex"), "830b");
  for (const [pdu, answer] of [
    ["01 0000 0001", "8101"],
    ["02 0000 0001", "8201"],
    ["03 0000 0001", "8301"],
    ["04 0000 0001", "8401"],
    ["05 0000 0000", "8501"],
    ["06 0000 0000", "8601"],
  ] as const) {
    t.equal((await client.ask(pdu)).toString("hex"), answer);
  }
  t.same(refused, ["exception-1", "exception-1"]);
});

t.test("closing the server ends its connections and frees its port", async (t) => {
  const server = await open();
  const { port } = server.address;
  await using client = await RawClient.open(server.address);
  await client.ask("04 0008 0001");
  t.equal(server.connectionCount, 1);
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await client.closed();
  t.equal(server.connectionCount, 0);
  const units = new Map<number, RegisterBank>();
  await using again = await openModbusTcpServer({ host: "127.0.0.1", port, units, clock: machineClock });
  t.equal(again.address.port, port);
});

t.test("a client that never reads its answers is held back, and the others are served", async (t) => {
  await using server = await open();
  await using deaf = await RawClient.open(server.address);
  await using other = await RawClient.open(server.address);
  deaf.socket.pause();
  const chunk = Buffer.concat(Array.from({ length: 5_000 }, () => frame("03 0000 007d")));
  // 40 chunks ask for 52 MB of answers; the socket's own buffers take only a part of that.
  for (let at = 0; at < 40; at += 1) deaf.socket.write(chunk);
  for (let seen = -1; seen !== server.requestCount; ) {
    seen = server.requestCount;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.ok(server.requestCount < 150_000, `${server.requestCount} of 200,000 were taken`);
  t.equal((await other.ask("04 0008 0001")).toString("hex"), "0402000a");
});
