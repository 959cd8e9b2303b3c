import { readSync, writeSync } from "node:fs";
import { SerialPort } from "serialport";
import { DeviceFault } from "../../domain/errors.ts";
import type { Millis } from "../../domain/time.ts";
import type { ByteLine, LineContext } from "./byte-line.ts";
import { characterTime, formatText } from "./character-format.ts";
import { lowerLatency } from "./latency-timer.ts";
import type { SerialLineConfig } from "./line-config.ts";
import { LineWriter } from "./line-writer.ts";
import { checkPort, explainOpenFailure } from "./port-check.ts";

/** The system holds at most 4 KiB of what came in. */
const RECEIVE_BYTES = 4_096;

/** @throws {DeviceFault} `connection-lost`, or the signal's reason. */
export async function openSerialLine(
  config: SerialLineConfig,
  { clock, logger }: LineContext,
  signal: AbortSignal,
): Promise<ByteLine> {
  signal.throwIfAborted();
  const label = `${config.path} at ${formatText(config)}`;
  const port = await openPort(config, `open ${label}`, signal);
  const latency = await lowerLatency(config.path);
  if (latency.hint !== undefined) logger.warn({ path: config.path }, latency.hint);
  const names = { label, characterTime: characterTime(config) };
  const line = new SerialLine(
    port,
    new LineWriter({ ...names, clock, send: (bytes) => sendTo(port, bytes) }),
    names,
  );
  if (!signal.aborted) return line;
  await line[Symbol.asyncDispose]();
  throw signal.reason;
}

/**
 * The port below serialport's stream. The stream reads and writes through the thread pool, three turns for each piece,
 * which at 115,200 baud is half a core and a third of a millisecond after the last byte of an answer.
 */
interface OpenedPort {
  /** `null` once it is closed. */
  readonly fd: number | null;
  readonly poller: {
    /** Calls once when there is something to read, or with what took the port. */
    once(event: "readable", callback: (error: Error | null) => void): unknown;
  };
  write(bytes: Buffer): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

async function openPort(config: SerialLineConfig, label: string, signal: AbortSignal): Promise<OpenedPort> {
  const { path, baud, dataBits, parity, stopBits } = config;
  const refusal = await checkPort(path);
  if (refusal !== undefined) throw new DeviceFault("connection-lost", label, { cause: new Error(refusal) });
  signal.throwIfAborted();
  try {
    const port: unknown = await SerialPort.binding.open({
      path,
      baudRate: baud,
      dataBits,
      parity,
      stopBits,
      lock: true,
    });
    if (isOpenedPort(port)) return port;
  } catch (error) {
    const cause = new Error(await explainOpenFailure(path, error), { cause: error });
    throw new DeviceFault("connection-lost", label, { cause });
  }
  throw new Error(
    "serialport opened a port without descriptor and poller: this is for Linux, and its version 13",
  );
}

function isOpenedPort(port: unknown): port is OpenedPort {
  return typeof port === "object" && port !== null && "fd" in port && "poller" in port;
}

class SerialLine implements ByteLine {
  readonly label: string;
  readonly characterTime: Millis;
  readonly lost: Promise<unknown>;
  readonly #port: OpenedPort;
  readonly #writer: LineWriter;
  readonly #received = Buffer.alloc(RECEIVE_BYTES);
  readonly #settleLost: (what: unknown) => void;
  #listener: ((bytes: Uint8Array) => void) | undefined;
  #isOver = false;

  constructor(
    port: OpenedPort,
    writer: LineWriter,
    names: { readonly label: string; readonly characterTime: Millis },
  ) {
    this.label = names.label;
    this.characterTime = names.characterTime;
    this.#port = port;
    this.#writer = writer;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.lost = promise;
    this.#settleLost = resolve;
    this.#watch();
  }

  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await this.#writer.write(bytes, signal);
    } catch (error) {
      // A write that the system refuses is how some adapters tell that they are gone.
      if (error instanceof DeviceFault && error.code === "connection-lost") this.#lose(gone(error.cause));
      throw error;
    }
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  async discard(): Promise<void> {
    if (this.#isOver) return;
    // A port that can not be flushed is about to be lost, which is told by its poller.
    await this.#port.flush().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What waits in the system would hold the closing up for as long as it takes to send it.
    if (!this.#isOver) await this.discard();
    this.#lose(new Error("the line was closed by the gateway"));
    await this.lost;
  }

  #watch(): void {
    this.#port.poller.once("readable", (error) => {
      if (this.#isOver) return;
      if (error === null) this.#read();
      else this.#lose(gone(error));
    });
  }

  /** What came so far; the poller tells when there is more. */
  #read(): void {
    const { fd } = this.#port;
    if (fd === null) return;
    try {
      const count = readSync(fd, this.#received, 0, RECEIVE_BYTES, null);
      // A device that was pulled reads as empty for ever.
      if (count === 0) this.#lose(gone(undefined));
      else this.#listener?.(this.#received.subarray(0, count));
    } catch (error) {
      if (!isTryAgain(error)) this.#lose(gone(error));
    }
    if (!this.#isOver) this.#watch();
  }

  /** Settles `lost` when the device file is closed, so that whoever waited for it can open it again at once. */
  #lose(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#writer.lose(cause);
    this.#port.close().then(
      () => this.#settleLost(cause),
      () => this.#settleLost(cause),
    );
  }
}

const gone = (cause: unknown): Error =>
  new Error("the serial port is gone: plug the adapter in again", { cause });

/** A frame fits the system's buffer nearly always; what does not is left to the library, which waits for room. */
async function sendTo(port: OpenedPort, bytes: Buffer): Promise<void> {
  const { fd } = port;
  if (fd === null) throw new Error("the port is closed");
  let sent = 0;
  try {
    sent = writeSync(fd, bytes);
  } catch (error) {
    if (!isTryAgain(error)) throw error;
  }
  if (sent < bytes.length) await port.write(bytes.subarray(sent));
}

function isTryAgain(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EINTR");
}
