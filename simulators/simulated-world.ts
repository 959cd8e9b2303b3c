import type { SimulatorClock } from "./clock.ts";
import type { DaliBridge } from "./dali/dali-bridge.ts";
import type { Journal } from "./journal.ts";
import type { ModbusTcpServer } from "./modbus/modbus-tcp-server.ts";

export interface RunningBridge {
  readonly id: string;
  /** Modbus unit id it answers to. */
  readonly unit: number;
  readonly bridge: DaliBridge;
  /** Its socket; `server.faults` are the faults between it and the world. */
  readonly server: ModbusTcpServer;
}

/** What the control API acts on. */
export interface SimulatedWorld {
  readonly bridges: readonly RunningBridge[];
  readonly journal: Journal;
  readonly clock: SimulatorClock;
}
