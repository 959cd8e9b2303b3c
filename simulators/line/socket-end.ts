import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Endpoint } from "../endpoint.ts";
import type { LineEnd } from "./line-end.ts";

/**
 * A serial device server in raw TCP mode. Such servers serve one client; who comes later takes the line over.
 * @throws the system's error when it can not be bound.
 */
export async function openSocketEnd(listen: Endpoint): Promise<LineEnd> {
  const server = createServer({ noDelay: true });
  const end = new SocketEnd(server);
  server.listen(listen);
  await once(server, "listening");
  return end;
}

class SocketEnd implements LineEnd {
  readonly #server: Server;
  #socket: Socket | undefined;
  #isPlugged = true;
  #listener: (bytes: Buffer) => void = () => {};

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#accept(socket));
  }

  get reach(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  get clients(): number {
    return this.#socket === undefined ? 0 : 1;
  }

  write(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#listener = listener;
  }

  async unplug(): Promise<void> {
    this.#isPlugged = false;
    this.#socket?.destroy();
  }

  async plug(): Promise<void> {
    this.#isPlugged = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    socket.on("error", () => {});
    if (!this.#isPlugged) {
      socket.destroy();
      return;
    }
    this.#socket?.destroy();
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#listener(bytes));
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
  }
}
