import type { Logger } from "pino";
import type { DeviceFault } from "../domain/errors.ts";
import type { BusHealth } from "../domain/line/line-health.ts";
import type { PointDefinition } from "../domain/point.ts";
import type { Quirk } from "../domain/profile.ts";
import type { BadQuality, UsableQuality } from "../domain/quality.ts";
import type { PointValue } from "../domain/reading.ts";
import type { Clock, Instant, Millis } from "../domain/time.ts";

/**
 * Speaks one protocol. It knows registers, nodes or pins; it does not know streetlights, stores,
 * topics or the center. Stateless: everything that lives is a {@link Bus} it has opened.
 * The driver plans, because it knows the protocol's limits; the field host schedules.
 */
export interface Driver<BusConfig = unknown, Address = unknown> {
  readonly name: string;
  /** Parses untrusted data. @throws {AddressError} with the pointer of the first thing wrong and the remedy. */
  parseBusConfig(data: unknown, folders?: SiteFolders): BusConfig;
  /**
   * Parses untrusted data, after the profile's parameters were put into it: every form is a number by now.
   * @throws {AddressError}
   */
  parseAddress(data: unknown, point: Pick<PointDefinition, "type" | "access" | "states">): Address;
  /**
   * Parses a unit's number on the bus to the text that {@link Bus.openSession} takes. `bus`: absent where it is broken, and told.
   * @throws {AddressError}
   */
  parseUnitAddress(data: unknown, bus?: BusConfig): string;
  /** The only texts that a point at this address takes, where the protocol names them. Absent, or `undefined`: any text. */
  choices?(address: Address): readonly string[] | undefined;
  /** The places on the unit that an address takes, so that two points on one place are found: `holding:20-21`. */
  footprint(address: Address): Footprint;
  /**
   * Loads what an open bus needs and checking does not: it may keep the process for seconds, so a field host has it done
   * before it first tells anything. Absent: nothing.
   */
  load?(): Promise<unknown>;
  openBus(config: BusConfig, context: DriverContext, signal: AbortSignal): Promise<Bus<Address>>;
  /**
   * Gives a unit a key of its own, on site and with the line to itself, where the protocol has keys (OSDP).
   * @throws {DeviceFault | UnitKeyError} with what to do; what was begun is ended by another call.
   */
  giveKey?(config: BusConfig, unit: KeyedUnit, context: DriverContext, signal: AbortSignal): Promise<void>;
}

export interface KeyedUnit {
  /** As {@link Driver.parseUnitAddress} gave it. */
  readonly address: string;
  /** What it has until then: the key that every unit comes with, or one of its own. */
  readonly before: "install" | "own";
}

/** A file of keys can not be used, or keys are not wanted; the message says what to do, and never a key. */
export class UnitKeyError extends Error {
  override readonly name = "UnitKeyError";
}

/** What paths in a bus configuration are relative to, and where a driver may keep what is its own. Both absolute. */
export interface SiteFolders {
  /** Of the site file. */
  readonly site: string;
  /** The gateway's data folder; it may not be there yet. */
  readonly data: string;
}

/** Two points of one device whose spaces are equal and whose ranges meet are an overlap, unless they are bits of one register. */
export interface Footprint {
  /** E.g. `holding`. */
  readonly space: string;
  readonly first: number;
  readonly count: number;
  /** Bits taken of each place; absent: all of it. */
  readonly bitMask?: number;
}

/** Untrusted configuration of a bus or an address that makes no sense, with its place inside and the remedy. */
export class AddressError extends Error {
  override readonly name = "AddressError";
  /** JSON pointer inside what was parsed: `/register`. */
  readonly pointer: string;
  /** What was expected there. */
  readonly expected: string;
  constructor(pointer: string, expected: string, message: string) {
    super(message);
    this.pointer = pointer;
    this.expected = expected;
  }
}

/** One line, socket or board, shared by the units on it and used by one exchange at a time. */
export interface Bus<Address = unknown> extends AsyncDisposable {
  openSession(unitAddress: string, quirks: readonly Quirk[]): UnitSession<Address>;
  /** Settles once the line is gone, with what took it; never rejects. */
  readonly lost: Promise<unknown>;
  /** How the line itself does, since it was opened. Absent: the transport has no errors of its own to count. */
  health?(): BusHealth;
}

