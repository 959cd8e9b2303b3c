import { DataType, type StatusCode, StatusCodes } from "node-opcua";
import {
  ALARMS,
  CONTROL_MODES,
  DETECTORS,
  groupStatus,
  isLocal,
  POSITIONS,
  positionOf,
  SOURCES,
} from "./cabinet-state.ts";
import { PLANS } from "./signal-program.ts";
import type { TrafficCabinet } from "./traffic-cabinet.ts";

export type Scalar = number | string | boolean;
export interface Shown {
  readonly value: Scalar | readonly Scalar[];
  readonly status?: StatusCode;
}

/** One variable: its name, RSMP id, type, and what it shows. */
export interface NodeRow {
  readonly name: string;
  readonly rsmp: string;
  readonly type: DataType;
  readonly show: (cabinet: TrafficCabinet) => Shown;
}

const usual =
  (show: (cabinet: TrafficCabinet) => Scalar | readonly Scalar[]) =>
  (cabinet: TrafficCabinet): Shown => ({ value: show(cabinet) });
/** What a hand at the cabinet sets is true, and not our doing. */
const overridable =
  (show: (cabinet: TrafficCabinet) => Scalar) =>
  (cabinet: TrafficCabinet): Shown => ({
    value: show(cabinet),
    ...(isLocal(cabinet.state) && { status: StatusCodes.GoodLocalOverride }),
  });

export const NODES: readonly NodeRow[] = [
  { name: "ModelRevision", rsmp: "", type: DataType.String, show: usual(() => "1") },
  {
    name: "RequestedPlan",
    rsmp: "M0002",
    type: DataType.Byte,
    show: usual(({ state }) => state.forcedPlan ?? 0),
  },
  {
    name: "ControlMode",
    rsmp: "S0020",
    type: DataType.Int32,
    show: usual(({ state }) => CONTROL_MODES.indexOf(state.controlMode)),
  },
  {
    name: "FunctionalPosition",
    rsmp: "S0007",
    type: DataType.Int32,
    show: overridable(({ state }) => POSITIONS.indexOf(positionOf(state).position)),
  },
  {
    name: "FunctionalPositionSource",
    rsmp: "S0007",
    type: DataType.Int32,
    show: usual(({ state }) => SOURCES.indexOf(positionOf(state).source)),
  },
  { name: "PoliceKey", rsmp: "S0013", type: DataType.Byte, show: usual(({ state }) => state.policeKey) },
  {
    name: "SignalGroupStatus",
    rsmp: "S0001",
    type: DataType.String,
    show: usual(({ state }) => groupStatus(state)),
  },
  {
    name: "CycleCounter",
    rsmp: "S0001",
    type: DataType.UInt16,
    show: usual(({ state }) => state.program.counter),
  },
  {
    name: "BaseCycleCounter",
    rsmp: "S0001",
    type: DataType.UInt16,
    show: usual((cabinet) => Math.floor(cabinet.timeMs / 1_000) % cabinet.state.program.cycleSec),
  },
  { name: "Stage", rsmp: "S0001", type: DataType.Byte, show: usual(({ state }) => state.program.stage) },
  { name: "ActivePlan", rsmp: "S0014", type: DataType.Byte, show: usual(({ state }) => state.program.plan) },
  {
    name: "PlanSource",
    rsmp: "S0014",
    type: DataType.Int32,
    show: usual(({ state }) => SOURCES.indexOf(state.forcedPlan === undefined ? "calendar-clock" : "forced")),
  },
  { name: "PlanList", rsmp: "S0022", type: DataType.Byte, show: usual(() => PLANS.map(({ plan }) => plan)) },
  {
    name: "CycleTime",
    rsmp: "S0028",
    type: DataType.UInt16,
    show: usual(({ state }) => state.program.cycleSec),
  },
  { name: "Offset", rsmp: "S0024", type: DataType.UInt16, show: usual(({ state }) => state.offsetSec) },
  { name: "DetectorStatus", rsmp: "S0002", type: DataType.UInt32, show: usual(detectorBits) },
  {
    name: "DetectorCounts",
    rsmp: "S0201",
    type: DataType.UInt32,
    show: usual(({ state }) => [...state.counts]),
  },
  {
    name: "DetectorOccupancy",
    rsmp: "S0203",
    type: DataType.Int16,
    show: usual(({ state }) =>
      state.counts.map((count, at) => (state.alarms.has("A0301") && at === 0 ? -1 : count % 100)),
    ),
  },
  {
    name: "DetectorSpeed",
    rsmp: "S0202",
    type: DataType.Int16,
    show: usual(({ state }) =>
      state.counts.map((count, at) => (state.alarms.has("A0301") && at === 0 ? -1 : 30 + (count % 20))),
    ),
  },
  {
    name: "EmergencyRoutes",
    rsmp: "S0035",
    type: DataType.Byte,
    show: usual(({ state }) => state.routes.map(({ id }) => id)),
  },
  {
    name: "ActiveEmergencyRoute",
    rsmp: "S0035",
    type: DataType.Byte,
    show: usual(({ state }) => state.routes[0]?.id ?? 0),
  },
  {
    name: "PriorityRequests",
    rsmp: "S0033",
    type: DataType.String,
    show: usual(({ state }) =>
      state.priorities.map(({ group, level, state: phase }) => `${group}/${level}/${phase}`),
    ),
  },
  { name: "DoorOpen", rsmp: "A0010", type: DataType.Boolean, show: usual(({ state }) => state.doorOpen) },
  {
    name: "MainsVoltage",
    rsmp: "",
    type: DataType.Float,
    show: usual(({ state }) => (state.mainsPresent ? 230 : 0)),
  },
  { name: "UpsOnBattery", rsmp: "", type: DataType.Boolean, show: usual(({ state }) => !state.mainsPresent) },
  { name: "UpsRuntimeMin", rsmp: "", type: DataType.UInt16, show: usual(({ state }) => state.batteryMin) },
  { name: "CabinetTemp", rsmp: "", type: DataType.Float, show: temperature },
  { name: "ControllerTime", rsmp: "S0096", type: DataType.Int64, show: usual((cabinet) => cabinet.timeMs) },
  ...ALARMS.map(
    (alarm): NodeRow => ({
      name: alarm,
      rsmp: alarm,
      type: DataType.Boolean,
      show: usual(({ state }) => state.alarms.has(alarm)),
    }),
  ),
];

