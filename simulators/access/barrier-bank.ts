import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  SERVER_DEVICE_FAILURE,
  type WriteAnswer,
  type WriteRequest,
} from "../modbus/register-bank.ts";
import { imageWords } from "../modbus/register-words.ts";
import { type MovingBarrier, type Order, STATE } from "./moving-barrier.ts";

/** Coils 0 to 2: outputs that fall back by themselves. Coil 3 is held. */
const PULSES: readonly Order[] = ["open", "close", "stop"];
const FIRE_OPEN = 3;
const COILS = 4;

export interface BarrierBankOptions {
  readonly barrier: MovingBarrier;
  /** How long a pulse lasts, ms. */
  readonly pulseMs: number;
  readonly travelMs: number;
  readonly log: DeviceJournal;
  readonly clock: SimulatorClock;
}

/** The remote I/O in the barrier's cabinet, map revision 2 (docs/devices.md, neutral barrier and bollard). */
export class BarrierBank implements RegisterBank, Disposable {
  readonly #options: BarrierBankOptions;
  /** Coils whose pulse lasts, and how to call its end off. */
  readonly #pulses = new Map<number, () => void>();

  constructor(options: BarrierBankOptions) {
    this.#options = options;
  }

  readCoils(address: number, count: number): ReadAnswer {
    return slice(this.#coils(), address, count);
  }

  readDiscrete(address: number, count: number): ReadAnswer {
    return slice(this.#inputs(), address, count);
  }

  readInput(address: number, count: number): ReadAnswer {
    const { barrier } = this.#options;
    const { cycles, lastTravelMs } = barrier;
    const words = [STATE[barrier.state()], cycles >>> 16, cycles & 0xffff, Math.round(lastTravelMs / 100)];
    return slice([...words, ...imageWords(this.#inputs()), ...imageWords(this.#coils())], address, count);
  }

  #coils(): readonly number[] {
    const pulses = PULSES.map((_, coil) => Number(this.#pulses.has(coil)));
    return [...pulses, Number(this.#options.barrier.flags.fireOpen)];
  }

  #inputs(): readonly number[] {
    const { barrier } = this.#options;
    const { flags } = barrier;
    const { open, closed } = barrier.limits();
    const inputs = [
      ...[open, closed, flags.safetyLoop, flags.entryLoop, flags.photocell, flags.edge, flags.armMissing],
      ...[flags.motorFault, flags.localKey, flags.mains, flags.batteryLow, !open, open],
      ...[barrier.motion === "rest", flags.obstructionLatched, flags.fire || flags.fireOpen],
    ];
    return inputs.map(Number);
  }

  readHolding(address: number, count: number): ReadAnswer {
    const { pulseMs, travelMs } = this.#options;
    return slice([pulseMs, Math.round(travelMs / 100)], address, count);
  }

  writeCoils(request: WriteRequest): WriteAnswer {
    const { address, values } = request;
    const [value = 0] = values;
    if (address >= COILS) return this.#refuse(request, ILLEGAL_DATA_ADDRESS);
    // Two orders at once contradict each other.
    if (values.length > 1) return this.#refuse(request, ILLEGAL_DATA_VALUE);
    return address === FIRE_OPEN ? this.#hold(request, value) : this.#pulse(request, value);
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.log.refused(request, reason);
  }

  [Symbol.dispose](): void {
    for (const cancel of this.#pulses.values()) cancel();
    this.#pulses.clear();
  }

  #hold(request: WriteRequest, value: number): WriteAnswer {
    const { barrier, log } = this.#options;
    if (barrier.flags.localKey) return this.#refuse(request, SERVER_DEVICE_FAILURE);
    if (request.effect === "frozen") log.refused(request, "frozen");
    else barrier.set({ fireOpen: value !== 0 }, log.executed(request, []));
    return "written";
  }

  /** A 0 takes nothing back: the output has fallen by itself, or is about to. */
  #pulse(request: WriteRequest, value: number): WriteAnswer {
    const { barrier, log } = this.#options;
    const order = PULSES[request.address] ?? "stop";
    if (value !== 0 && barrier.refusal(order) !== undefined)
      return this.#refuse(request, SERVER_DEVICE_FAILURE);
    if (request.effect === "frozen") {
      log.refused(request, "frozen");
      return "written";
    }
    if (value === 0) log.executed(request, []);
    else this.#begin(request, order);
    return "written";
  }

  #begin(request: WriteRequest, order: Order): void {
    const { barrier, clock, log, pulseMs } = this.#options;
    const coil = request.address;
    const from = Number(this.#pulses.has(coil));
    this.#pulses.get(coil)?.();
    const changes = from === 1 ? [] : [{ what: `pulse-${order}`, from, to: 1 }];
    const cause = log.executed(request, changes);
    const over: EffectCause = { by: "device", rule: "pulse-over" };
    const cancel = clock.after(pulseMs, () => {
      this.#pulses.delete(coil);
      log.effect(over, [{ what: `pulse-${order}`, from: 1, to: 0 }]);
    });
    this.#pulses.set(coil, cancel);
    barrier.obey(order, cause);
  }

  #refuse(request: WriteRequest, code: 2 | 3 | 4): ModbusException {
    this.#options.log.refused(request, `exception-${code}`);
    return new ModbusException(code);
  }
}

function slice(table: readonly number[], address: number, count: number): ReadAnswer {
  if (address + count > table.length) return new ModbusException(ILLEGAL_DATA_ADDRESS);
  return table.slice(address, address + count);
}
