import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** A request as it came: MBAP header and PDU. */
export interface RawRequest {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Buffer;
  readonly socket: Socket;
}

/** Bytes written as hexadecimal, spaces allowed. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** A frame around a PDU, made by hand and not by the code under test; `length` may lie. */
export function frame(
  request: Pick<RawRequest, "transaction" | "unit">,
  pdu: Buffer | string,
  length?: number,
): Buffer {
  const body = typeof pdu === "string" ? hex(pdu) : pdu;
  const bytes = Buffer.alloc(7 + body.length);
  bytes.writeUInt16BE(request.transaction & 0xffff, 0);
  bytes.writeUInt16BE(length ?? body.length + 1, 4);
  bytes.writeUInt8(request.unit, 6);
  body.copy(bytes, 7);
  return bytes;
}

/** The right answer to functions 3 and 4: every register holds its own address. */
export function ownAddresses(request: RawRequest): Buffer {
  const first = request.pdu.readUInt16BE(1);
  const count = request.pdu.readUInt16BE(3);
  const pdu = Buffer.alloc(2 + 2 * count);
  pdu.set([request.pdu.readUInt8(0), 2 * count]);
  for (let index = 0; index < count; index += 1) pdu.writeUInt16BE((first + index) & 0xffff, 2 + 2 * index);
  return frame(request, pdu);
}

/** A peer that does with each request exactly what a test says: for misbehaviour that no simulator should have. */
export class RawPeer implements AsyncDisposable {
  readonly requests: RawRequest[] = [];
  /** Default: silent. */
  onRequest: (request: RawRequest) => void = () => {};
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  constructor(listener: Server) {
    this.#listener = listener;
    listener.on("connection", (socket) => this.#accept(socket));
  }

  /** @param openness `half-open`: our FIN is read by nobody, as by a unit that hangs. */
  static async open(openness: "usual" | "half-open" = "usual"): Promise<RawPeer> {
    const listener = createServer({ allowHalfOpen: openness === "half-open", noDelay: true });
    const peer = new RawPeer(listener);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return peer;
  }

  get port(): number {
    const bound = this.#listener.address();
    if (bound === null || typeof bound === "string") throw new Error("the peer is closed");
    return bound.port;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Waits until `count` requests came. */
  async received(count: number): Promise<readonly RawRequest[]> {
    while (this.requests.length < count) await once(this.#listener, "request");
    return this.requests;
  }

  sockets(): readonly Socket[] {
    return [...this.#sockets];
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 6 && held.length >= 6 + held.readUInt16BE(4)) {
        const size = 6 + held.readUInt16BE(4);
        const pdu = Buffer.from(held.subarray(7, size));
        const request = { transaction: held.readUInt16BE(0), unit: held.readUInt8(6), pdu, socket };
        held = held.subarray(size);
        this.requests.push(request);
        this.onRequest(request);
        this.#listener.emit("request");
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#listener.listening) return;
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }
}
