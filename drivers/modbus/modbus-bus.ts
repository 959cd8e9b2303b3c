import assert from "node:assert/strict";
import type { BusHealth } from "../../domain/line/line-health.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { Quirk } from "../../domain/profile.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Bus, Exchange, HoleMap, Sample, UnitSession } from "../driver.ts";
import type { ReadGaps } from "./bus-config.ts";
import { isRegisterAddress, type ModbusAddress } from "./modbus-address.ts";
import type { ModbusClient, ReadRequest } from "./modbus-client.ts";
import type { ModbusPort } from "./modbus-port.ts";
import { type PointReader, readerOf } from "./point-reader.ts";
import { encodeWrite } from "./point-writer.ts";
import { type PlanLimits, planReads, REGISTERS_PER_READ_MAX, type ReadBlock } from "./read-planner.ts";
import { changedWord, type RegisterStep } from "./write-sequence.ts";

/** One open line with its units, whatever the transport. */
export class ModbusBus implements Bus<ModbusAddress> {
  readonly health?: () => BusHealth;
  readonly #port: ModbusPort;
  readonly #client: ModbusClient;
  readonly #gaps: ReadGaps;

  constructor(port: ModbusPort, client: ModbusClient, gaps: ReadGaps) {
    this.#port = port;
    this.#client = client;
    this.#gaps = gaps;
    if (port.health !== undefined) this.health = port.health.bind(port);
  }

  get lost(): Promise<unknown> {
    return this.#port.lost;
  }

  openSession(unitAddress: string, quirks: readonly Quirk[]): UnitSession<ModbusAddress> {
    const lowered = quirks.find(({ flag }) => flag === "registers-per-read")?.value ?? REGISTERS_PER_READ_MAX;
    const registersPerRead = Math.max(1, Math.min(REGISTERS_PER_READ_MAX, Math.floor(lowered)));
    return new ModbusUnitSession(this.#client, Number(unitAddress), { ...this.#gaps, registersPerRead });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#port.destroy();
    await this.#port.lost;
  }
}

/** One request of a plan with what turns its answer into samples. A large site has tens of thousands: they hold little. */
class ModbusExchange implements Exchange<ModbusAddress>, ReadRequest {
  readonly points: readonly PointDefinition<ModbusAddress>[];
  readonly table: ReadBlock["table"];
  readonly first: number;
  readonly count: number;
  readonly #unit: number;
  readonly #readers: readonly PointReader[];

  constructor(block: ReadBlock, unit: number) {
    this.#unit = unit;
    this.points = block.points;
    this.table = block.table;
    this.first = block.first;
    this.count = block.count;
    this.#readers = block.points.map((point) => readerOf(point, block.first));
  }

  get label(): string {
    return `read ${placesText(this)} from ${this.first} of unit ${this.#unit}`;
  }

  decode(data: Buffer): readonly Sample[] {
    return this.#readers.map((read) => read(data));
  }
}

class ModbusUnitSession implements UnitSession<ModbusAddress> {
  readonly #client: ModbusClient;
  readonly #unit: number;
  readonly #limits: PlanLimits;

  constructor(client: ModbusClient, unit: number, limits: PlanLimits) {
    this.#client = client;
    this.#unit = unit;
    this.#limits = limits;
  }

  plan(
    points: readonly PointDefinition<ModbusAddress>[],
    holes: HoleMap,
  ): readonly Exchange<ModbusAddress>[] {
    return planReads(points, this.#limits, holes).map((block) => new ModbusExchange(block, this.#unit));
  }

  exchange(exchange: Exchange<ModbusAddress>, signal: AbortSignal): Promise<readonly Sample[]> {
    assert(exchange instanceof ModbusExchange, "an exchange comes from plan() of the same driver");
    return this.#client.read(this.#unit, exchange, (data) => exchange.decode(data), signal);
  }

  async write(point: PointDefinition<ModbusAddress>, value: PointValue, signal: AbortSignal): Promise<void> {
    const request = encodeWrite(point, value, this.#unit);
    const { address } = point;
    const steps = isRegisterAddress(address) ? address.writeSequence : undefined;
    if (steps === undefined || !("words" in request)) {
      await this.#client.write(this.#unit, request, signal);
      return;
    }
    for (const [index, step] of steps.entries()) {
      const label = `${request.label}, step ${index + 1} of ${steps.length}`;
      const word = await this.#wordOf(step, { value: request.words[0] ?? 0, label }, signal);
      const write = { function: 6, register: step.register, words: [word], label } as const;
      await this.#client.write(this.#unit, write, signal);
    }
  }

  async #wordOf(
    { register, write }: RegisterStep,
    { value, label }: { readonly value: number; readonly label: string },
    signal: AbortSignal,
  ): Promise<number> {
    if (write === "value") return value;
    if (write !== "changed") return write;
    const read = { table: "holding", first: register, count: 1, label } as const;
    return await this.#client.read(this.#unit, read, (data) => changedWord(data.readUInt16BE(0)), signal);
  }
}

const PLACE_NAMES = {
  coil: ["coil", "coils"],
  discrete: ["discrete input", "discrete inputs"],
  holding: ["holding register", "holding registers"],
  input: ["input register", "input registers"],
} as const;

function placesText({ table, count }: Pick<ReadBlock, "table" | "count">): string {
  return `${count} ${PLACE_NAMES[table][count === 1 ? 0 : 1]}`;
}
