import { SignalProgram } from "./signal-program.ts";

/** RSMP SXL 1.2.1 S0020, in the order of our enumeration. */
export const CONTROL_MODES = ["startup", "control", "standby", "failure", "test"] as const;
export type ControlMode = (typeof CONTROL_MODES)[number];
/** S0007, S0011, S0012. */
export const POSITIONS = ["normal", "yellow-flash", "dark", "all-red"] as const;
export type FunctionalPosition = (typeof POSITIONS)[number];
export const SOURCES = [
  "operator-panel",
  "calendar-clock",
  "control-block",
  "forced",
  "startup",
  "other",
] as const;
export type Source = (typeof SOURCES)[number];
/** S0013: 0 off, 1 dark, 2 yellow flash, 3 all red. */
export const POLICE_KEY_POSITIONS: readonly (FunctionalPosition | undefined)[] = [
  undefined,
  "dark",
  "yellow-flash",
  "all-red",
];
export const ALARMS = [
  "A0001",
  "A0003",
  "A0005",
  "A0006",
  "A0007",
  "A0008",
  "A0201",
  "A0202",
  "A0301",
  "A0302",
] as const;
export type Alarm = (typeof ALARMS)[number];
export const DETECTORS = 8;
export const ROUTES_MAX = 16;

/** One priority request: S0033. */
export interface PriorityRequest {
  readonly group: number;
  readonly level: number;
  readonly vehicleClass: number;
  etaSec: number;
  state: "received" | "activated" | "completed";
}

/** All that a controller knows; plain data, so that it outlives a restart of its server. */
export interface TrafficCabinetState {
  controlMode: ControlMode;
  /** What a remote order asks, and until when it may (0: until it is taken back); `undefined`: nothing. */
  ordered: { position: FunctionalPosition; untilMs: number } | undefined;
  panel: FunctionalPosition | undefined;
  policeKey: number;
  forcedPlan: number | undefined;
  offsetSec: number;
  /** In the order of their activation: the first has the signals, the others wait. */
  routes: { readonly id: number; readonly untilMs: number }[];
  priorities: PriorityRequest[];
  readonly alarms: Set<Alarm>;
  readonly forcedDetectors: Map<number, boolean>;
  readonly counts: number[];
  doorOpen: boolean;
  mainsPresent: boolean;
  batteryMin: number;
  temperatureSensor: "well" | "frozen" | "broken";
  readonly program: SignalProgram;
  startedMs: number;
}

export function newCabinetState(nowMs: number): TrafficCabinetState {
  return {
    controlMode: "startup",
    ordered: undefined,
    panel: undefined,
    policeKey: 0,
    forcedPlan: undefined,
    offsetSec: 0,
    routes: [],
    priorities: [],
    alarms: new Set(),
    forcedDetectors: new Map(),
    counts: Array.from({ length: DETECTORS }, () => 0),
    doorOpen: false,
    mainsPresent: true,
    batteryMin: 240,
    temperatureSensor: "well",
    program: new SignalProgram(),
    startedMs: nowMs,
  };
}

/** What the signals do, and who wanted it: key, failure, panel, order, in this order. */
export function positionOf(state: TrafficCabinetState): {
  readonly position: FunctionalPosition;
  readonly source: Source;
} {
  const key = POLICE_KEY_POSITIONS[state.policeKey];
  if (key !== undefined) return { position: key, source: "operator-panel" };
  if (state.controlMode === "failure") return { position: "yellow-flash", source: "other" };
  if (state.panel !== undefined) return { position: state.panel, source: "operator-panel" };
  if (state.ordered !== undefined) return { position: state.ordered.position, source: "forced" };
  return { position: "normal", source: state.controlMode === "startup" ? "startup" : "calendar-clock" };
}

/** Somebody at the cabinet has it. */
export function isLocal(state: TrafficCabinetState): boolean {
  return state.policeKey !== 0 || state.panel !== undefined;
}

/** One character a group: c flashing yellow, a dark. */
export function groupStatus(state: TrafficCabinetState): string {
  const { position } = positionOf(state);
  const running = state.program.groups();
  switch (position) {
    case "normal":
      return running;
    case "yellow-flash":
      return "c".repeat(running.length);
    case "dark":
      return "a".repeat(running.length);
    case "all-red":
      return "A".repeat(running.length);
  }
}
