import type { SimulatorClock } from "../clock.ts";
import type { ExceptionCode, RequestOrigin } from "./register-bank.ts";
import { addressOf, isWriteFunction } from "./request-pdu.ts";

/**
 * What a fault does to a request it meets.
 * `slow` holds the answer and everything behind it; `late` answers that one request after the delay and the others
 * meanwhile; `reset` sends RST instead of the answer or after half of it; `freeze-level` acknowledges writes
 * that move nothing, and meets writes only.
 */
export type FaultAction =
  | { readonly kind: "silent" }
  | { readonly kind: "slow"; readonly delayMs: number }
  | { readonly kind: "late"; readonly delayMs: number }
  | { readonly kind: "exception"; readonly code: ExceptionCode }
  | { readonly kind: "reset"; readonly at: "request" | "mid-frame" }
  | { readonly kind: "wrong-unit" | "wrong-function" | "short-frame" | "garbage" }
  | { readonly kind: "freeze-level" };

/** When the request acts on the device, independent of what the client gets to see. */
export type Execution = "at-once" | "after-delay" | "never";

/** Which requests, how often and how long. What is absent does not restrict. */
export interface FaultScope {
  readonly unit?: number | undefined;
  /** Function codes, 1..127. */
  readonly functions?: readonly number[] | undefined;
  /** First and last register that a request must touch, inclusive. */
  readonly addressMin?: number | undefined;
  readonly addressMax?: number | undefined;
  /** How many requests it meets before it is over, from 1. */
  readonly count?: number | undefined;
  /** Over after this time, from when it was added. */
  readonly durationMs?: number | undefined;
  /**
   * Default: `never` for `silent`, `exception` and `reset` at the request, else `at-once`.
   * `after-delay` is for `slow` and `late` only, and happens even if the client has gone meanwhile.
   */
  readonly executes?: Execution | undefined;
}

export type FaultSpec = FaultAction & FaultScope;

export interface ActiveFault {
  readonly id: number;
  readonly spec: FaultSpec;
  /** Requests met so far. */
  readonly met: number;
}

interface HeldFault {
  readonly id: number;
  readonly spec: FaultSpec;
  readonly endsAtMs: number;
  met: number;
}

const MAX_FAULTS = 1_000;

/** The faults of one server. The oldest that matches a request has it; a freeze goes with any other. */
export class FaultPlan {
  readonly #clock: SimulatorClock;
  #faults: HeldFault[] = [];
  #lastId = 0;

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  /** Returns the id to remove it by. @throws {RangeError} when 1,000 faults are active: clear some first. */
  add(spec: FaultSpec): number {
    this.#forgetOver();
    if (this.#faults.length >= MAX_FAULTS)
      throw new RangeError(`more than ${MAX_FAULTS} faults: clear some first`);
    this.#lastId += 1;
    const endsAtMs = this.#clock.monotonicMs() + (spec.durationMs ?? Number.POSITIVE_INFINITY);
    this.#faults.push({ id: this.#lastId, spec, endsAtMs, met: 0 });
    return this.#lastId;
  }

  /** False when there is none of that id, or no longer. */
  remove(id: number): boolean {
    const before = this.#faults.length;
    this.#faults = this.#faults.filter((fault) => fault.id !== id);
    return this.#faults.length < before;
  }

  clear(): void {
    this.#faults = [];
  }

  list(): readonly ActiveFault[] {
    this.#forgetOver();
    return this.#faults.map(({ id, spec, met }) => ({ id, spec, met }));
  }

  /** Takes one from the count of each fault it returns. */
  meet(
    origin: RequestOrigin,
    pdu: Buffer,
  ): { readonly fault: FaultSpec | undefined; readonly frozen: boolean } {
    if (this.#faults.length === 0) return NO_FAULT;
    this.#forgetOver();
    const matching = this.#faults.filter((held) => matches(held.spec, origin, pdu));
    const freeze = matching.find(({ spec }) => spec.kind === "freeze-level");
    const other = matching.find(({ spec }) => spec.kind !== "freeze-level");
    if (freeze !== undefined) freeze.met += 1;
    if (other !== undefined) other.met += 1;
    return { fault: other?.spec, frozen: freeze !== undefined };
  }

  #forgetOver(): void {
    const now = this.#clock.monotonicMs();
    const isOver = (held: HeldFault) =>
      held.endsAtMs <= now || held.met >= (held.spec.count ?? Number.POSITIVE_INFINITY);
    if (this.#faults.some(isOver)) this.#faults = this.#faults.filter((held) => !isOver(held));
  }
}

const NO_FAULT = { fault: undefined, frozen: false } as const;

/** Whether and when a request that met `fault` acts on the device. */
export function executionOf(fault: FaultSpec): Execution {
  if (fault.executes !== undefined) return fault.executes;
  if (fault.kind === "silent" || fault.kind === "exception") return "never";
  return fault.kind === "reset" && fault.at === "request" ? "never" : "at-once";
}

function matches(spec: FaultSpec, origin: RequestOrigin, pdu: Buffer): boolean {
  if (spec.unit !== undefined && spec.unit !== origin.unit) return false;
  if (spec.functions !== undefined && !spec.functions.includes(origin.function)) return false;
  if (spec.kind === "freeze-level" && !isWriteFunction(origin.function)) return false;
  return touches(spec, origin.function, pdu);
}

function touches(spec: FaultSpec, functionCode: number, pdu: Buffer): boolean {
  if (spec.addressMin === undefined && spec.addressMax === undefined) return true;
  const first = addressOf(pdu);
  const isSingle = functionCode === 5 || functionCode === 6;
  const last = isSingle || pdu.length < 5 ? first : first + Math.max(1, pdu.readUInt16BE(3)) - 1;
  return last >= (spec.addressMin ?? 0) && first <= (spec.addressMax ?? 65_535);
}
