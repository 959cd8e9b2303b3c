import type { Logger } from "pino";
import type { Clock, Millis } from "../../domain/time.ts";

/**
 * One open serial line, whatever carries it: a serial port of this machine, or a serial device server reached by TCP.
 * It carries bytes and knows nothing of frames, units or retries.
 */
export interface ByteLine extends AsyncDisposable {
  /** For people: `/dev/ttyUSB0 at 19200 8E1`. */
  readonly label: string;
  /** How long one character is on the wire: start bit, data, parity and stop bits. */
  readonly characterTime: Millis;
  /** Settles once the line is gone (unplugged, closed by the other side, or put away), with what took it; never rejects. */
  readonly lost: Promise<unknown>;
  /**
   * Sends `bytes` in one piece behind what is being sent already, and resolves when the last of them has left the
   * wire by the line's own arithmetic: after as many character times, never earlier than the system took them.
   * The bytes may be used again once it settles. An abort before they were handed to the system sends nothing; after
   * it they go out, and only the waiting ends.
   * @throws {DeviceFault} `connection-lost`; `timeout` when 64 KiB already wait. Or the signal's reason.
   */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /**
   * Calls `listener` with what comes in, in the pieces in which the system hands it over: a piece is no frame. The bytes are void when it
   * returns. What comes while nobody listens is dropped. Returns what ends the listening.
   */
  onBytes(listener: (bytes: Uint8Array) => void): () => void;
  /**
   * Throws away what the system received and has not told yet, and what it has not sent: call it between exchanges.
   * Resolves when that is done.
   */
  discard(): Promise<void>;
}

export interface LineContext {
  readonly clock: Clock;
  readonly logger: Logger;
}
