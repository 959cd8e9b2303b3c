import type { PointId, PointNumber } from "./ids.ts";
import type { PointValue } from "./reading.ts";
import type { Interlock } from "./safety/interlock.ts";
import type { Millis } from "./time.ts";

/** value = raw × factor + offset. */
export interface LinearScale {
  readonly kind: "linear";
  readonly factor: number;
  readonly offset: number;
}
/** DALI arc level 0 … 254 to percent (IEC 62386-102: percent(n) = 10^((n-1)/(253/3) - 1), 0 is off). */
export interface DaliLogScale {
  readonly kind: "dali-log";
}
export type Scale = LinearScale | DaliLogScale;

/** How often a point is asked. Also the order in which a busy bus serves them, after operations. */
export const POLL_CLASSES = ["safety-status", "fast", "normal", "lamp", "meter", "slow"] as const;
export type PollClass = (typeof POLL_CLASSES)[number];

/** What waits how long, how often, and what stands behind it: PROTOCOL §8. */
export type CommandClass = "K0" | "K1" | "K2" | "K3";

/** What proves a write or an action: the point that shows it, how near it must come, and how long that may take. */
export interface ReadBack {
  readonly point: string;
  /** What the point must show: an argument of the action, or always the same. Absent: the value that was commanded. */
  readonly expects?: { readonly argument: string } | { readonly value: PointValue };
  /** `members`: every member of the group must agree. */
  readonly of: "device" | "members";
  /** Inclusive, in the point's unit; 0 for booleans and text. */
  readonly tolerance: number;
  readonly within: Millis;
}

/** What an action is told when it is run; a command gives one value for each, in order. */
export interface ArgumentDefinition {
  /** Unique in its action, e.g. `timeout-minutes`. */
  readonly name: string;
  readonly type: "number" | "boolean" | "text";
  /** As {@link PointDefinition.unit}. */
  readonly unit: string;
  /** Inclusive, in `unit`; required of a number. A command outside is rejected. */
  readonly range?: { readonly min: number; readonly max: number };
  /** The only values that are taken; absent: all of the type and in range. */
  readonly oneOf?: readonly PointValue[];
}

/** How many arguments an action has at most; PROTOCOL's frames carry no more. */
export const ARGUMENTS_MAX = 16;
/** How many choices `oneOf` lists at most, and how long each is. */
export const CHOICES_MAX = 100;
export const CHOICE_MAX_CHARS = 100;

/** Raw numbers from `from` to `to`, both inclusive, that mean one state: a supervised loop's `cut`, a code's `snow`. */
export interface StateBand {
  readonly from: number;
  readonly to: number;
  readonly is: string;
}

/**
 * Of a number that the device only counts up, and that begins at 0 again after its last: the gateway tells a total that only
 * grows, and beside it, as a point of its own, the total at which the device last began anew.
 */
export type CounterRule =
  | {
      /** The device counts to 2 ** bits - 1. */
      readonly bits: number;
      /** The most that is counted between two readings, also after an outage: a fall by more is no roll-over. */
      readonly maxStep: number;
    }
  /** Name of the total. */
  | { readonly epochOf: string };

/** Whether the point is the epoch of the total with this name. */
export function isEpochOf({ counter }: { readonly counter?: CounterRule }, total: string): boolean {
  return counter !== undefined && "epochOf" in counter && counter.epochOf === total;
}

/** One value, or one action, that a kind of device has. Lives in a profile, as data; `Address` is the driver's own. */
export interface PointDefinition<Address = unknown> {
  /** Unique in its profile, e.g. `dim-level`. Part of every topic and row: renaming is a migration. */
  readonly name: string;
  readonly type: "number" | "boolean" | "text" | "action";
  /** UCUM, case sensitive: `W`, `V`, `Cel`, `%`, `s`; `1` for a bare number. */
  readonly unit: string;
  readonly access: "read" | "write" | "read-write";
  readonly address: Address;
  /** Absent: raw is already in `unit`. */
  readonly scale?: Scale;
  /** Of a text that the device keeps as a number: which means what. A number in none of them is a fault. */
  readonly states?: readonly StateBand[];
  /** Of a text that is written: the only values that are taken, as address or states name them; absent: any text. */
  readonly oneOf?: readonly string[];
  /** Raw patterns by which the device says "no value": quality becomes `bad/sensor-failure`, never a number. */
  readonly sentinels?: readonly number[];
  /** Inclusive, in `unit`. A command outside is rejected; a reading outside is uncertain. */
  readonly range?: { readonly min: number; readonly max: number };
  /** Least change worth telling, in `unit`. 0 tells every change. */
  readonly deadband: number;
  /** The site file maps classes to intervals (defaults: DOMAIN C.4). */
  readonly pollClass: PollClass;
  /** Older than this, the value is shown as old and no interlock may rest on it. */
  readonly maxAge: Millis;
  /** Required if writable. A floor: a site may raise it, never lower it. */
  readonly commandClass?: Exclude<CommandClass, "K0">;
  readonly readBack?: ReadBack;
  /** The output falls back by itself after this time (strike, barrier contact). */
  readonly pulse?: Millis;
  /** The condition that must hold for a write, from whomever. */
  readonly interlock?: Interlock;
  /** Least time from the end of one operation to the begin of the next (DOMAIN E.2, rule 15). */
  readonly minInterval?: Millis;
  /** Of an action; absent: it takes none. */
  readonly args?: readonly ArgumentDefinition[];
  /**
   * Its samples are things that happened, not a state: each is told, even when it equals the last (a card read twice),
   * and it is never asked for. Only for points that the unit tells by itself.
   */
  readonly event?: true;
  readonly counter?: CounterRule;
  /** A text that names a person, e.g. a badge number: it leaves the field host only as a keyed hash (DOMAIN F.1, rule 6). */
  readonly privacy?: "pseudonymous";
  /** Written when nobody may command the point any more, e.g. full light. */
  readonly safeValue?: PointValue;
  /** Document, revision, place: `LC-10 Modbus map rev. 4, §6.2, table 3`. Reviewers look it up. */
  readonly source: string;
}

/** A point of one device of this site: its definition with the address resolved for that device. */
export interface SitePoint<Address = unknown> {
  readonly id: PointId;
  readonly number: PointNumber;
  readonly definition: PointDefinition<Address>;
}
