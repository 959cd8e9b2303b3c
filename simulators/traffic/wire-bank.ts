import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteAnswer,
  type WriteRequest,
} from "../modbus/register-bank.ts";
import { imageWords } from "../modbus/register-words.ts";
import type { WireJunction } from "./wire-junction.ts";

const TAKE_OVER = 0;
const FLASHING = 1;
/** Coil 2, phase-end, falls back by itself. */
const COILS = 3;
const PULSE_MS = 500;
const PLANS = 16;
const WATCHDOG_MAX_S = 60;
const GROUPS = [1, 2, 3, 4, 5, 6, 7, 8] as const;

export interface WireBankOptions {
  readonly junction: WireJunction;
  /** The outputs fall when no request has come for so long, s. */
  readonly watchdogSec: number;
  readonly log: DeviceJournal;
  readonly clock: SimulatorClock;
}

/** The remote I/O in the cabinet, map revision 2 (docs/devices.md, wire cabinet). Its watchdog makes every order a lease. */
export class WireBank implements RegisterBank, Disposable {
  readonly #options: WireBankOptions;
  #watchdogSec: number;
  #heardMs: number;
  #endPulse: (() => void) | undefined;
  #endWatch: () => void = () => {};

  constructor(options: WireBankOptions) {
    this.#options = options;
    this.#watchdogSec = options.watchdogSec;
    this.#heardMs = options.clock.monotonicMs();
    this.#watch();
  }

  readCoils(address: number, count: number): ReadAnswer {
    return slice(this.#coils(this.#heard()), address, count);
  }

  readDiscrete(address: number, count: number): ReadAnswer {
    return slice(this.#inputs(this.#heard()), address, count);
  }

  readHolding(address: number, count: number): ReadAnswer {
    return slice([this.#heard().flags.planSelect, this.#watchdogSec], address, count);
  }

  readInput(address: number, count: number): ReadAnswer {
    const junction = this.#heard();
    const images = [...imageWords(this.#inputs(junction)), ...imageWords(this.#coils(junction))];
    const words = [junction.plan, junction.stage + 1, junction.stageSeconds()];
    return slice([...words, ...images, junction.flags.planSelect], address, count);
  }

  #coils({ flags }: WireJunction): readonly number[] {
    return [flags.takeOver, flags.flashingRequest, this.#endPulse !== undefined].map(Number);
  }

  #inputs(junction: WireJunction): readonly number[] {
    const { policeKey, localPanel, doorOpen, mains, lampFault } = junction.flags;
    const { mode, coordinated, phaseEndTaken } = junction;
    const inputs = [
      ...[
        coordinated,
        mode === "flashing",
        mode === "dark",
        policeKey,
        localPanel,
        doorOpen,
        mains,
        lampFault,
      ],
      ...[phaseEndTaken, false, false, false, false, false, false, false],
      ...GROUPS.map((group) => junction.isGreen(group)),
    ];
    return inputs.map(Number);
  }

  writeCoils(request: WriteRequest): WriteAnswer {
    const { junction, log } = this.#options;
    this.#heard();
    const { address, values, effect } = request;
    if (address >= COILS) return this.#refuse(request, ILLEGAL_DATA_ADDRESS);
    if (values.length > 1) return this.#refuse(request, ILLEGAL_DATA_VALUE);
    if (effect === "frozen") {
      log.refused(request, "frozen");
      return "written";
    }
    const isOn = values[0] !== 0;
    const cause = log.executed(request, []);
    if (address === TAKE_OVER) junction.set({ takeOver: isOn }, cause);
    else if (address === FLASHING) junction.set({ flashingRequest: isOn }, cause);
    else if (isOn) this.#pulse(cause);
    return "written";
  }

  writeRegisters(request: WriteRequest): WriteAnswer {
    const { junction, log } = this.#options;
    this.#heard();
    const { address, values, effect } = request;
    const [value = 0] = values;
    if (address > 1 || values.length > 1) return this.#refuse(request, ILLEGAL_DATA_ADDRESS);
    const isGood = address === 0 ? value < PLANS : value >= 2 && value <= WATCHDOG_MAX_S;
    if (!isGood) return this.#refuse(request, ILLEGAL_DATA_VALUE);
    if (effect === "frozen") log.refused(request, "frozen");
    else if (address === 0) junction.set({ planSelect: value }, log.executed(request, []));
    else {
      log.executed(request, [{ what: "watchdog", from: this.#watchdogSec, to: value }]);
      this.#watchdogSec = value;
    }
    return "written";
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.log.refused(request, reason);
  }

  [Symbol.dispose](): void {
    this.#endPulse?.();
    this.#endWatch();
  }

  #pulse(cause: EffectCause): void {
    const { junction, log, clock } = this.#options;
    if (this.#endPulse === undefined) log.effect(cause, [{ what: "pulse-phase-end", from: 0, to: 1 }]);
    this.#endPulse?.();
    junction.endPhase(cause);
    this.#endPulse = clock.after(PULSE_MS, () => {
      this.#endPulse = undefined;
      log.effect({ by: "device", rule: "pulse-over" }, [{ what: "pulse-phase-end", from: 1, to: 0 }]);
    });
  }

  /** Every request that arrives says that the gateway lives. */
  #heard(): WireJunction {
    this.#heardMs = this.#options.clock.monotonicMs();
    return this.#options.junction;
  }

  #watch(): void {
    const { clock, junction } = this.#options;
    const leftMs = this.#heardMs + this.#watchdogSec * 1_000 - clock.monotonicMs();
    if (leftMs <= 0) {
      const fallen = { takeOver: false, flashingRequest: false, planSelect: 0 };
      junction.set(fallen, { by: "device", rule: "watchdog" });
    }
    const again = leftMs <= 0 ? this.#watchdogSec * 1_000 : leftMs;
    this.#endWatch = clock.after(again, () => this.#watch());
  }

  #refuse(request: WriteRequest, code: 2 | 3): ModbusException {
    this.#options.log.refused(request, `exception-${code}`);
    return new ModbusException(code);
  }
}

function slice(table: readonly number[], address: number, count: number): ReadAnswer {
  if (address + count > table.length) return new ModbusException(ILLEGAL_DATA_ADDRESS);
  return table.slice(address, address + count);
}
