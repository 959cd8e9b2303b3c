import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { DeviceFault } from "../../../domain/errors.ts";
import type { BusHealth } from "../../../domain/line/line-health.ts";
import { unreachable } from "../../../domain/unreachable.ts";
import type { ByteLine } from "../../line/byte-line.ts";
import { AbortWatch } from "../abort-watch.ts";
import type { ModbusPort } from "../modbus-port.ts";
import type { PendingRequest } from "../pending-requests.ts";
import { type Expectation, expectationOf } from "./rtu-frame.ts";
import { type RtuEnd, RtuWire, type RtuWireOptions } from "./rtu-wire.ts";

/** Requests that may wait for the line; the scheduler keeps one, so that more is a caller's defect. */
export const RTU_WAITING_MAX = 64;

interface Waiting {
  readonly request: PendingRequest;
  readonly expected: Expectation;
  /** Nobody waits for it any more. */
  isOver: boolean;
}

/**
 * A serial line with its units for modbus-serial, mending what its own port does (each point a test): one request at a
 * time, an answer checked on unit, function and byte count, a time-out always, an answer that comes after it thrown
 * away, and every request settled at once when the line goes. The line is open already; a new one is a new port.
 */
export class RtuPort extends EventEmitter implements ModbusPort {
  /** Fields that modbus-serial reads and sets: the slot of the request being written, and of the answer being read. */
  _transactionIdRead = 0;
  _transactionIdWrite = 0;
  readonly lost: Promise<unknown>;
  readonly #line: ByteLine;
  readonly #wire: RtuWire;
  readonly #timeoutMs: number;
  /** The first is on the wire. */
  readonly #queue: Waiting[] = [];
  readonly #freeSlots = Array.from({ length: RTU_WAITING_MAX }, (_, index) => index);
  readonly #aborts = new AbortWatch((signal) => this.#abort(signal));
  #prepared: PendingRequest | undefined;
  #closedBy: { readonly cause: unknown } | undefined;

  constructor(line: ByteLine, options: RtuWireOptions) {
    super();
    this.#line = line;
    this.#wire = new RtuWire(line, options);
    this.#timeoutMs = options.requestTimeout;
    this.lost = line.lost;
    void line.lost.then((cause) => this.#close(cause));
  }

  get isOpen(): boolean {
    return this.#closedBy === undefined;
  }

  open(callback: (error?: unknown) => void): void {
    callback();
  }

  close(callback?: () => void): void {
    this.destroy();
    callback?.();
  }

  destroy(): void {
    this.#close(new Error("the line was closed by the gateway"));
    void this.#line[Symbol.asyncDispose]();
  }

  health(): BusHealth {
    return this.#wire.health();
  }

  prepare(request: PendingRequest): void {
    if (!this.isOpen) throw this.#lostFault(request);
    const slot = this.#freeSlots.pop();
    if (slot === undefined) {
      const cause = new Error(`${RTU_WAITING_MAX} requests already wait for this line`);
      throw new DeviceFault("timeout", request.label, { cause });
    }
    request.slot = slot;
    this._transactionIdWrite = slot;
    this.#prepared = request;
  }

  withdraw(request: PendingRequest): void {
    if (this.#prepared !== request) return;
    this.#prepared = undefined;
    this.#freeSlots.push(request.slot);
  }

  /** Takes a whole frame, CRC and all; the request was handed to {@link prepare} just before. */
  write(adu: Buffer): void {
    const request = this.#prepared;
    assert(request !== undefined, "write without a prepared request");
    this.#prepared = undefined;
    this.#aborts.add(request.signal);
    this.#queue.push({ request, expected: expectationOf(Buffer.from(adu)), isOver: false });
    if (this.#queue.length === 1) void this.#serve();
  }

  async #serve(): Promise<void> {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const waiting = next;
      const end = await this.#wire.ask(waiting.expected, () => !waiting.isOver);
      this.#settle(waiting, end);
      this.#queue.shift();
      this.#aborts.release(waiting.request.signal);
      this.#freeSlots.push(waiting.request.slot);
    }
  }

  #settle(waiting: Waiting, end: RtuEnd): void {
    if (waiting.isOver) return;
    waiting.isOver = true;
    const { request } = waiting;
    switch (end.kind) {
      case "answer":
        this.#handOver(request, end.frame);
        break;
      case "silent":
        request.reject(faultOf("timeout", request, `no answer within ${this.#timeoutMs} ms`));
        break;
      case "broken":
        request.reject(
          faultOf("malformed-reply", request, "the answer came damaged, or of a length not asked for"),
        );
        break;
      case "babble":
        request.reject(
          faultOf("timeout", request, "not sent: the line is never quiet, something sends unasked"),
        );
        break;
      case "lost":
      case "unwanted":
        request.reject(this.#lostFault(request));
        break;
      default:
        unreachable(end);
    }
  }

  /** modbus-serial calls back before `emit` returns; a request it should forget is settled here. */
  #handOver(request: PendingRequest, frame: Buffer): void {
    this._transactionIdRead = request.slot;
    this.emit("data", frame);
    if (!request.isSettled)
      request.reject(faultOf("malformed-reply", request, "the answer could not be read"));
  }

  #abort(signal: AbortSignal): void {
    for (const waiting of this.#queue) {
      if (waiting.request.signal === signal) this.#giveUp(waiting, signal.reason);
    }
  }

  #close(cause: unknown): void {
    if (!this.isOpen) return;
    this.#closedBy = { cause };
    for (const waiting of this.#queue) this.#giveUp(waiting, this.#lostFault(waiting.request));
    this.#aborts.clear();
    this.#wire.lose(cause);
  }

  #giveUp(waiting: Waiting, reason: unknown): void {
    if (waiting.isOver) return;
    waiting.isOver = true;
    waiting.request.reject(reason);
  }

  #lostFault({ label }: PendingRequest): DeviceFault {
    return new DeviceFault("connection-lost", label, { cause: this.#closedBy?.cause });
  }
}

function faultOf(code: "timeout" | "malformed-reply", { label }: PendingRequest, why: string): DeviceFault {
  return new DeviceFault(code, label, { cause: new Error(why) });
}
