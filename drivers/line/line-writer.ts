import { DeviceFault } from "../../domain/errors.ts";
import { after, type CancelTimer, type Clock, Millis, since, Uptime } from "../../domain/time.ts";

/** Bytes that may wait for the wire; one more write is refused. */
export const WAITING_BYTES_MAX = 65_536;

export interface WireSettings {
  readonly label: string;
  readonly characterTime: Millis;
  readonly clock: Clock;
  /** Hands bytes to the system in the order of the calls; resolves when it has taken them. */
  readonly send: (bytes: Buffer) => Promise<void>;
}

/**
 * Knows when the wire is free by arithmetic. `tcdrain` does not tell: on ptys and USB adapters it returns early, and
 * while it waits it holds a thread of the pool that all reads of the process go through.
 */
export class LineWriter {
  readonly #settings: WireSettings;
  readonly #waiters = new Set<(fault: DeviceFault) => void>();
  #freeAt = Uptime(0);
  #waitingBytes = 0;
  #lost: { readonly cause: unknown } | undefined;

  constructor(settings: WireSettings) {
    this.#settings = settings;
  }

  /** Everything that waits is rejected, and everything that comes. */
  lose(cause: unknown): void {
    this.#lost ??= { cause };
    for (const reject of this.#waiters) reject(this.#lostFault());
    this.#waiters.clear();
  }

  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { clock, characterTime, label, send } = this.#settings;
    if (this.#lost !== undefined) throw this.#lostFault();
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      const cause = new Error(
        `${this.#waitingBytes} bytes already wait for the wire: write less, or wait for the writes`,
      );
      throw new DeviceFault("timeout", `write to ${label}`, { cause });
    }
    const start = Uptime(Math.max(clock.uptime(), this.#freeAt));
    const end = after(start, Millis(bytes.length * characterTime));
    this.#freeAt = end;
    this.#waitingBytes += bytes.length;
    try {
      await this.#settled(send(Buffer.from(bytes)), signal);
      const left = since(clock.uptime(), end);
      if (left > 0) await this.#sleep(left, signal);
    } finally {
      this.#waitingBytes -= bytes.length;
    }
  }

  /** As `promise`, but for the signal or the loss of the line when they come first. */
  #settled(promise: Promise<void>, signal: AbortSignal): Promise<void> {
    return this.#unlessOver(signal, (resolve, reject) => {
      promise.then(resolve, (cause: unknown) =>
        reject(this.#lost === undefined ? this.#writeFault(cause) : this.#lostFault()),
      );
      return () => {};
    });
  }

  #sleep(duration: Millis, signal: AbortSignal): Promise<void> {
    return this.#unlessOver(signal, (resolve) => this.#settings.clock.schedule(duration, resolve));
  }

  async #unlessOver(
    signal: AbortSignal,
    begin: (resolve: () => void, reject: (reason: unknown) => void) => CancelTimer,
  ): Promise<void> {
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lostFault();
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        signal.removeEventListener("abort", onAbort);
        this.#waiters.delete(onLoss);
        cancel();
        settle();
      };
      const onAbort = (): void => finish(() => reject(signal.reason));
      const onLoss = (fault: DeviceFault): void => finish(() => reject(fault));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(onLoss);
      const cancel = begin(
        () => finish(resolve),
        (reason) => finish(() => reject(reason)),
      );
    });
  }

  #writeFault(cause: unknown): DeviceFault {
    return new DeviceFault("connection-lost", `write to ${this.#settings.label}`, { cause });
  }

  #lostFault(): DeviceFault {
    return this.#writeFault(this.#lost?.cause);
  }
}