/** Methods with their arguments: RSMP M0001, M0002, M0005, M0022, M0008, M0015, M0104. */
export const METHODS: readonly {
  readonly name: string;
  readonly rsmp: string;
  readonly takes: Readonly<Record<string, DataType>>;
}[] = [
  {
    name: "SetFunctionalPosition",
    rsmp: "M0001",
    takes: { position: DataType.Int32, timeoutMin: DataType.UInt16, intersection: DataType.Byte },
  },
  { name: "SetPlan", rsmp: "M0002", takes: { status: DataType.Boolean, plan: DataType.Byte } },
  { name: "SetEmergencyRoute", rsmp: "M0005", takes: { on: DataType.Boolean, route: DataType.Byte } },
  {
    name: "RequestPriority",
    rsmp: "M0022",
    takes: {
      group: DataType.Byte,
      level: DataType.Byte,
      vehicleClass: DataType.Byte,
      etaSec: DataType.UInt16,
    },
  },
  {
    name: "ForceDetector",
    rsmp: "M0008",
    takes: { detector: DataType.Byte, forced: DataType.Boolean, occupied: DataType.Boolean },
  },
  { name: "SetOffset", rsmp: "M0015", takes: { offset: DataType.UInt16 } },
  { name: "SetClock", rsmp: "M0104", takes: { time: DataType.Int64 } },
];

/** Bit n is detector n + 1. */
function detectorBits({ state }: TrafficCabinet): number {
  return Array.from({ length: DETECTORS }, (_, at) => {
    const occupied = state.forcedDetectors.get(at + 1) ?? (state.counts[at] ?? 0) % 2 === 1;
    return occupied ? 2 ** at : 0;
  }).reduce((sum, bit) => sum + bit, 0);
}

/** Warmer inside than out, and warmer yet with the door shut; a frozen sensor says so, a broken one says nothing. */
function temperature({ state }: TrafficCabinet): Shown {
  const value = state.doorOpen ? 15 : 21.5;
  if (state.temperatureSensor === "well") return { value };
  const status =
    state.temperatureSensor === "frozen"
      ? StatusCodes.UncertainLastUsableValue
      : StatusCodes.BadSensorFailure;
  return { value, status };
}
