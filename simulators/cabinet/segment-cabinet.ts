import type { SimulatorClock } from "../clock.ts";
import type { DeviceChange, EffectCause, Journal } from "../journal.ts";
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
import type { Sky } from "../sky/sky.ts";
import { isDark, isNight } from "../sky/sun.ts";
import { type CabinetAction, type CabinetView, treatCabinet, viewCabinet } from "./cabinet-control.ts";
import { COIL, HOLDING, INPUT, REASON, SETTINGS, WAYS } from "./cabinet-map.ts";
import { type CabinetState, newCabinetState } from "./cabinet-state.ts";
import {
  type CabinetNow,
  putCurrents,
  readCoils,
  readDiscreteInputs,
  readInputRegisters,
} from "./cabinet-tables.ts";
import { CommWatch } from "./comm-watch.ts";
import { Contactors } from "./contactors.ts";
import type { FeederLoads } from "./feeder-loads.ts";

export interface SegmentCabinetOptions {
  /** A slug; also the device in the journal. */
  readonly id: string;
  readonly seed: number;
  /** What holding registers 3 and 4 hold at first, s, 0..3600. */
  readonly minOnOffSec: number;
  readonly loads: FeederLoads;
  readonly journal: Journal;
  readonly clock: SimulatorClock;
  /** Over its photocell and its astro clock. */
  readonly sky: Pick<Sky, "timeMs">;
}

type Order = { readonly coil: number; readonly on: boolean };

/** The neutral segment cabinet of docs/devices.md: eight contactors, their breakers, a door, and what may go wrong. */
export class SegmentCabinet implements RegisterBank, Disposable {
  readonly id: string;
  readonly state: CabinetState;
  readonly contactors: Contactors;
  readonly #options: SegmentCabinetOptions;
  readonly #watch: CommWatch;
  #effects = 0;

