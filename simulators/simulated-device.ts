import type { SimulatorClock } from "./clock.ts";
import type { Fields } from "./input-fields.ts";
import type { Journal } from "./journal.ts";
import type { FaultPlan } from "./modbus/fault-plan.ts";

/**
 * A kind of device that can be simulated. One folder each, and one line in `device-kinds.ts`: configuration, ready
 * line, control API and help derive from it.
 */
export interface DeviceKind {
  /** For `--help`: what it is and what its configuration may say. */
  readonly about: string;
  /**
   * Reads its own members of a `devices` entry, `id` and `kind` apart; the caller refuses what nobody read.
   * Nothing is opened before what is returned is called. @throws {InvalidField}
   */
  parse(fields: Fields): OpenDevice;
}

/** Opens socket or line. @throws the system's error when that can not be had. */
export type OpenDevice = (around: DeviceSurroundings) => Promise<SimulatedDevice>;

export interface DeviceSurroundings {
  /** A slug; also the device in the journal. */
  readonly id: string;
  /** This device's own: the same for one id in one seeded world, whatever stands beside it. */
  readonly seed: number;
  readonly journal: Journal;
  readonly clock: SimulatorClock;
}

/** What can be done to a device and seen of it over the control API, whatever it speaks. */
export interface ControlledDevice {
  /** All that a hand, the weather or wear can do to it. */
  readonly actions: readonly DeviceAction[];
  /** The whole truth about it, for tests; plain JSON. */
  view(): object;
}

/** A device with its socket or line open. */
export interface SimulatedDevice extends ControlledDevice, AsyncDisposable {
  /** Where a gateway finds it, e.g. `{ host, port, unit }` or `{ path, baud }`: told in the ready line. */
  readonly reach: object;
  /** Faults between it and the world, where its transport has them. */
  readonly faults?: FaultPlan;
}

export interface DeviceAction {
  /** Lower-case words joined by hyphens. */
  readonly name: string;
  readonly about: string;
  /** The members that it takes beside `action`, each with what it may be. */
  readonly takes?: Readonly<Record<string, string>>;
  /** Reads them; only what is returned does anything, and journals it with cause `control`. @throws {InvalidField} */
  prepare(fields: Fields): () => void | Promise<void>;
}
