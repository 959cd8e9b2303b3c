import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";

/** A wire between client and server that holds back, spoils or cuts what the server answers. Bytes keep their order. */
export class AnswersProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  #held: (() => void)[] | undefined;
  #lateMs: number | undefined;
  #spoil: ((bytes: Buffer) => Buffer) | undefined;

  constructor(server: Server, targetPort: number) {
    this.#server = server;
    server.on("connection", (client) => this.#join(client, targetPort));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get openLines(): number {
    return this.#pairs.size;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of held) send();
  }

  delayNext(delayMs: number): void {
    this.#lateMs = delayMs;
  }

  /** Every byte, or only every 8th from the one given. */
  spoilNext(from?: number): void {
    const isHit = (at: number): boolean => from === undefined || at % 8 === from;
    this.#spoil = (bytes) => Buffer.from(bytes.map((byte, at) => (isHit(at) ? byte ^ 0x5a : byte)));
  }

  cut(): void {
    this.#held = undefined;
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #join(client: Socket, targetPort: number): void {
    const server = createConnection({ host: "127.0.0.1", port: targetPort });
    const pair = { client, server };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("close", end).on("error", end).setNoDelay(true);
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => this.#answer(client, bytes));
  }

  #answer(client: Socket, bytes: Buffer): void {
    const sent = this.#spoil?.(bytes) ?? bytes;
    this.#spoil = undefined;
    const send = (): void => {
      if (!client.destroyed) client.write(sent);
    };
    if (this.#lateMs !== undefined) {
      this.hold();
      setTimeout(() => this.release(), this.#lateMs);
      this.#lateMs = undefined;
    }
    if (this.#held === undefined) send();
    else this.#held.push(send);
  }
}

export async function openProxy(targetPort: number): Promise<AnswersProxy> {
  const server = createServer();
  const proxy = new AnswersProxy(server, targetPort);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return proxy;
}
