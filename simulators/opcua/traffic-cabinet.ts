import type { SimulatorClock } from "../clock.ts";
import type { DeviceJournal, PlainChange } from "../device-journal.ts";
import type { EffectCause } from "../journal.ts";
import {
  CONTROL_MODES,
  type FunctionalPosition,
  isLocal,
  newCabinetState,
  POSITIONS,
  positionOf,
  ROUTES_MAX,
  SOURCES,
  type TrafficCabinetState,
} from "./cabinet-state.ts";
import { GROUPS, PLANS } from "./signal-program.ts";

/** Why a method did not do it; the names are OPC UA status codes. */
export type MethodRefusal =
  | "BadOutOfRange"
  | "BadInvalidState"
  | "BadInvalidArgument"
  | "BadTooManyOperations";
export type MethodAnswer = "done" | MethodRefusal;
export type OrderValue = number | boolean | string;

/** RSMP M0001: minutes; 0 is until it is taken back. */
const TIMEOUT_MIN_MAX = 1_440;
/** The controller lets a route go by itself: a vehicle that has not come by then has gone another way. */
const ROUTE_MAX_MS = 15 * 60_000;
const STARTUP_MS = 3_000;
const PRIORITIES_MAX = 16;
const MINUTE_MS = 60_000;

/** A signal controller of our neutral model (docs/devices.md), with its own rules; tells nothing to nobody but its journal. */
export class TrafficCabinet {
  readonly id: string;
  readonly state: TrafficCabinetState;
  readonly #clock: SimulatorClock;
  readonly #journal: DeviceJournal;
  #timeOffsetMs = 0;

  constructor(
    id: string,
    { clock, journal }: { readonly clock: SimulatorClock; readonly journal: DeviceJournal },
  ) {
    this.id = id;
    this.#clock = clock;
    this.#journal = journal;
    this.state = newCabinetState(clock.monotonicMs());
  }

  /** The controller's own time of day, ms since 1970. */
  get timeMs(): number {
    return this.#clock.wallMs() + this.#timeOffsetMs;
  }

  /** One second of the controller's life. */
  step(): void {
    const { state } = this;
    const nowMs = this.#clock.monotonicMs();
    if (state.controlMode === "startup" && nowMs - state.startedMs >= STARTUP_MS) {
      this.change({ by: "device", rule: "startup" }, () => {
        state.controlMode = "control";
        state.program.restart();
      });
    }
    this.#revert(nowMs);
    if (positionOf(state).position === "normal" && state.controlMode !== "startup") {
      this.change({ by: "device", rule: "cycle-end" }, () => state.program.step());
    }
    for (const priority of state.priorities) {
      priority.etaSec -= 1;
      if (priority.etaSec <= 0) priority.state = priority.state === "activated" ? "completed" : "activated";
    }
    state.priorities = state.priorities.filter(({ etaSec }) => etaSec > -30);
  }

  /** A method call from the wire. */
  order(method: string, values: readonly OrderValue[]): MethodAnswer {
    const asked = { protocol: "opcua", what: method, values };
    const refusal = this.#refusal(method, values);
    if (refusal !== undefined) {
      this.#journal.ordered(asked, refusal);
      return refusal;
    }
    const before = effects(this.state);
    this.#obey(method, values);
    this.#journal.ordered(asked, "executed", differences(before, effects(this.state)));
    return "done";
  }

  /** Does something to the cabinet and journals what it changed. */
  change(cause: EffectCause, action: () => void): void {
    const before = effects(this.state);
    action();
    this.#journal.effect(cause, differences(before, effects(this.state)));
  }

  #revert(nowMs: number): void {
    const { state } = this;
    if (state.ordered !== undefined && state.ordered.untilMs !== 0 && nowMs >= state.ordered.untilMs) {
      this.change({ by: "device", rule: "timeout" }, () => this.#setPosition(undefined));
    }
    if (state.routes.some(({ untilMs }) => nowMs >= untilMs)) {
      this.change({ by: "device", rule: "route-timeout" }, () => {
        this.#setRoutes(state.routes.filter(({ untilMs }) => nowMs < untilMs));
      });
    }
  }

