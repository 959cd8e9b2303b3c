import type { SimulatorClock } from "../clock.ts";
import type { EffectCause } from "../journal.ts";
import { REASON, WAYS } from "./cabinet-map.ts";

/** What may be wrong with a contactor: `welded` never opens again, `jammed` never closes. */
export type ContactorCondition = "sound" | "welded" | "jammed";

export interface Way {
  /** Whether the controller drives the coil. */
  demand: boolean;
  /** Where the main contacts are: what the feedback shows. */
  closed: boolean;
  condition: ContactorCondition;
  breakerTripped: boolean;
  /** The feeder behind contactor and breaker has voltage. */
  live: boolean;
  starts: number;
  movedAtMs: number;
}

export interface ContactorSurroundings {
  readonly clock: SimulatorClock;
  /** Seconds, from the holding registers. */
  readonly minOnSec: () => number;
  readonly minOffSec: () => number;
  /** Neither main breaker nor RCD has tripped. */
  readonly mainsPresent: () => boolean;
  readonly moved: (way: number, cause: EffectCause) => void;
  readonly supplied: (way: number, supply: "live" | "dead", cause: EffectCause) => void;
}

/** From the coil's voltage to the closed contact. */
const TRAVEL_MS = 80;

/** The eight contactors. One one-shot timer while a contact travels, none at rest. */
export class Contactors implements Disposable {
  readonly ways: readonly Way[];
  /** Register value of input 1, and s since 1970 of the last move; 0 before the first. */
  lastReason: number = REASON.none;
  lastSwitchSec = 0;
  readonly #around: ContactorSurroundings;
  readonly #travels = new Map<number, () => void>();

  /** As after commissioning: every feeder live, its starts as `starts` counts them. */
  constructor(around: ContactorSurroundings, starts: (way: number) => number) {
    this.#around = around;
    this.ways = Array.from({ length: WAYS }, (_, way) => ({
      demand: true,
      closed: true,
      condition: "sound" as const,
      breakerTripped: false,
      live: true,
      starts: starts(way),
      movedAtMs: Number.NEGATIVE_INFINITY,
    }));
  }

  /** Whether its time since the last move is up; a contact under way is not. */
  mayMove(way: Way): boolean {
    if (this.#travels.has(this.ways.indexOf(way))) return false;
    const { clock, minOnSec, minOffSec } = this.#around;
    const pauseMs = (way.closed ? minOnSec() : minOffSec()) * 1_000;
    return clock.monotonicMs() - way.movedAtMs >= pauseMs;
  }

  /** Lets the contact follow its demand. */
  drive(index: number, reason: number, cause: EffectCause): void {
    this.#travels.get(index)?.();
    const cancel = this.#around.clock.after(TRAVEL_MS, () => {
      this.#travels.delete(index);
      this.#arrive(index, reason, cause);
    });
    this.#travels.set(index, cancel);
  }

  /** Brings each feeder's voltage in line with contacts, breakers and mains. */
  refreshSupply(cause: EffectCause): void {
    for (const [index, way] of this.ways.entries()) {
      const live = way.closed && !way.breakerTripped && this.#around.mainsPresent();
      if (live === way.live) continue;
      way.live = live;
      this.#around.supplied(index, live ? "live" : "dead", cause);
    }
  }

  [Symbol.dispose](): void {
    for (const cancel of this.#travels.values()) cancel();
    this.#travels.clear();
  }

  #arrive(index: number, reason: number, cause: EffectCause): void {
    const way = this.ways[index];
    const stuck = way?.closed ? "welded" : "jammed";
    if (way === undefined || way.closed === way.demand || way.condition === stuck) return;
    const { clock, moved } = this.#around;
    way.closed = way.demand;
    way.movedAtMs = clock.monotonicMs();
    if (way.closed) way.starts += 1;
    this.lastReason = reason;
    this.lastSwitchSec = Math.floor(clock.wallMs() / 1_000);
    moved(index, cause);
    this.refreshSupply(cause);
  }
}
