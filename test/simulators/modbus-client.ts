import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Bytes written as hexadecimal, spaces allowed. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** A Modbus TCP frame around a PDU, made by hand and not by the code under test. */
export function frame(pdu: Buffer | string, header: { transaction?: number; unit?: number } = {}): Buffer {
  const body = typeof pdu === "string" ? hex(pdu) : pdu;
  const bytes = Buffer.alloc(7 + body.length);
  bytes.writeUInt16BE(header.transaction ?? 1, 0);
  bytes.writeUInt16BE(body.length + 1, 4);
  bytes.writeUInt8(header.unit ?? 1, 6);
  body.copy(bytes, 7);
  return bytes;
}

/** A bare socket that keeps what came, and why it ended. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended: string | undefined;
  #transaction = 0;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.ended = error.code ?? error.message;
    });
    socket.on("close", () => {
      this.ended ??= "closed";
      this.#wake();
    });
  }

  static async open(address: { host: string; port: number }): Promise<RawClient> {
    const socket = connect(address);
    await once(socket, "connect");
    socket.setNoDelay(true);
    return new RawClient(socket);
  }

  /** Takes `count` bytes off what came. Fewer, once the connection has ended or nothing came for 2 s. */
  async take(count: number, patienceMs = 2_000): Promise<Buffer> {
    while (this.received.length < count && this.ended === undefined) {
      const waiting = Promise.withResolvers<"woken">();
      this.#wake = () => waiting.resolve("woken");
      const patience = new AbortController();
      const late = pause(patienceMs, "late" as const, { signal: patience.signal }).catch(
        () => "woken" as const,
      );
      const outcome = await Promise.race([waiting.promise, late]);
      patience.abort();
      if (outcome === "late") break;
    }
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(taken.length);
    return taken;
  }

  /** One whole answer frame, header included. */
  async takeFrame(patienceMs = 2_000): Promise<Buffer> {
    const header = await this.take(6, patienceMs);
    if (header.length < 6) return header;
    return Buffer.concat([header, await this.take(header.readUInt16BE(4), patienceMs)]);
  }

  /** Sends one PDU and returns the PDU of the answer. */
  async ask(pdu: Buffer | string, unit = 1): Promise<Buffer> {
    this.#transaction = (this.#transaction + 1) & 0xffff;
    this.socket.write(frame(pdu, { transaction: this.#transaction, unit }));
    return (await this.takeFrame()).subarray(7);
  }

  async read(address: number, count = 1, functionCode = 3): Promise<number[]> {
    const pdu = Buffer.alloc(5);
    pdu.writeUInt8(functionCode);
    pdu.writeUInt16BE(address, 1);
    pdu.writeUInt16BE(count, 3);
    const answer = await this.ask(pdu);
    if (answer.readUInt8(0) !== functionCode) throw new Error(`exception ${answer.toString("hex")}`);
    return Array.from({ length: count }, (_, at) => answer.readUInt16BE(2 + 2 * at));
  }

  /** The answer's hexadecimal digits: an echo, or an exception. */
  async write(address: number, value: number): Promise<string> {
    const pdu = Buffer.alloc(5);
    pdu.writeUInt8(6);
    pdu.writeUInt16BE(address, 1);
    pdu.writeUInt16BE(value, 3);
    return (await this.ask(pdu)).toString("hex");
  }

  async closed(): Promise<string> {
    while (!this.socket.closed) await new Promise((resolve) => setImmediate(resolve));
    return this.ended ?? "closed";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }
}