  /** Its own protections first, then what the arguments are. */
  #refusal(method: string, values: readonly OrderValue[]): MethodRefusal | undefined {
    const { controlMode } = this.state;
    const isModeOrder = ["SetFunctionalPosition", "SetPlan", "SetEmergencyRoute"].includes(method);
    if (isModeOrder && (controlMode === "failure" || controlMode === "startup" || controlMode === "test"))
      return "BadInvalidState";
    if (isModeOrder && isLocal(this.state)) return "BadInvalidState";
    return this.#isInRange(method, values) ? undefined : "BadOutOfRange";
  }

  #isInRange(method: string, [first, second, third]: readonly OrderValue[]): boolean {
    switch (method) {
      case "SetFunctionalPosition":
        return (
          within(first, 0, POSITIONS.length - 1) && within(second, 0, TIMEOUT_MIN_MAX) && within(third, 0, 1)
        );
      case "SetPlan":
        return first === false || PLANS.some(({ plan }) => plan === second);
      case "SetEmergencyRoute":
        return within(second, 1, ROUTES_MAX);
      case "RequestPriority":
        return (
          within(first, 1, GROUPS) && within(second, 0, 14) && this.state.priorities.length < PRIORITIES_MAX
        );
      case "ForceDetector":
        return within(first, 1, 8);
      case "SetOffset":
        return within(first, 0, this.state.program.cycleSec - 1);
      default:
        return true;
    }
  }

  #obey(method: string, values: readonly OrderValue[]): void {
    const { state } = this;
    const [first, second, third, fourth] = values;
    switch (method) {
      case "SetFunctionalPosition":
        this.#order(POSITIONS[Number(first)] ?? "normal", Number(second));
        return;
      case "SetPlan":
        state.forcedPlan = first === true ? Number(second) : undefined;
        state.program.choose(state.forcedPlan ?? 1);
        return;
      case "SetEmergencyRoute":
        this.#setRoute(Number(second), first === true ? "on" : "off");
        return;
      case "RequestPriority": {
        const [group, level, vehicleClass, etaSec] = [first, second, third, fourth].map(Number);
        state.priorities.push({
          group: group ?? 0,
          level: level ?? 0,
          vehicleClass: vehicleClass ?? 0,
          etaSec: etaSec ?? 0,
          state: "received",
        });
        return;
      }
      default:
        this.#maintain(method, values);
    }
  }

  #maintain(method: string, [first, second, third]: readonly OrderValue[]): void {
    const { state } = this;
    if (method === "SetOffset") state.offsetSec = Number(first);
    if (method === "SetClock") this.#timeOffsetMs = Number(first) - this.#clock.wallMs();
    if (method !== "ForceDetector") return;
    if (second === true) state.forcedDetectors.set(Number(first), third === true);
    else state.forcedDetectors.delete(Number(first));
  }

  /** 0 min: until it is taken back. */
  #order(position: FunctionalPosition, timeoutMin: number): void {
    const untilMs = timeoutMin === 0 ? 0 : this.#clock.monotonicMs() + timeoutMin * MINUTE_MS;
    this.#setPosition(position === "normal" ? undefined : { position, untilMs });
  }

  #setPosition(ordered: TrafficCabinetState["ordered"]): void {
    this.state.ordered = ordered;
    if (ordered === undefined) this.state.program.restart();
  }

  /** Asked again, a route keeps its place and has its time anew. */
  #setRoute(id: number, wanted: "on" | "off"): void {
    const route = { id, untilMs: this.#clock.monotonicMs() + ROUTE_MAX_MS };
    const { routes } = this.state;
    const renewed = routes.map((each) => (each.id === id ? route : each));
    if (wanted === "off") this.#setRoutes(routes.filter((each) => each.id !== id));
    else this.#setRoutes(routes.some((each) => each.id === id) ? renewed : [...routes, route]);
  }

  /** The first route has the signals: its stage is held. */
  #setRoutes(routes: TrafficCabinetState["routes"]): void {
    this.state.routes = routes;
    const [first] = routes;
    this.state.program.hold(first === undefined ? undefined : ((first.id - 1) % 2) + 1);
  }
}

function within(value: OrderValue | undefined, min: number, max: number): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

/** What anybody in the street or at the cabinet would notice, as numbers. The stages of a running program are its business. */
function effects(state: TrafficCabinetState): ReadonlyMap<string, number> {
  const { position, source } = positionOf(state);
  return new Map<string, number>([
    ["control-mode", CONTROL_MODES.indexOf(state.controlMode)],
    ["functional-position", POSITIONS.indexOf(position)],
    ["position-source", SOURCES.indexOf(source)],
    ["police-key", state.policeKey],
    ["plan", state.program.plan],
    ["offset", state.offsetSec],
    ["emergency-route", state.routes[0]?.id ?? 0],
    ["door", Number(state.doorOpen)],
    ["mains", Number(state.mainsPresent)],
    ["alarms", state.alarms.size],
    ["forced-detectors", state.forcedDetectors.size],
  ]);
}

function differences(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly PlainChange[] {
  return [...after].flatMap(([what, to]) => {
    const from = before.get(what) ?? to;
    return from === to ? [] : [{ what, from, to }];
  });
}
