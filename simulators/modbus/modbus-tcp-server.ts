import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { SimulatorClock } from "../clock.ts";
import { FaultPlan } from "./fault-plan.ts";
import { ModbusConnection } from "./modbus-connection.ts";
import type { RegisterBank } from "./register-bank.ts";

export interface ModbusTcpServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Unit id (0..255) to what stands behind it. A unit that is not here answers exception 11. */
  readonly units: ReadonlyMap<number, RegisterBank>;
  readonly clock: SimulatorClock;
  /** Connections at a time; one more is closed as soon as it is accepted. Default 1,000. */
  readonly maxConnections?: number;
}

/** Opens the socket. @throws the system's error (`EADDRINUSE`, `EACCES`, …) when it can not be bound. */
export async function openModbusTcpServer(options: ModbusTcpServerOptions): Promise<ModbusTcpServer> {
  const listener = createServer();
  listener.maxConnections = options.maxConnections ?? 1_000;
  const server = new ModbusTcpServer(listener, options);
  listener.on("connection", (socket) => server.accept(socket));
  listener.listen({ host: options.host, port: options.port });
  await once(listener, "listening");
  return server;
}

/**
 * A Modbus TCP server for simulated devices: functions 1-6, 15 and 16 of Modbus Application Protocol V1.1b3.
 * Pipelined requests are answered in order; a frame that breaks the framing closes its connection only.
 */
export class ModbusTcpServer implements AsyncDisposable {
  /** Faults of this server, and of single units by their `unit`. */
  readonly faults: FaultPlan;
  readonly #listener: Server;
  readonly #options: ModbusTcpServerOptions;
  readonly #connections = new Set<ModbusConnection>();
  #accepted = 0;
  #requests = 0;

  constructor(listener: Server, options: ModbusTcpServerOptions) {
    this.#listener = listener;
    this.#options = options;
    this.faults = new FaultPlan(options.clock);
  }

  /** Where it listens. */
  get address(): { readonly host: string; readonly port: number } {
    const bound = this.#listener.address();
    if (bound === null || typeof bound === "string") throw new Error("the Modbus server is closed");
    return { host: bound.address, port: bound.port };
  }

  get connectionCount(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length;
  }

  /** Whole frames received since the start, answered or not. */
  get requestCount(): number {
    return this.#requests;
  }

  accept(socket: Socket): void {
    this.#accepted += 1;
    const { units, clock } = this.#options;
    const requestServed = (): void => {
      this.#requests += 1;
    };
    const ended = (): void => {
      this.#connections.delete(connection);
    };
    const context = { number: this.#accepted, units, clock, faults: this.faults, requestServed, ended };
    const connection = new ModbusConnection(socket, context);
    this.#connections.add(connection);
    connection.attach();
  }

  /** Closes every connection and goes on listening: a cable pulled and put back. */
  dropConnections(): void {
    for (const connection of this.#connections) connection.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#listener.listening) return;
    const closed = once(this.#listener, "close");
    this.#listener.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}
