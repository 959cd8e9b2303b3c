import { existsSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import type { PointDefinition } from "../../../domain/point.ts";
import { Seconds } from "../../../domain/time.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { openPtyEnd } from "../../../simulators/line/pty-end.ts";
import { RtuLine } from "../../../simulators/line/rtu-line.ts";
import { openSocketEnd } from "../../../simulators/line/socket-end.ts";
import type { FaultPlan } from "../../../simulators/modbus/fault-plan.ts";
import { openModbusTcpServer } from "../../../simulators/modbus/modbus-tcp-server.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteRequest,
} from "../../../simulators/modbus/register-bank.ts";
import type { SimulatedUnit } from "../conformance-line.ts";

/** A point as a profile writes it; what a test does not care about is filled in. */
export function point(name: string, address: unknown, rest: Partial<PointDefinition> = {}): PointDefinition {
  return {
    name,
    type: "number",
    unit: "1",
    access: "read",
    deadband: 0,
    pollClass: "normal",
    maxAge: Seconds(60),
    source: "made up for this test",
    ...rest,
    address,
  };
}

/** Tables of 1,000 places each; holding register 12 takes no value above 100. */
export class PlainBank implements RegisterBank {
  readonly coils = new Uint8Array(1_000);
  readonly discrete = new Uint8Array(1_000);
  readonly holding = new Uint16Array(1_000);
  readonly input = new Uint16Array(1_000);

  readCoils = (address: number, count: number): ReadAnswer => slice(this.coils, address, count);
  readDiscrete = (address: number, count: number): ReadAnswer => slice(this.discrete, address, count);
  readHolding = (address: number, count: number): ReadAnswer => slice(this.holding, address, count);
  readInput = (address: number, count: number): ReadAnswer => slice(this.input, address, count);

  writeCoils({ address, values }: WriteRequest): "written" | ModbusException {
    if (address + values.length > this.coils.length) return new ModbusException(ILLEGAL_DATA_ADDRESS);
    this.coils.set(values, address);
    return "written";
  }

  writeRegisters({ address, values }: WriteRequest): "written" | ModbusException {
    if (address + values.length > this.holding.length) return new ModbusException(ILLEGAL_DATA_ADDRESS);
    if (address === 12 && (values[0] ?? 0) > 100) return new ModbusException(ILLEGAL_DATA_VALUE);
    this.holding.set(values, address);
    return "written";
  }
}

function slice(table: Uint8Array | Uint16Array, address: number, count: number): ReadAnswer {
  return address + count > table.length
    ? new ModbusException(ILLEGAL_DATA_ADDRESS)
    : table.subarray(address, address + count);
}

export const UNIT = 17;

/** What the suite's unit holds, and the points that read it. */
function suiteUnit() {
  const bank = new PlainBank();
  bank.holding.set([7, 40, 22], 10);
  bank.holding.set([501], 500);
  bank.coils[3] = 1;
  bank.input.set([0x4366, 0x3333], 0);
  const level = point("level", { table: "holding", register: 11 }, { access: "read-write" });
  return {
    units: new Map([[UNIT, bank]]),
    known: {
      unitAddress: UNIT,
      points: [
        { definition: point("mode", { table: "holding", register: 10 }), value: 7 },
        { definition: level, value: 40 },
        { definition: point("far", { table: "holding", register: 500 }), value: 501 },
        { definition: point("relay", { table: "coil", register: 3 }, { type: "boolean" }), value: true },
        {
          definition: point("volts", { table: "input", register: 0, coding: "float32" }),
          value: Math.fround(230.2),
        },
      ],
      unknown: point("nowhere", { table: "holding", register: 5_000 }),
      writable: { definition: level, value: 55 },
      refused: {
        definition: point("step", { table: "holding", register: 12 }, { access: "read-write" }),
        value: 101,
      },
    },
  };
}

const trouble = (faults: FaultPlan) => ({
  fallSilent: () => void faults.add({ kind: "silent" }),
  speak: () => faults.clear(),
  answerNextLate: (delayMs: number) => void faults.add({ kind: "late", delayMs, count: 1 }),
  answerNextMalformed: () => void faults.add({ kind: "garbage", count: 1 }),
});

/** The suite's unit, on the repository's own Modbus simulator. */
export async function openPlainUnit(): Promise<SimulatedUnit> {
  const { units, known } = suiteUnit();
  const server = await openModbusTcpServer({ host: "127.0.0.1", port: 0, units, clock: machineClock });
  const { host, port } = server.address;
  return {
    ...known,
    ...trouble(server.faults),
    busConfig: { transport: "tcp", host, port },
    cut: () => server.dropConnections(),
    openLines: () => server.connectionCount,
    [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose](),
  };
}

/** The same on a serial line of 115,200 baud, whose device file keeps its name when the adapter is pulled. */
export async function openSerialUnit(link: string): Promise<SimulatedUnit> {
  const { units, known } = suiteUnit();
  const line = new RtuLine(await openPtyEnd(link), { ...FAST_LINE, units });
  return {
    ...known,
    ...trouble(line.faults),
    busConfig: { transport: "rtu", path: link, baud: FAST_LINE.baud },
    cut: () => void line.end.unplug().then(() => line.end.plug()),
    openLines: () => openedBesides(link, 1),
    [Symbol.asyncDispose]: async () => await line[Symbol.asyncDispose](),
  };
}

/** The same behind a serial device server. */
export async function openServedUnit(): Promise<SimulatedUnit> {
  const { units, known } = suiteUnit();
  const end = await openSocketEnd({ host: "127.0.0.1", port: 0 });
  const line = new RtuLine(end, { ...FAST_LINE, units });
  return {
    ...known,
    ...trouble(line.faults),
    busConfig: { transport: "rtu-over-tcp", ...end.reach, baud: FAST_LINE.baud },
    cut: () => void end.unplug().then(() => end.plug()),
    openLines: () => end.clients ?? 0,
    [Symbol.asyncDispose]: async () => await line[Symbol.asyncDispose](),
  };
}

const FAST_LINE = {
  baud: 115_200,
  bitsPerCharacter: 11,
  turnaroundMs: 0,
  punctuality: "timer",
  clock: machineClock,
  seed: 1,
} as const;

/** Openings of the device file in this process, without the simulator's own. */
function openedBesides(link: string, own: number): number {
  if (!existsSync(link)) return 0;
  const path = realpathSync(link);
  const opened = readdirSync("/proc/self/fd").filter((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`) === path;
    } catch {
      return false;
    }
  });
  return opened.length - own;
}
