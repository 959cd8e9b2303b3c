import type { SegmentCabinet } from "./cabinet/segment-cabinet.ts";
import type { CABINET_UNITS } from "./city/cabinet-config.ts";
import type { SimulatorClock } from "./clock.ts";
import type { DaliBridge } from "./dali/dali-bridge.ts";
import type { Journal } from "./journal.ts";
import type { ModbusTcpServer } from "./modbus/modbus-tcp-server.ts";
import type { SimulatedDevice } from "./simulated-device.ts";

export interface RunningBridge {
  readonly id: string;
  /** Modbus unit id it answers to. */
  readonly unit: number;
  readonly bridge: DaliBridge;
  /** Its socket; `server.faults` are the faults between it and the world. */
  readonly server: ModbusTcpServer;
}

/** A cabinet whose bridge, controller and meter share one socket. */
export interface RunningCabinet {
  readonly id: string;
  readonly units: typeof CABINET_UNITS;
  readonly bridge: DaliBridge;
  readonly controller: SegmentCabinet;
  readonly server: ModbusTcpServer;
}

/** A device of a kind that `device-kinds.ts` lists. */
export interface RunningDevice {
  readonly id: string;
  readonly kind: string;
  readonly device: SimulatedDevice;
}

/** What the control API acts on. */
export interface SimulatedWorld {
  /** Those in cabinets too. */
  readonly bridges: readonly RunningBridge[];
  readonly cabinets: readonly RunningCabinet[];
  readonly devices: readonly RunningDevice[];
  readonly journal: Journal;
  readonly clock: SimulatorClock;
}
