import type { SimulatorClock } from "../clock.ts";
import type { EffectCause, Journal, LampChange } from "../journal.ts";
import {
  ILLEGAL_DATA_ADDRESS,
  ILLEGAL_DATA_VALUE,
  ModbusException,
  type ReadAnswer,
  type RegisterBank,
  type WriteAnswer,
  type WriteRequest,
} from "../modbus/register-bank.ts";
import { arcOfPercent } from "./dali-level.ts";
import { DaliMap, type Slot } from "./dali-map.ts";
import { type FadeRule, GEAR_ORDERS, type GearContext, obey, turnGear } from "./gear-orders.ts";
import { curveOf } from "./gear-physics.ts";
import { readD4iRegister, readGearRegister } from "./gear-registers.ts";
import { GEAR_SILENT, type GearPlace, type GearState, LAMP_FAILED, newGearState } from "./gear-state.ts";
import { type LampAction, type LampView, supplyGear, treatLamp, viewLamp } from "./lamp-control.ts";
import { obeyLed } from "./led-orders.ts";

export interface DaliBridgeOptions {
  /** A slug. */
  readonly id: string;
  /** A lamp's id, starting with the bridge's. Default: `<id>-<channel>-<shortAddress>`. */
  readonly lampId?: ((place: GearPlace) => string) | undefined;
  /** 1 or 2. */
  readonly channels: number;
  readonly gears: readonly GearPlace[];
  readonly seed: number;
  readonly fade: FadeRule;
  /** How long register +4 reads 1 after a refresh was asked for. */
  readonly refreshMs: number;
  /** What is not in the map: exception 2, or read-only 0 as INMBSDAL r1.3 §2 says of unused addresses. */
  readonly holes: "exception" | "zero";
  readonly journal: Journal;
  readonly clock: SimulatorClock;
}

const FIRST_ORDER = 15;
const REFRESH = 4;

/**
 * An Intesis INMBSDAL / IN703DAL bridge with LED street lamps, as seen through its Modbus registers.
 * Holding and input registers are one map; coils and discrete inputs do not exist (exception 1).
 */
export class DaliBridge implements RegisterBank {
  readonly id: string;
  readonly state: GearState;
  readonly #options: DaliBridgeOptions;
  readonly #map: DaliMap;
  /** What was last written to a register that shows no state of a gear; bounded by the map. */
  readonly #written = new Map<number, number>();
  readonly #refreshedAtMs: Float64Array;

  constructor(options: DaliBridgeOptions) {
    this.id = options.id;
    this.#options = options;
    this.#map = new DaliMap(options.channels, options.gears);
    this.#refreshedAtMs = new Float64Array(options.channels);
    this.state = newGearState(options.gears, options.seed, options.clock.monotonicMs());
  }

  readHolding(address: number, count: number): ReadAnswer {
    const nowMs = this.#options.clock.monotonicMs();
    const values = new Uint16Array(count);
    for (let at = 0; at < count; at += 1) {
      const value = this.#read(address + at, nowMs);
      if (value === undefined && this.#options.holes === "exception") {
        return new ModbusException(ILLEGAL_DATA_ADDRESS);
      }
      values[at] = value ?? 0;
    }
    return values;
  }

  readInput(address: number, count: number): ReadAnswer {
    return this.readHolding(address, count);
  }