  constructor(options: SegmentCabinetOptions) {
    this.id = options.id;
    this.#options = options;
    this.state = newCabinetState(options.minOnOffSec);
    const { clock, loads, seed } = options;
    const { state } = this;
    this.contactors = new Contactors(
      {
        clock,
        minOnSec: () => state.settings[HOLDING.minOnTime] ?? 0,
        minOffSec: () => state.settings[HOLDING.minOffTime] ?? 0,
        mainsPresent: () => !state.mainBreakerTripped && !state.rcdTripped,
        moved: (way, cause) => this.#tellMove(way, cause),
        supplied: (way, supply, cause) => loads.supply(way, supply, cause),
      },
      (way) => 400 + (Math.abs(seed ^ Math.imul(way + 1, 0x9e37)) % 3_000),
    );
    this.#watch = new CommWatch({
      clock,
      lossMs: () => (state.settings[HOLDING.commLossTime] ?? 0) * 1_000,
      lost: () => this.#fallBack(),
    });
  }

  readCoils(address: number, count: number): ReadAnswer {
    return slice(readCoils(this.#now()), address, count);
  }

  readDiscrete(address: number, count: number): ReadAnswer {
    return slice(readDiscreteInputs(this.#now()), address, count);
  }

  readHolding(address: number, count: number): ReadAnswer {
    return slice(this.state.settings, address, count);
  }

  readInput(address: number, count: number): ReadAnswer {
    const { sky, loads } = this.#options;
    const [now, measures] = [this.#now(), { loads, skyMs: sky.timeMs(), link: this.#watch.link }];
    const registers = readInputRegisters(now, measures);
    if (address + count > INPUT.feederCurrent) putCurrents(registers, now, measures);
    return slice(registers, address, count);
  }

  writeCoils(request: WriteRequest): WriteAnswer {
    const { address, values } = request;
    if (address + values.length > COIL.count) return this.#refuse(request, ILLEGAL_DATA_ADDRESS);
    if (address < WAYS && this.state.selectorLocal) return this.#refuse(request, SERVER_DEVICE_FAILURE);
    const orders = values
      .map((value, at) => ({ coil: address + at, on: value !== 0 }))
      .filter((order) => this.#isNews(order));
    // A refusal of one is a refusal of all: half an order is nobody's order.
    if (orders.some((order) => !this.#isAllowed(order))) return this.#refuse(request, SERVER_DEVICE_FAILURE);
    const changes = orders.map((order) => this.#obey(order));
    if (request.effect === "frozen") {
      this.#options.journal.recordWrite(this.id, request, "frozen");
      return "written";
    }
    const cause = this.#options.journal.recordExecution(this.id, request, changes);
    for (const { coil } of orders) if (coil < WAYS) this.contactors.drive(coil, REASON.remote, cause);
    return "written";
  }

  writeRegisters(request: WriteRequest): WriteAnswer {
    const { address, values } = request;
    if (address + values.length > HOLDING.count) return this.#refuse(request, ILLEGAL_DATA_ADDRESS);
    const isGood = values.every((value, at) => {
      const setting = SETTINGS[address + at];
      return setting !== undefined && value >= setting.min && value <= setting.max;
    });
    if (!isGood) return this.#refuse(request, ILLEGAL_DATA_VALUE);
    if (request.effect === "frozen") {
      this.#options.journal.recordWrite(this.id, request, "frozen");
      return "written";
    }
    const changes = values.flatMap((value, at) => this.#set(address + at, value));
    this.#options.journal.recordExecution(this.id, request, changes);
    if (address === HOLDING.heartbeat) this.#watch.beat();
    return "written";
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.journal.recordWrite(this.id, request, reason);
  }

  /** A hand in the cabinet, or wear in it. `way` (0..7) for what happens to one feeder. */
  treat(action: CabinetAction, way: number): void {
    const { journal, clock } = this.#options;
    const cause: EffectCause = { by: "control", action };
    const nowMs = clock.monotonicMs();
    const treated = treatCabinet(this.state, this.contactors, { action, way, nowMs });
    journal.recordEffects(
      this.id,
      cause,
      treated.changes.map((change) => this.#change(change)),
    );
    for (const driven of treated.driven) this.contactors.drive(driven, treated.reason, cause);
    this.contactors.refreshSupply(cause);
  }

  view(): CabinetView {
    const { loads, sky } = this.#options;
    const shown = { loads, skyMs: sky.timeMs(), link: this.#watch.link };
    return { id: this.id, ...viewCabinet(this.#now(), shown), effects: this.#effects };
  }

  [Symbol.dispose](): void {
    this.contactors[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
  }

  #now(): CabinetNow {
    const { clock, sky } = this.#options;
    const { photocell } = this.state;
    const dark = photocell === "sky" ? isDark(sky.timeMs()) : photocell === "dark";
    return { state: this.state, contactors: this.contactors, dark, nowMs: clock.monotonicMs() };
  }

  #isNews({ coil, on }: Order): boolean {
    return on !== (coil < WAYS ? this.contactors.ways[coil]?.demand : this.state.cabinetLight);
  }

  /** The light always is. For a contactor, what has tripped and its own rest come first. */
  #isAllowed({ coil, on }: Order): boolean {
    const way = this.contactors.ways[coil];
    if (way === undefined) return true;
    const { rcdTripped, mainBreakerTripped } = this.state;
    const tripped = rcdTripped || mainBreakerTripped || way.breakerTripped;
    return !(on && tripped) && this.contactors.mayMove(way);
  }

  #obey({ coil, on }: Order): DeviceChange {
    const way = this.contactors.ways[coil];
    if (way === undefined) this.state.cabinetLight = on;
    else way.demand = on;
    const what = way === undefined ? "cabinet-light" : `demand-${coil + 1}`;
    return this.#change({ what, from: Number(!on), to: Number(on) });
  }

  #set(register: number, value: number): DeviceChange[] {
    const from = this.state.settings[register] ?? 0;
    this.state.settings[register] = value;
    const what = SETTINGS[register]?.name ?? "setting";
    return from === value || register === HOLDING.heartbeat ? [] : [this.#change({ what, from, to: value })];
  }

  #refuse(request: WriteRequest, code: 2 | 3 | 4): ModbusException {
    this.#options.journal.recordWrite(this.id, request, `exception-${code}`);
    return new ModbusException(code);
  }

  /** The heartbeat has stayed away: the contactors follow the fallback mode, as far as they may move. */
  #fallBack(): void {
    const { state, contactors } = this;
    const { sky, journal } = this.#options;
    if (state.selectorLocal) return;
    const wanted =
      [isNight(sky.timeMs()), this.#now().dark, true][state.settings[HOLDING.fallbackMode] ?? 2] ?? true;
    const cause: EffectCause = { by: "device", rule: "comm-loss" };
    for (const [coil, way] of contactors.ways.entries()) {
      if (way.demand === wanted || !this.#isAllowed({ coil, on: wanted })) continue;
      journal.recordEffects(this.id, cause, [this.#obey({ coil, on: wanted })]);
      contactors.drive(coil, REASON.fallback, cause);
    }
  }

  #tellMove(way: number, cause: EffectCause): void {
    const to = Number(this.contactors.ways[way]?.closed);
    const change = this.#change({ what: `contactor-${way + 1}`, from: 1 - to, to });
    this.#options.journal.recordEffects(this.id, cause, [change]);
  }

  #change(change: { readonly what: string; readonly from: number; readonly to: number }): DeviceChange {
    this.#effects += 1;
    return { device: this.id, deviceSeq: this.#effects, ...change, fadeMs: 0 };
  }
}

function slice(table: ArrayLike<number>, address: number, count: number): ReadAnswer {
  if (address + count > table.length) return new ModbusException(ILLEGAL_DATA_ADDRESS);
  return Array.prototype.slice.call(table, address, address + count);
}
