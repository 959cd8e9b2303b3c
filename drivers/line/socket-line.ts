import { connect, type Socket } from "node:net";
import { DeviceFault } from "../../domain/errors.ts";
import type { Millis } from "../../domain/time.ts";
import type { ByteLine, LineContext } from "./byte-line.ts";
import { characterTime, formatText } from "./character-format.ts";
import type { TcpLineConfig } from "./line-config.ts";
import { LineWriter } from "./line-writer.ts";

/** A silent peer (cable pulled, server rebooted) is found by TCP after this idle time. */
const KEEP_ALIVE_MS = 10_000;

/** @throws {DeviceFault} `connection-lost`, or the signal's reason. */
export async function openSocketLine(
  config: TcpLineConfig,
  context: LineContext,
  signal: AbortSignal,
): Promise<ByteLine> {
  signal.throwIfAborted();
  const label = `${config.host}:${config.port} at ${formatText(config)}`;
  const socket = connect({
    host: config.host,
    port: config.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  try {
    await connected(socket, config, { clock: context.clock, signal });
  } catch (cause) {
    socket.destroy();
    if (signal.aborted) throw signal.reason;
    throw new DeviceFault("connection-lost", `open ${label}`, { cause });
  }
  return new SocketLine(socket, { label, characterTime: characterTime(config) }, context);
}

async function connected(
  socket: Socket,
  { connectTimeout }: TcpLineConfig,
  { clock, signal }: Pick<LineContext, "clock"> & { readonly signal: AbortSignal },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancelTimer = clock.schedule(connectTimeout, () => {
    reject(
      new Error(`no connection within ${connectTimeout} ms: check host, port and the cable of the server`),
    );
  });
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  // Stays: an error without a listener would end the process.
  socket.on("error", reject);
  socket.once("connect", resolve);
  try {
    await promise;
  } finally {
    cancelTimer();
    signal.removeEventListener("abort", onAbort);
  }
}

class SocketLine implements ByteLine {
  readonly label: string;
  readonly characterTime: Millis;
  readonly lost: Promise<unknown>;
  readonly #socket: Socket;
  readonly #writer: LineWriter;
  #listener: ((bytes: Uint8Array) => void) | undefined;
  #cause: unknown;

  constructor(
    socket: Socket,
    names: { readonly label: string; readonly characterTime: Millis },
    { clock }: LineContext,
  ) {
    this.label = names.label;
    this.characterTime = names.characterTime;
    this.#socket = socket;
    this.#writer = new LineWriter({ ...names, clock, send: (bytes) => sendTo(socket, bytes) });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.lost = promise;
    socket.on("data", (bytes: Buffer) => this.#listener?.(bytes));
    socket.on("error", (error) => this.#lose(error));
    socket.once("end", () => this.#lose(new Error("the serial device server closed the connection")));
    socket.once("close", () => {
      this.#lose(new Error("the connection closed"));
      resolve(this.#cause);
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

  /** Waits one turn of the loop: what the system holds is told, and dropped where nobody listens. */
  async discard(): Promise<void> {
    const kept = this.#listener;
    this.#listener = undefined;
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#listener ??= kept;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose(new Error("the line was closed by the gateway"));
    await this.lost;
  }

  #lose(cause: unknown): void {
    this.#cause ??= cause;
    this.#writer.lose(this.#cause);
    // The socket's own close event, which is certain and soon, settles `lost`.
    this.#socket.destroy();
  }
}

function sendTo(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