  writeRegisters(request: WriteRequest): WriteAnswer {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      this.#options.journal.recordWrite(this.id, request, `exception-${refusal.code}`);
      return refusal;
    }
    if (request.effect === "frozen") {
      this.#rememberLevels(request);
      this.#options.journal.recordWrite(this.id, request, "frozen");
      return "written";
    }
    const context = this.#context();
    const changes = request.values.flatMap((value, at) =>
      this.#execute(context, request.address + at, value),
    );
    this.#options.journal.recordExecution(this.id, request, changes);
    return "written";
  }

  writeNotExecuted(request: WriteRequest, reason: string): void {
    this.#options.journal.recordWrite(this.id, request, reason);
  }

  /** A hand on one lamp, or wear: fail, freeze, restore. False: no such lamp here. */
  treat(lampId: string, action: LampAction, cause: EffectCause = { by: "control", action }): boolean {
    const gear = this.#gearOf(lampId);
    if (gear === undefined) return false;
    const changes = treatLamp(this.#context(), gear, action);
    this.#options.journal.recordEffects(this.id, cause, changes);
    return true;
  }

  /** The feeder of these gears goes live or dead, because of `cause`. */
  supply(gears: readonly number[], supply: "live" | "dead", cause: EffectCause): void {
    const context = this.#context();
    const changes = gears.flatMap((gear) => supplyGear(context, gear, supply));
    this.#options.journal.recordEffects(this.id, cause, changes);
  }

  /** The luminaire's own control turns its gear to a level, %. What the bridge was told last stays what it was told. */
  turn(gear: number, percent: number, cause: EffectCause): void {
    this.#options.journal.recordEffects(this.id, cause, turnGear(this.#context(), gear, percent));
  }

  /** At the beginning of the simulated world: the gear has shone at this level, %, since before. No effect. */
  beginAt(gear: number, percent: number): void {
    const arc = arcOfPercent(percent, curveOf(this.state, gear));
    this.state.arcFrom[gear] = arc;
    this.state.arcTo[gear] = arc;
  }

  /** The id of a gear by its index. */
  lampIdOf(gear: number): string {
    const place = this.state.places[gear];
    return place === undefined ? this.id : this.#lampId(place);
  }

  lamps(): LampView[] {
    const context = this.#context();
    return this.state.places.map((_, gear) => viewLamp(context, gear));
  }

  findLamp(lampId: string): LampView | undefined {
    const gear = this.#gearOf(lampId);
    return gear === undefined ? undefined : viewLamp(this.#context(), gear);
  }

  #gearOf(lampId: string): number | undefined {
    const gear = this.state.places.findIndex((place) => this.#lampId(place) === lampId);
    return gear === -1 ? undefined : gear;
  }

  #lampId(place: GearPlace): string {
    return this.#options.lampId?.(place) ?? `${this.id}-${place.channel}-${place.shortAddress}`;
  }

  #context(): GearContext {
    const { state } = this;
    const lampId = (gear: number): string => this.lampIdOf(gear);
    return { state, nowMs: this.#options.clock.monotonicMs(), fade: this.#options.fade, lampId };
  }

  #read(address: number, nowMs: number): number | undefined {
    const slot = this.#map.locate(address);
    if (slot === undefined) return undefined;
    switch (slot.area) {
      case "channel":
        return slot.offset === REFRESH ? this.#refreshing(slot.channel, nowMs) : this.#failures(slot);
      case "d4i":
        return readD4iRegister(this.state, slot.gear, { offset: slot.offset, nowMs });
      case "members":
        return this.#written.get(address) ?? 0;
      case "gear":
        if (slot.offset === FIRST_ORDER) return this.state.orderedPercent[slot.gear];
        if (GEAR_ORDERS[slot.offset - FIRST_ORDER] !== undefined) return this.#written.get(address) ?? 0;
        return readGearRegister(this.state, slot.gear, { offset: slot.offset, nowMs });
    }
  }

  /** Bit i of register +n is the gear with short address 16 n + i. Places without gear stay 0. */
  #failures(slot: Slot & { readonly area: "channel" }): number {
    const { places, condition } = this.state;
    let bits = 0;
    for (const [gear, place] of places.entries()) {
      const isHere = place.channel === slot.channel && place.shortAddress >> 4 === slot.offset;
      const failed = ((condition[gear] ?? 0) & (LAMP_FAILED | GEAR_SILENT)) !== 0;
      if (isHere && failed) bits |= 1 << (place.shortAddress & 15);
    }
    return bits;
  }

  #refreshing(channel: number, nowMs: number): number {
    return nowMs < (this.#refreshedAtMs[channel] ?? 0) ? 1 : 0;
  }

  /** Addresses are judged before values, and all of them before anything moves. */
  #refusal(request: WriteRequest): ModbusException | undefined {
    const ranges = request.values.map((_, at) => writableRange(this.#map.locate(request.address + at)));
    if (ranges.includes(undefined)) return new ModbusException(ILLEGAL_DATA_ADDRESS);
    const isBad = request.values.some((value, at) => {
      const range = ranges[at];
      return range !== undefined && (value < range.min || value > range.max);
    });
    return isBad ? new ModbusException(ILLEGAL_DATA_VALUE) : undefined;
  }

  #execute(context: GearContext, address: number, value: number): LampChange[] {
    const slot = this.#map.locate(address);
    if (slot === undefined || slot.area === "d4i") return [];
    if (slot.area === "channel") {
      this.#refreshedAtMs[slot.channel] = context.nowMs + (value === 1 ? this.#options.refreshMs : 0);
      return [];
    }
    if (slot.area === "gear" && slot.offset >= 80)
      return obeyLed(context, slot.gear, { offset: slot.offset, value });
    const order = orderOf(slot);
    if (order === undefined) return [];
    if (!order.trigger) this.#written.set(address, value);
    return this.#membersOf(slot).flatMap((gear) => obey(context, gear, { name: order.name, value }));
  }

  /** A frozen bridge still shows what it was told. */
  #rememberLevels(request: WriteRequest): void {
    for (const [at, value] of request.values.entries()) this.#rememberLevel(request.address + at, value);
  }

  #rememberLevel(address: number, value: number): void {
    const slot = this.#map.locate(address);
    const order = slot === undefined ? undefined : orderOf(slot);
    if (slot === undefined || order === undefined) return;
    if (!order.trigger) this.#written.set(address, value);
    if (order.name !== "level") return;
    for (const gear of this.#membersOf(slot)) this.state.orderedPercent[gear] = value;
  }

  #membersOf(slot: Slot): readonly number[] {
    if (slot.area === "gear") return [slot.gear];
    if (slot.area !== "members") return [];
    const { channel, group } = slot;
    const isMember = (place: GearPlace) => group === "broadcast" || ((place.groups >> group) & 1) === 1;
    return this.state.places.flatMap((place, gear) =>
      place.channel === channel && isMember(place) ? [gear] : [],
    );
  }
}

type Order = (typeof GEAR_ORDERS)[number];

function orderOf(slot: Slot): Order | undefined {
  if (slot.area === "members") return GEAR_ORDERS[slot.order];
  return slot.area === "gear" ? GEAR_ORDERS[slot.offset - FIRST_ORDER] : undefined;
}

/** Undefined: not in the map, or read-only. */
function writableRange(slot: Slot | undefined): { readonly min: number; readonly max: number } | undefined {
  if (slot === undefined) return undefined;
  if (slot.area === "channel") return slot.offset === REFRESH ? { min: 0, max: 1 } : undefined;
  if (slot.area === "gear" && slot.offset >= 80) return LED_RANGES[slot.offset];
  return orderOf(slot);
}

/** +90 power referencing (trigger), +91 current protector, +92 dimming curve, +93 fast fade time. */
const LED_RANGES: Readonly<Record<number, { readonly min: number; readonly max: number }>> = {
  90: { min: 1, max: 1 },
  91: { min: 0, max: 1 },
  92: { min: 0, max: 1 },
  93: { min: 0, max: 27 },
};
