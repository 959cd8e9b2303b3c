import { EventEmitter } from "node:events";
import { connect, type Socket } from "node:net";
import { DeviceFault } from "../../domain/errors.ts";
import type { Clock, Millis } from "../../domain/time.ts";
import type { FrameSink } from "../driver.ts";
import { crc16 } from "./crc16.ts";
import { FRAME_BYTES_MAX, MBAP_BYTES, MbapReader } from "./mbap-reader.ts";
import type { ModbusPort } from "./modbus-port.ts";
import { type PendingRequest, PendingRequests } from "./pending-requests.ts";

export interface TcpPortOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeout: Millis;
  readonly requestTimeout: Millis;
  readonly clock: Clock;
  readonly frames: FrameSink;
}

/** What modbus-serial appends for a serial line, and expects behind an answer. */
const CRC_BYTES = 2;
/** MBAP header without the unit, which modbus-serial writes itself. */
const PREFIX_BYTES = MBAP_BYTES - 1;
/** A silent peer (cable pulled, unit rebooted) is found by TCP after this idle time. */
const KEEP_ALIVE_MS = 10_000;
const RECEIVE_BYTES = 16_384;

/**
 * The line to a unit for modbus-serial, mending what its own port does (each point a test): 16-bit transaction ids,
 * answers checked on unit and function, framing checked, a time-out always, and every request settled at once
 * when the connection goes. Opens once; a new connection is a new port.
 */
export class TcpPort extends EventEmitter implements ModbusPort {
  /** Fields that modbus-serial reads and sets: the slot of the request being written, and of the answer being read. */
  _transactionIdRead = 0;
  _transactionIdWrite = 0;
  readonly lost: Promise<unknown>;
  readonly #options: TcpPortOptions;
  readonly #reader = new MbapReader();
  readonly #pending: PendingRequests;
  /** An answer as modbus-serial wants it; void at the next one. */
  readonly #answer = Buffer.alloc(FRAME_BYTES_MAX - PREFIX_BYTES + CRC_BYTES);
  readonly #onFrame = (frame: Buffer): void => this.#receiveFrame(frame);
  readonly #settleLost: (what: unknown) => void;
  #socket: Socket | undefined;
  #closedBy: Error | undefined;
  #state: "new" | "opening" | "open" | "closed" = "new";
  #prepared: PendingRequest | undefined;

  constructor(options: TcpPortOptions) {
    super();
    this.#options = options;
    this.#pending = new PendingRequests(options.clock, options.requestTimeout);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.lost = promise;
    this.#settleLost = resolve;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Calls back once, with the reason when no connection came about within `connectTimeout`. */
  open(callback: (error?: unknown) => void): void {
    const { host, port, connectTimeout, clock } = this.#options;
    this.#state = "opening";
    let report: ((error?: unknown) => void) | undefined = callback;
    const finish = (error?: unknown): void => {
      cancelTimer();
      report?.(error);
      report = undefined;
    };
    const cancelTimer = clock.schedule(connectTimeout, () => {
      this.#close(new Error(`no connection within ${connectTimeout} ms`));
    });
    const onread = { buffer: Buffer.allocUnsafe(RECEIVE_BYTES), callback: this.#receive };
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    this.#socket = connect({ host, port, noDelay: true, ...keepAlive, onread });
    this.#socket.once("connect", () => {
      if (this.#state !== "opening") return;
      this.#state = "open";
      finish();
    });
    this.#socket.once("end", () => this.#close(new Error("the other side closed the connection")));
    this.#socket.on("error", (error) => this.#close(error));
    this.#socket.once("close", () => {
      this.#close(new Error("the connection closed"));
      this.#settleLost(this.#closedBy);
    });
    void this.lost.then((cause) => finish(cause));
  }

  /** modbus-serial's way of closing; nothing waits for the other side to agree. */
  close(callback?: () => void): void {
    this.destroy();
    callback?.();
  }

  destroy(): void {
    this.#close(new Error("the connection was closed by the gateway"));
  }

  prepare(request: PendingRequest): void {
    if (this.#state !== "open") throw this.#lostFault(request, new Error("the connection is closed"));
    this.#pending.reserve(request);
    this._transactionIdWrite = request.slot;
    this.#prepared = request;
  }

  withdraw(request: PendingRequest): void {
    if (this.#prepared !== request) return;
    this.#prepared = undefined;
    this.#pending.release(request);
  }

  /** Takes unit, PDU and a CRC that TCP has no use for; the request was handed to {@link prepare} just before. */
  write(adu: Buffer): void {
    const request = this.#prepared;
    if (request === undefined || this.#socket === undefined)
      throw new Error("write without a prepared request");
    this.#prepared = undefined;
    request.unit = adu.readUInt8(0);
    request.functionCode = adu.readUInt8(1);
    this.#pending.start(request);
    const length = adu.length - CRC_BYTES;
    const frame = Buffer.allocUnsafe(PREFIX_BYTES + length);
    frame.writeUInt16BE(request.transactionId, 0);
    frame.writeUInt16BE(0, 2);
    frame.writeUInt16BE(length, 4);
    adu.copy(frame, PREFIX_BYTES, 0, length);
    this.#options.frames("sent", frame);
    this.#socket.write(frame);
  }

  /** Node's own receive path without a stream around it; the buffer is used again for the next bytes. */
  readonly #receive = (count: number, buffer: Uint8Array): boolean => {
    if (this.#state !== "open") return true;
    const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, count);
    const defect = this.#reader.read(bytes, this.#onFrame);
    // Bytes that are no frame leave no place to start again: without this, every later request would time out.
    if (defect !== undefined) this.#close(new Error(defect), "malformed-reply");
    return true;
  };

  #receiveFrame(frame: Buffer): void {
    this.#options.frames("received", frame);
    const request = this.#pending.take(frame.readUInt16BE(0));
    // Late, or never asked for: nobody waits for it.
    if (request === undefined) return;
    const unit = frame.readUInt8(PREFIX_BYTES);
    const functionCode = frame.readUInt8(MBAP_BYTES);
    if (unit !== request.unit || (functionCode & 0x7f) !== request.functionCode) {
      const cause = new Error(
        `unit ${unit} answered function ${functionCode & 0x7f} to function ${request.functionCode} of unit ${request.unit}`,
      );
      request.reject(new DeviceFault("malformed-reply", request.label, { cause }));
    } else {
      this.#handOver(request, frame);
    }
    this.#pending.release(request);
  }

  /** modbus-serial calls back before `emit` returns; a request it should forget is settled here. */
  #handOver(request: PendingRequest, frame: Buffer): void {
    const length = frame.length - PREFIX_BYTES;
    frame.copy(this.#answer, 0, PREFIX_BYTES);
    this.#answer.writeUInt16LE(crc16(this.#answer, length), length);
    this._transactionIdRead = request.slot;
    this.emit("data", this.#answer.subarray(0, length + CRC_BYTES));
    if (request.isSettled) return;
    const cause = new Error("the answer could not be read");
    request.reject(new DeviceFault("malformed-reply", request.label, { cause }));
  }

  #close(cause: Error, code: "connection-lost" | "malformed-reply" = "connection-lost"): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closedBy = cause;
    this.#pending.rejectAll(({ label }) => new DeviceFault(code, label, { cause }));
    // The socket's own close event, which is certain and soon, settles `lost`.
    if (this.#socket === undefined) this.#settleLost(cause);
    else this.#socket.destroy();
  }

  #lostFault(request: PendingRequest, cause: Error): DeviceFault {
    return new DeviceFault("connection-lost", request.label, { cause });
  }
}
