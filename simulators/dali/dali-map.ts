import { GEAR_ORDERS } from "./gear-orders.ts";
import { GEARS_PER_CHANNEL, type GearPlace } from "./gear-state.ts";

/** DALI channels a bridge can have (INMBSDAL r1.3 §2.4.2: line 0..1). */
export const MAX_CHANNELS = 2;

/** Where a register lies. */
export type Slot =
  | { readonly area: "channel"; readonly channel: number; readonly offset: number }
  | { readonly area: "gear"; readonly gear: number; readonly offset: number }
  | { readonly area: "d4i"; readonly gear: number; readonly offset: number }
  /** `group` 0..15, or every gear of the channel. */
  | {
      readonly area: "members";
      readonly channel: number;
      readonly group: number | "broadcast";
      readonly order: number;
    };

const CHANNEL_STRIDE = 7_000;
const GEAR_STRIDE = 100;
const GROUP_BASE = 6_400;
const GROUP_STRIDE = 20;
const GROUP_COUNT = 16;
const BROADCAST_BASE = 6_800;
/** Failure bitmap +0..+3 and refresh +4, once a channel. */
const CHANNEL_REGISTERS = 5;
const D4I_BASE = 25_000;
const D4I_CHANNEL_STRIDE = 3_200;

/**
 * The register map of INMBSDAL r1.3 §2.4 and IN703DAL 1.0.2 §6.2, all addresses zero-based:
 * 7000*ch + 100*sa + offset, groups 7000*ch + 20*g + 6400, broadcast 7000*ch + 6800, D4i 25000 + 3200*ch + 100*sa.
 */
export class DaliMap {
  readonly #channels: number;
  /** Index of the gear, or -1, by 64 x channel + short address. */
  readonly #gears: Int16Array;

  constructor(channels: number, places: readonly GearPlace[]) {
    this.#channels = channels;
    this.#gears = new Int16Array(channels * GEARS_PER_CHANNEL).fill(-1);
    for (const [gear, place] of places.entries()) {
      this.#gears[place.channel * GEARS_PER_CHANNEL + place.shortAddress] = gear;
    }
  }

  /** Undefined: a hole in the map, or a short address without gear. */
  locate(address: number): Slot | undefined {
    const channel = Math.floor(address / CHANNEL_STRIDE);
    if (channel < this.#channels) return this.#locateInChannel(channel, address % CHANNEL_STRIDE);
    return address >= D4I_BASE ? this.#locateD4i(address - D4I_BASE) : undefined;
  }

  #locateInChannel(channel: number, offset: number): Slot | undefined {
    if (offset < CHANNEL_REGISTERS) return { area: "channel", channel, offset };
    if (offset < GROUP_BASE) {
      const gear = this.#gearAt(channel, Math.floor(offset / GEAR_STRIDE));
      return gear === -1 ? undefined : { area: "gear", gear, offset: offset % GEAR_STRIDE };
    }
    if (offset < GROUP_BASE + GROUP_COUNT * GROUP_STRIDE) {
      const group = Math.floor((offset - GROUP_BASE) / GROUP_STRIDE);
      return membersSlot(channel, group, (offset - GROUP_BASE) % GROUP_STRIDE);
    }
    return offset < BROADCAST_BASE ? undefined : membersSlot(channel, "broadcast", offset - BROADCAST_BASE);
  }

  /**
   * 64 gears at a stride of 100 need 6,400 registers, but channels are 3,200 apart: the documented areas overlap.
   * The lower channel wins where it has a gear; IN703DAL, the model with these registers, has one channel only.
   */
  #locateD4i(offset: number): Slot | undefined {
    for (let channel = 0; channel < this.#channels; channel += 1) {
      const within = offset - channel * D4I_CHANNEL_STRIDE;
      const gear = this.#gearAt(channel, Math.floor(within / GEAR_STRIDE));
      if (within >= 0 && gear !== -1) return { area: "d4i", gear, offset: within % GEAR_STRIDE };
    }
    return undefined;
  }

  #gearAt(channel: number, shortAddress: number): number {
    if (shortAddress < 0 || shortAddress >= GEARS_PER_CHANNEL) return -1;
    return this.#gears[channel * GEARS_PER_CHANNEL + shortAddress] ?? -1;
  }
}

function membersSlot(channel: number, group: number | "broadcast", order: number): Slot | undefined {
  return order < GEAR_ORDERS.length ? { area: "members", channel, group, order } : undefined;
}
