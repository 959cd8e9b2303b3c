import t from "tap";
import { machineClock } from "../../simulators/clock.ts";
import type { FaultSpec } from "../../simulators/modbus/fault-plan.ts";
import { type ModbusTcpServer, openModbusTcpServer } from "../../simulators/modbus/modbus-tcp-server.ts";
import type { RegisterBank, WriteRequest } from "../../simulators/modbus/register-bank.ts";
import { frame, RawClient } from "./modbus-client.ts";
import { StillClock } from "./still-clock.ts";

/** Every register holds its own address; keeps what was written and what was not. */
class EchoBank implements RegisterBank {
  readonly executed: WriteRequest[] = [];
  readonly refused: string[] = [];
  readHolding(address: number, count: number): number[] {
    return Array.from({ length: count }, (_, at) => address + at);
  }
  writeRegisters(request: WriteRequest): "written" {
    this.executed.push(request);
    return "written";
  }
  writeNotExecuted(_: WriteRequest, reason: string): void {
    this.refused.push(reason);
  }
}

interface Bench extends AsyncDisposable {
  readonly bank: EchoBank;
  readonly server: ModbusTcpServer;
  readonly client: RawClient;
  readonly clock: StillClock;
}

async function bench(...faults: readonly FaultSpec[]): Promise<Bench> {
  const bank = new EchoBank();
  const clock = new StillClock();
  const units = new Map([1, 2].map((unit) => [unit, bank]));
  const server = await openModbusTcpServer({ host: "127.0.0.1", port: 0, units, clock });
  for (const fault of faults) server.faults.add(fault);
  const client = await RawClient.open(server.address);
  const dispose = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { bank, server, client, clock, [Symbol.asyncDispose]: dispose };
}

