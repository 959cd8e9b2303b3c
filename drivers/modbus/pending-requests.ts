import { DeviceFault } from "../../domain/errors.ts";
import type { CancelTimer, Clock, Millis } from "../../domain/time.ts";
import { scheduleGiveUp } from "../give-up.ts";
import { AbortWatch } from "./abort-watch.ts";

/** One request from when it is asked until it is settled, whichever of answer, time-out, abort and loss comes first. */
export interface PendingRequest {
  /** What we try, for the fault's message. */
  readonly label: string;
  readonly signal: AbortSignal;
  readonly reject: (reason: unknown) => void;
  /** Set by whoever resolved or rejected it from an answer. */
  isSettled: boolean;
  /** Where modbus-serial keeps its half, 0 … 1023; unlike the transaction id it is taken again at once. */
  slot: number;
  transactionId: number;
  unit: number;
  functionCode: number;
  cancelTimer: CancelTimer | undefined;
}

/** In flight at a time on one connection; the scheduler keeps one, so that more is a caller's defect. */
export const IN_FLIGHT_MAX = 1_024;
const TRANSACTION_IDS = 65_536;

/**
 * Requests that wait for their answers, by 16-bit transaction id (Messaging on TCP/IP V1.0b §3.1.3).
 * An id comes back only after 65,535 others, so a late answer finds no request to be taken for.
 */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #timeout: Millis;
  readonly #waiting = new Map<number, PendingRequest>();
  readonly #freeSlots = Array.from({ length: IN_FLIGHT_MAX }, (_, index) => IN_FLIGHT_MAX - 1 - index);
  readonly #aborts = new AbortWatch((signal) => this.#abort(signal));
  #lastId = 0;

  constructor(clock: Clock, timeout: Millis) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** Gives the request a slot. @throws {DeviceFault} `timeout` when 1,024 are waiting: ask again when some are over. */
  reserve(request: PendingRequest): void {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) {
      const cause = new Error(`${IN_FLIGHT_MAX} requests already wait on this connection`);
      throw new DeviceFault("timeout", request.label, { cause });
    }
    request.slot = slot;
  }

  /** Gives the slot back; only once modbus-serial has seen the answer, or never will. */
  release(request: PendingRequest): void {
    this.#freeSlots.push(request.slot);
  }

  /** Starts the time-out and gives the transaction id. */
  start(request: PendingRequest): void {
    do {
      this.#lastId = (this.#lastId + 1) % TRANSACTION_IDS;
    } while (this.#waiting.has(this.#lastId));
    request.transactionId = this.#lastId;
    this.#waiting.set(request.transactionId, request);
    this.#aborts.add(request.signal);
    request.cancelTimer = scheduleGiveUp(this.#clock, this.#timeout, () => this.#giveUp(request));
  }

  /** Takes out the request that an answer belongs to; `undefined`: nobody waits for it any more. */
  take(transactionId: number): PendingRequest | undefined {
    const request = this.#waiting.get(transactionId);
    if (request !== undefined) this.#remove(request);
    return request;
  }

  /** Nothing waits any more, nothing is left open. */
  rejectAll(reasonOf: (request: PendingRequest) => unknown): void {
    for (const request of [...this.#waiting.values()]) this.#fail(request, reasonOf(request));
    this.#aborts.clear();
  }

  #giveUp(request: PendingRequest): void {
    const cause = new Error(`no answer within ${this.#timeout} ms`);
    this.#fail(request, new DeviceFault("timeout", request.label, { cause }));
  }

  #abort(signal: AbortSignal): void {
    for (const request of [...this.#waiting.values()]) {
      if (request.signal === signal) this.#fail(request, signal.reason);
    }
  }

  #fail(request: PendingRequest, reason: unknown): void {
    this.#remove(request);
    this.release(request);
    request.reject(reason);
  }

  #remove(request: PendingRequest): void {
    this.#waiting.delete(request.transactionId);
    this.#aborts.release(request.signal);
    request.cancelTimer?.();
  }
}
