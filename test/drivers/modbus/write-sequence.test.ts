import pino from "pino";
import t from "tap";
import { DeviceFault } from "../../../domain/errors.ts";
import { systemClock } from "../../../domain/system-clock.ts";
import { Millis } from "../../../domain/time.ts";
import { AddressError } from "../../../drivers/driver.ts";
import { modbusDriver } from "../../../drivers/modbus/modbus-driver.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { openModbusTcpServer } from "../../../simulators/modbus/modbus-tcp-server.ts";
import type { ModbusException, WriteRequest } from "../../../simulators/modbus/register-bank.ts";
import { PlainBank, point, UNIT } from "./modbus-unit.ts";

const signal = new AbortController().signal;
const address = {
  table: "holding",
  register: 22,
  writeSequence: [
    { register: 19, write: 7 },
    { register: 21, write: "value" },
    { register: 20, write: "changed" },
  ],
};
const level = point("level", address, { access: "read-write", range: { min: 0, max: 100 } });
const lamp = { ...level, address: modbusDriver.parseAddress(address, level) };

/** Takes register 21 over into 22 when the low byte of 20 changes, as bridges with a control byte do. */
class HandshakeBank extends PlainBank {
  readonly orders: string[] = [];

  override writeRegisters(request: WriteRequest): "written" | ModbusException {
    const before = this.holding[20] ?? 0;
    const answer = super.writeRegisters(request);
    if (answer === "written") this.orders.push(`${request.address}=${request.values.join()}`);
    const after = this.holding[20] ?? 0;
    if ((before & 0xff) !== (after & 0xff)) this.holding[22] = this.holding[21] ?? 0;
    return answer;
  }
}

async function open() {
  const bank = new HandshakeBank();
  bank.holding[20] = 0x12ff;
  const server = await openModbusTcpServer({
    host: "127.0.0.1",
    port: 0,
    units: new Map([[UNIT, bank]]),
    clock: machineClock,
  });
  const context = {
    clock: systemClock,
    logger: pino({ enabled: false }),
    requestTimeout: Millis(150),
    frames: () => {},
  };
  const bus = await modbusDriver.openBus(
    modbusDriver.parseBusConfig({ transport: "tcp", ...server.address }),
    context,
    signal,
  );
  return {
    bank,
    server,
    session: bus.openSession(String(UNIT), []),
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

t.test(
  "a write sequence writes its registers in order, and the control byte changes each time",
  async (t) => {
    await using at = await open();
    await at.session.write(lamp, 40, signal);
    t.equal(at.bank.holding[22], 40, "the unit took it over");
    await at.session.write(lamp, 40, signal);
    await at.session.write(lamp, 41, signal);
    t.equal(at.bank.holding[22], 41);
    t.same(at.bank.orders.slice(0, 6), ["19=7", "21=40", `20=${0x1200}`, "19=7", "21=40", `20=${0x1201}`]);
  },
);

t.test("a step that fails ends the sequence with its fault, and the unit takes nothing over", async (t) => {
  await using at = await open();
  at.server.faults.add({ kind: "exception", code: 4, functions: [6], addressMin: 21, addressMax: 21 });
  const error: unknown = await at.session.write(lamp, 40, signal).catch((caught: unknown) => caught);
  t.ok(error instanceof DeviceFault && error.code === "refused-by-device");
  t.match(String(error), /step 2 of 3/);
  t.same(at.bank.orders, ["19=7"]);
  t.equal(at.bank.holding[22], 0);
});

t.test("a sequence that makes no sense is refused with its place", async (t) => {
  const steps = address.writeSequence;
  for (const [data, pointer] of [
    [{ ...address, writeSequence: [] }, "/writeSequence"],
    [{ ...address, writeSequence: steps.slice(0, 1) }, "/writeSequence"],
    [{ ...address, writeSequence: [...steps, ...steps, ...steps] }, "/writeSequence"],
    [{ ...address, writeSequence: [steps[0], steps[2]] }, "/writeSequence"],
    [{ ...address, writeSequence: [steps[1], { register: 70_000, write: 1 }] }, "/writeSequence/1/register"],
    [{ ...address, writeSequence: [steps[1], { register: 1, write: "toggle" }] }, "/writeSequence/1/write"],
    [{ ...address, coding: "u32" }, "/writeSequence"],
    [{ ...address, writeRegister: 5 }, "/writeSequence"],
  ] as const) {
    try {
      modbusDriver.parseAddress(data, level);
      t.fail(`accepted ${JSON.stringify(data)}`);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      t.equal(error.pointer, pointer, error.message);
    }
  }
  t.throws(() => modbusDriver.parseAddress(address, { type: "number", access: "read" }), /writeSequence/);
});
