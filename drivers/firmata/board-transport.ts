import { EventEmitter } from "node:events";
import type { FrameSink } from "../driver.ts";
import type { ByteLine } from "../line/byte-line.ts";
import type { LineLedger } from "../line/line-ledger.ts";
import { MessageMeter } from "./message-meter.ts";

/** Firmata protocol: a SysEx message of StandardFirmata has 64 bytes; its longest answer, the capabilities, some 500. */
const SYSEX_MAX = 4_096;

/**
 * The line as firmata-io wants it. What the library can not digest ends the line instead of the process: a message
 * without an end would grow its buffer for ever, and it throws on capabilities that make no sense.
 */
export class BoardTransport extends EventEmitter {
  readonly isOpen = true;
  readonly #line: ByteLine;
  readonly #frames: FrameSink;
  readonly #onDefect: (cause: Error) => void;
  readonly #stopListening: () => void;
  readonly #signal: AbortSignal;
  readonly #meter: MessageMeter;

  constructor(
    line: ByteLine,
    {
      frames,
      ledger,
      onDefect,
    }: {
      readonly frames: FrameSink;
      readonly ledger: LineLedger;
      readonly onDefect: (cause: Error) => void;
    },
    signal: AbortSignal,
  ) {
    super();
    this.#line = line;
    this.#frames = frames;
    this.#onDefect = onDefect;
    this.#meter = new MessageMeter(ledger);
    this.#signal = signal;
    this.#stopListening = line.onBytes((bytes) => this.#receive(bytes));
  }

  /** firmata-io's own way of sending; it waits for nothing. */
  write(data: Buffer | readonly number[], callback?: () => void): void {
    const bytes = Buffer.from(data);
    this.#frames("sent", bytes);
    // A lost line tells itself by `lost`, and an abort is nobody's fault.
    this.#line.write(bytes, this.#signal).then(
      () => callback?.(),
      () => callback?.(),
    );
  }

  close(): void {
    this.#stopListening();
    this.removeAllListeners();
  }

  #receive(bytes: Uint8Array): void {
    this.#frames("received", bytes);
    for (const byte of bytes) this.#meter.take(byte);
    if (this.#meter.sysexBytes > SYSEX_MAX) {
      this.#onDefect(new Error(`a message of more than ${SYSEX_MAX} bytes without an end`));
      return;
    }
    try {
      this.emit("data", Buffer.from(bytes));
    } catch (cause) {
      this.#onDefect(new Error("a message that makes no sense", { cause }));
    }
  }
}