/** Resolves once the server has seen `count` requests. */
async function served(server: ModbusTcpServer, count: number): Promise<void> {
  const patience = AbortSignal.timeout(2_000);
  while (server.requestCount < count) {
    patience.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test("a silent unit answers nothing for as many requests as it was told, and does not act", async (t) => {
  await using at = await bench({ kind: "silent", unit: 1, count: 2 });
  at.client.socket.write(frame("06 0005 0007", { transaction: 7 }));
  at.client.socket.write(frame("03 0005 0001", { transaction: 8 }));
  at.client.socket.write(frame("03 0005 0001", { transaction: 9 }));
  t.equal((await at.client.takeFrame()).readUInt16BE(0), 9);
  t.same(at.bank.executed, []);
  t.same(at.bank.refused, ["fault-silent"]);
  t.same(at.server.faults.list(), []);
});

t.test("a silent unit can act without saying so, which is what makes an outcome unknown", async (t) => {
  await using at = await bench({ kind: "silent", count: 1, executes: "at-once" });
  at.client.socket.write(frame("06 0005 0007"));
  await served(at.server, 1);
  t.match(at.bank.executed, [{ address: 5, values: [7] }]);
  t.same(at.bank.refused, []);
});

t.test("a fault of one unit leaves the others alone", async (t) => {
  await using at = await bench({ kind: "exception", code: 6, unit: 2 });
  t.equal((await at.client.ask("03 0005 0001", 1)).toString("hex"), "03020005");
  t.equal((await at.client.ask("03 0005 0001", 2)).toString("hex"), "8306");
});

t.test("an exception can be kept to functions and to registers", async (t) => {
  await using at = await bench({
    kind: "exception",
    code: 4,
    functions: [3],
    addressMin: 10,
    addressMax: 11,
  });
  t.equal((await at.client.ask("03 0009 0001")).toString("hex"), "03020009");
  t.equal((await at.client.ask("03 0009 0002")).toString("hex"), "8304");
  t.equal((await at.client.ask("03 000b 0001")).toString("hex"), "8304");
  t.equal((await at.client.ask("03 000c 0001")).toString("hex"), "0302000c");
  t.equal((await at.client.ask("06 000a 0001")).toString("hex"), "06000a0001");
});

t.test("a slow unit holds its answer and everything behind it", async (t) => {
  await using at = await bench({ kind: "slow", delayMs: 500, count: 1, executes: "after-delay" });
  at.client.socket.write(frame("06 0005 0007", { transaction: 1 }));
  at.client.socket.write(frame("03 0005 0001", { transaction: 2 }));
  await served(at.server, 1);
  at.clock.advance(499);
  t.equal((await at.client.take(1, 50)).length, 0);
  t.same(at.bank.executed, []);
  at.clock.advance(1);
  t.equal((await at.client.takeFrame()).toString("hex"), frame("06 0005 0007").toString("hex"));
  t.equal((await at.client.takeFrame()).readUInt16BE(0), 2);
  t.equal(at.bank.executed.length, 1);
});

t.test(
  "a late answer comes after the answers to later requests, and the unit acted long before",
  async (t) => {
    await using at = await bench({ kind: "late", delayMs: 5_000, count: 1 });
    at.client.socket.write(frame("06 0005 0007", { transaction: 1 }));
    at.client.socket.write(frame("03 0006 0001", { transaction: 2 }));
    t.equal((await at.client.takeFrame()).readUInt16BE(0), 2);
    t.equal(at.bank.executed.length, 1);
    at.clock.advance(5_000);
    t.equal((await at.client.takeFrame()).toString("hex"), frame("06 0005 0007").toString("hex"));
  },
);

t.test("a delayed request acts even if its client has gone, unless the server is closed first", async (t) => {
  await using at = await bench({ kind: "late", delayMs: 100, executes: "after-delay" });
  at.client.socket.write(frame("06 0005 0007"));
  await served(at.server, 1);
  await at.client[Symbol.asyncDispose]();
  while (at.server.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  t.same(at.bank.executed, []);
  at.clock.advance(100);
  t.equal(at.bank.executed.length, 1);
  await using other = await RawClient.open(at.server.address);
  other.socket.write(frame("06 0005 0008"));
  await served(at.server, 2);
  await at.server[Symbol.asyncDispose]();
  at.clock.advance(100);
  t.equal(at.bank.executed.length, 1);
});

t.test("a pulled cable ends every connection, and new ones are served", async (t) => {
  await using at = await bench();
  t.equal((await at.client.ask("03 0005 0001")).toString("hex"), "03020005");
  at.server.dropConnections();
  await at.client.closed();
  t.equal(at.server.connectionCount, 0);
  await using again = await RawClient.open(at.server.address);
  t.equal((await again.ask("03 0005 0001")).toString("hex"), "03020005");
});

t.test("a reset at the request kills the connection with RST, before anything moves", async (t) => {
  await using at = await bench({ kind: "reset", at: "request", count: 1 });
  at.client.socket.write(frame("06 0005 0007"));
  t.equal(await at.client.closed(), "ECONNRESET");
  t.same(at.bank.refused, ["fault-reset"]);
  await using again = await RawClient.open(at.server.address);
  t.equal((await again.ask("03 0005 0001")).toString("hex"), "03020005");
});

t.test("a reset in mid-frame comes after half of the answer, and the unit has acted", async (t) => {
  await using at = await bench({ kind: "reset", at: "mid-frame", count: 1 });
  at.client.socket.write(frame("06 0005 0007"));
  t.equal((await at.client.take(6)).toString("hex"), frame("06 0005 0007").subarray(0, 6).toString("hex"));
  at.clock.advance(5);
  t.equal(await at.client.closed(), "ECONNRESET");
  t.equal(at.bank.executed.length, 1);
});

const distorted = [
  { kind: "wrong-unit", answer: "0001 0000 0005 00 03 02 0005" },
  { kind: "wrong-function", answer: "0001 0000 0005 01 04 02 0005" },
  { kind: "short-frame", answer: "0001 0000 0004 01 03 02 00" },
  { kind: "garbage", answer: "fffe fdfc 00ff 5a5a a5a5" },
] as const;
t.test("a distorted answer is wrong in what the fault names, and only once", async (t) => {
  for (const { kind, answer } of distorted) {
    await using at = await bench({ kind, count: 1 });
    const expected = answer.replaceAll(" ", "");
    at.client.socket.write(frame("03 0005 0001"));
    t.equal((await at.client.take(expected.length / 2)).toString("hex"), expected, kind);
    t.equal((await at.client.ask("03 0005 0001")).toString("hex"), "03020005");
  }
});

t.test("a freeze reaches the unit as such, with writes only, and beside another fault", async (t) => {
  await using at = await bench({ kind: "freeze-level", count: 1 }, { kind: "wrong-unit", count: 2 });
  await at.client.ask("03 0005 0001");
  await at.client.ask("06 0005 0007");
  await at.client.ask("06 0005 0008");
  t.match(at.bank.executed, [{ effect: "frozen" }, { effect: "normal" }]);
  t.same(at.server.faults.list(), []);
});

t.test("a fault is over after its time, can be removed, and all can be cleared", async (t) => {
  await using at = await bench({ kind: "exception", code: 6, durationMs: 1_000 });
  t.equal((await at.client.ask("03 0005 0001")).toString("hex"), "8306");
  at.clock.advance(1_000);
  t.equal((await at.client.ask("03 0005 0001")).toString("hex"), "03020005");
  const id = at.server.faults.add({ kind: "exception", code: 6 });
  at.server.faults.add({ kind: "exception", code: 5 });
  t.ok(at.server.faults.remove(id));
  t.notOk(at.server.faults.remove(id));
  t.equal((await at.client.ask("03 0005 0001")).toString("hex"), "8305");
  at.server.faults.clear();
  t.equal((await at.client.ask("03 0005 0001")).toString("hex"), "03020005");
});

t.test("more faults than anybody can mean are refused", async (t) => {
  await using at = await bench();
  for (let added = 0; added < 1_000; added += 1) at.server.faults.add({ kind: "silent", unit: 99 });
  t.throws(() => at.server.faults.add({ kind: "silent" }), /clear some first/);
});

t.test("the machine's clock runs a delay in real time and can call it off", async (t) => {
  const started = machineClock.monotonicMs();
  machineClock.after(1, () => t.fail("was called off"))();
  await new Promise<void>((resolve) => machineClock.after(20, resolve));
  t.ok(machineClock.monotonicMs() - started >= 19);
  t.ok(Math.abs(machineClock.wallMs() - Date.now()) < 1_000);
});