/** A conversation with one unit, which may carry several devices (64 lamps behind a bridge). Owns no timer, retries nothing. */
export interface UnitSession<Address = unknown> {
  /** The fewest exchanges that read these points: neighbours merged, holes and limits respected. Pure. */
  plan(points: readonly PointDefinition<Address>[], holes: HoleMap): readonly Exchange<Address>[];
  /**
   * Exactly one request and its answer: what an operation may have to wait for.
   * One sample per point of the exchange, in its order. What the unit rejects of single points comes back as their fault.
   * @throws {DeviceFault} when the whole exchange failed.
   */
  exchange(exchange: Exchange<Address>, signal: AbortSignal): Promise<readonly Sample[]>;
  /** Resolves when the unit has acknowledged, which is not yet proof that it acted. @throws {DeviceFault} */
  write(point: PointDefinition<Address>, value: PointValue, signal: AbortSignal): Promise<void>;
  /**
   * Runs a point of type `action`: a method (OPC UA), an output for a time (OSDP). `args`: one for each of the
   * definition's, of its type and in its range. Resolves with what the unit returned, if anything, once it has
   * acknowledged. @throws {DeviceFault} `refused-by-device` when the unit itself said no.
   */
  invoke?(
    point: PointDefinition<Address>,
    args: readonly PointValue[],
    signal: AbortSignal,
  ): Promise<PointValue | undefined>;
  /**
   * Whether the unit tells this point by itself: it is then subscribed and never polled. A read on somebody's behalf
   * (operation, K0) plans it like any other, unless it is an event. Absent: none.
   */
  tellsByItself?(point: PointDefinition<Address>): boolean;
  /**
   * Values and events of the points that the unit tells by itself: first every value as it stands, then what changes.
   * Resolves once `signal` aborts. Where the line takes one request at a time it asks nothing by itself: what it
   * needs goes through {@link KeepAlive.exchange}. Subscribed anew, with back-off, after it was given up, and
   * whenever the unit had been silent, so that every value is told again.
   * @throws {DeviceFault} when the unit gave the subscription up.
   */
  subscribe?(
    points: readonly PointDefinition<Address>[],
    sink: SampleSink,
    signal: AbortSignal,
  ): Promise<void>;
  /** Absent: the unit needs none. */
  readonly keepAlive?: KeepAlive;
}

/**
 * A short exchange that keeps the unit's conversation alive and fetches what it has to tell, which goes to the sink of
 * {@link UnitSession.subscribe} (OSDP POLL: every 50 ms). The field host schedules it like a poll of class safety-status.
 */
export interface KeepAlive {
  readonly every: Millis;
  /** Exactly one request and its answer. @throws {DeviceFault} */
  exchange(signal: AbortSignal): Promise<void>;
}

/** One request, made by {@link UnitSession.plan}; the driver may keep more in its own subtype. */
export interface Exchange<Address = unknown> {
  /** In the order of the samples that answer. */
  readonly points: readonly PointDefinition<Address>[];
  /** For people and logs: `read 12 holding registers from 100 of unit 1`. */
  readonly label: string;
}

/** Places of a unit that are known to answer "illegal address": never inside a merged block. */
export interface HoleMap {
  /** Whether any of `count` places from `first` in `space` is a hole. */
  has(space: string, first: number, count: number): boolean;
}
export const NO_HOLES: HoleMap = { has: () => false };

export type Sample =
  | {
      readonly value: PointValue;
      /** `null`: the device keeps no time. */
      readonly takenAt: Instant | null;
      /** The device's own verdict, where it gives one; absent: good. */
      readonly quality?: Exclude<UsableQuality, "good">;
    }
  /** The device's own verdict that it has no value now. */
  | { readonly bad: BadQuality; readonly takenAt: Instant | null }
  /** The device says by a sentinel that it has no value. */
  | { readonly sentinel: number }
  | { readonly fault: DeviceFault };

export interface SampleSink {
  /** `point` is one of those subscribed. */
  tell(point: PointDefinition, sample: Sample): void;
  /** All subscribed points are still as they were told (OPC UA: a publish answer or keep-alive; OSDP: an answered poll). */
  confirm(): void;
}

/** `requestTimeout` is for one request, from the first byte written to the last byte read. */
export interface DriverContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly requestTimeout: Millis;
  /** Takes every raw frame for the ring that crews read. */
  readonly frames: FrameSink;
}
/** `bytes` are the driver's own again when the call returns: who keeps them copies them. */
export type FrameSink = (direction: "sent" | "received", bytes: Uint8Array) => void;
