import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** What becomes of an answer; `dropped` lasts until it is taken back, the others befall the next one only. */
export type Fate = "sent" | "dropped" | "broken" | { readonly lateMs: number };

/** One connection, as the unit behind it sees it. */
export interface PeerLink {
  readonly socket: Socket;
  /** `fate`: absent, the peer's own. */
  answer(bytes: Buffer, fate?: Fate): void;
}

/** A unit behind a serial device server, whose answers can be held back. */
export class HeldPeer implements AsyncDisposable {
  fate: Fate = "sent";
  readonly sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #broken: (bytes: Buffer) => Buffer;

  private constructor(server: Server, broken: (bytes: Buffer) => Buffer) {
    this.#server = server;
    this.#broken = broken;
  }

  /** @param serve called for each connection; what it returns takes the bytes that come. */
  static async open(
    serve: (link: PeerLink) => (bytes: Buffer) => void,
    broken: (bytes: Buffer) => Buffer,
  ): Promise<HeldPeer> {
    const server = createServer({ noDelay: true });
    const peer = new HeldPeer(server, broken);
    server.on("connection", (socket) => {
      peer.sockets.add(socket);
      socket.once("close", () => peer.sockets.delete(socket));
      socket.on("error", () => {});
      const answer = (bytes: Buffer, fate = peer.#takeFate()): void => peer.#deliver(socket, bytes, fate);
      socket.on("data", serve({ socket, answer }));
    });
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return peer;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** What the conformance suite does to it. */
  get trouble() {
    const setFate = (fate: Fate): void => {
      this.fate = fate;
    };
    return {
      fallSilent: () => setFate("dropped"),
      speak: () => setFate("sent"),
      answerNextLate: (lateMs: number) => setFate({ lateMs }),
      answerNextMalformed: () => setFate("broken"),
      cut: () => this.#cut(),
      openLines: () => this.sockets.size,
      [Symbol.asyncDispose]: () => this[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  #takeFate(): Fate {
    const { fate } = this;
    if (fate !== "dropped") this.fate = "sent";
    return fate;
  }

  #deliver(socket: Socket, bytes: Buffer, fate: Fate): void {
    if (fate === "dropped") return;
    if (typeof fate === "object") setTimeout(() => socket.write(bytes), fate.lateMs);
    else socket.write(fate === "broken" ? this.#broken(bytes) : bytes);
  }
}
