import type { EventEmitter } from "node:events";
import type { BusHealth } from "../../domain/line/line-health.ts";
import type { PendingRequest } from "./pending-requests.ts";

/**
 * A line that modbus-serial takes for one of its ports, and that keeps our promises: every request written on it is
 * settled once, by its answer, its time-out, its signal or the loss of the line. One implementation a transport.
 */
export interface ModbusPort extends EventEmitter {
  readonly isOpen: boolean;
  open(callback: (error?: unknown) => void): void;
  close(callback?: () => void): void;
  /** Puts everything away at once; requests that wait are rejected, `lost` settles. Harmless when repeated. */
  destroy(): void;
  /** Called by modbus-serial with unit, PDU and CRC. */
  write(adu: Buffer): void;
  /** The request that the next {@link write} carries. @throws {DeviceFault} when it can not be sent. */
  prepare(request: PendingRequest): void;
  /** Takes back what was prepared and never written. */
  withdraw(request: PendingRequest): void;
  /** Settles once the line is gone, with what took it; never rejects. */
  readonly lost: Promise<unknown>;
  /** Serial lines only: TCP brings whole frames or none. */
  health?(): BusHealth;
}
