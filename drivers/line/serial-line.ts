import { SerialPort } from "serialport";
import { DeviceFault } from "../../domain/errors.ts";
import type { Millis } from "../../domain/time.ts";
import type { ByteLine, LineContext } from "./byte-line.ts";
import { characterTime, formatText } from "./character-format.ts";
import { lowerLatency } from "./latency-timer.ts";
import type { SerialLineConfig } from "./line-config.ts";
import { LineWriter } from "./line-writer.ts";
import { checkPort, explainOpenFailure } from "./port-check.ts";

/** More than the longest frame of any protocol here; the library makes a new pool whenever one is used up. */
const RECEIVE_BYTES = 16_384;

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
  const line = new SerialLine(
    port,
    new LineWriter({
      label,
      characterTime: characterTime(config),
      clock,
      send: (bytes) => sendTo(port, bytes),
    }),
    { label, characterTime: characterTime(config) },
  );
  if (!signal.aborted) return line;
  await line[Symbol.asyncDispose]();
  throw signal.reason;
}

async function openPort(config: SerialLineConfig, label: string, signal: AbortSignal): Promise<SerialPort> {
  const { path, baud, dataBits, parity, stopBits } = config;
  const refusal = await checkPort(path);
  if (refusal !== undefined) throw new DeviceFault("connection-lost", label, { cause: new Error(refusal) });
  signal.throwIfAborted();
  const format = { baudRate: baud, dataBits, parity, stopBits };
  const port = new SerialPort({ path, ...format, lock: true, autoOpen: false, highWaterMark: RECEIVE_BYTES });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  port.open((error) => (error === null ? resolve() : reject(error)));
  try {
    await promise;
  } catch (error) {
    const cause = new Error(await explainOpenFailure(path, error), { cause: error });
    throw new DeviceFault("connection-lost", label, { cause });
  }
  return port;
}

class SerialLine implements ByteLine {
  readonly label: string;
  readonly characterTime: Millis;
  readonly lost: Promise<unknown>;
  readonly #port: SerialPort;
  readonly #writer: LineWriter;
  readonly #settleLost: (what: unknown) => void;
  #listener: ((bytes: Uint8Array) => void) | undefined;
  #isOver = false;

  constructor(
    port: SerialPort,
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
    port.on("data", (bytes: Buffer) => this.#listener?.(bytes));
    port.on("error", (error: Error) => this.#lose(error));
    // Unplugged, the library tells by `close` with an error that says "bad file descriptor", and by no `error`.
    port.on("close", (error: Error | null) => {
      this.#lose(new Error("the serial port is gone: plug the adapter in again", { cause: error }));
    });
  }

  write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#writer.write(bytes, signal);
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  async discard(): Promise<void> {
    if (this.#isOver || !this.#port.isOpen) return;
    // A port that can not be flushed is about to be lost, which is told by `close`.
    await new Promise<void>((resolve) => this.#port.flush(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) await this.discard();
    this.#lose(new Error("the line was closed by the gateway"));
    await this.lost;
  }

  /** Settles `lost` when the device file is closed, so that whoever waited for it can open it again at once. */
  #lose(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#writer.lose(cause);
    if (!this.#port.isOpen) this.#settleLost(cause);
    else this.#port.close(() => this.#settleLost(cause));
  }
}

function sendTo(port: SerialPort, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    port.write(bytes, undefined, (error) =>
      error === null || error === undefined ? resolve() : reject(error),
    );
  });
}
