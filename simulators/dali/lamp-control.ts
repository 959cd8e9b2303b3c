import type { LampChange } from "../journal.ts";
import { wholePercentOfArc } from "./dali-level.ts";
import { change, type GearContext } from "./gear-orders.ts";
import { actualPercent, curveOf, has, powerW, settle } from "./gear-physics.ts";
import { FROZEN, GEAR_FAILED, GEAR_SILENT, LAMP_FAILED, POWER_CYCLE_SEEN, UNPOWERED } from "./gear-state.ts";

/**
 * `lamp-failure`: the LED is open, the gear still answers. `gear-failure`: the gear is dead and dark.
 * `freeze`: the gear takes orders and moves nothing. `restore`: repaired; a lamp takes up the level it was sent to,
 * a gear the power-on level, as after any return of power.
 */
export const LAMP_ACTIONS = ["lamp-failure", "gear-failure", "freeze", "restore"] as const;
export type LampAction = (typeof LAMP_ACTIONS)[number];

export interface LampView {
  readonly id: string;
  readonly channel: number;
  readonly shortAddress: number;
  readonly groups: readonly number[];
  /** Whole %, now and at the end of the fade; 0 when it can not shine. */
  readonly levelPercent: number;
  readonly targetPercent: number;
  /** What the bridge was last told. */
  readonly orderedPercent: number;
  readonly powerW: number;
  readonly energyWh: number;
  readonly burningHours: number;
  readonly lampFailed: boolean;
  readonly gearFailed: boolean;
  readonly frozen: boolean;
  /** Its feeder is live. */
  readonly powered: boolean;
  /** Effects in the journal so far. */
  readonly effects: number;
}

const OPEN_CIRCUIT = 1 << 1;

/** Does it, and tells what changed for somebody standing below the lamp. */
export function treatLamp(context: GearContext, gear: number, action: LampAction): LampChange[] {
  const { state, nowMs } = context;
  settle(state, gear, nowMs);
  const from = actualPercent(state, gear, nowMs);
  const wasGearFailed = has(state, gear, GEAR_FAILED);
  const condition = state.condition[gear] ?? 0;
  if (action === "lamp-failure") {
    state.condition[gear] = condition | LAMP_FAILED;
    state.ledFailure[gear] = OPEN_CIRCUIT;
  } else if (action === "gear-failure") {
    state.condition[gear] = condition | GEAR_FAILED;
  } else if (action === "freeze") {
    state.condition[gear] = condition | FROZEN;
  } else {
    state.condition[gear] = condition & ~(LAMP_FAILED | GEAR_FAILED | FROZEN);
    state.ledFailure[gear] = 0;
    if (wasGearFailed && !has(state, gear, UNPOWERED)) powerUp(context, gear);
  }
  const to = actualPercent(state, gear, nowMs);
  return from === to ? [] : [change(context, gear, { what: "level", from, to, fadeMs: 0 })];
}

/**
 * The feeder goes live or dead. A dead gear keeps its settings and forgets its light; when power returns it takes
 * the power-on level (IEC 62386-102 §9.13), as after a repair.
 */
export function supplyGear(context: GearContext, gear: number, supply: "live" | "dead"): LampChange[] {
  const { state, nowMs } = context;
  const condition = state.condition[gear] ?? 0;
  if (((condition & UNPOWERED) === 0) === (supply === "live")) return [];
  settle(state, gear, nowMs);
  const from = actualPercent(state, gear, nowMs);
  state.condition[gear] = supply === "live" ? condition & ~UNPOWERED : condition | UNPOWERED;
  if (supply === "live" && !has(state, gear, GEAR_FAILED)) powerUp(context, gear);
  const to = actualPercent(state, gear, nowMs);
  return from === to ? [] : [change(context, gear, { what: "level", from, to, fadeMs: 0 })];
}

function powerUp(context: GearContext, gear: number): void {
  const { state, nowMs } = context;
  const arc = state.powerOn[gear] ?? 0;
  state.arcFrom[gear] = arc;
  state.arcTo[gear] = arc;
  state.fadeStartMs[gear] = nowMs;
  state.fadeEndMs[gear] = nowMs;
  state.condition[gear] = (state.condition[gear] ?? 0) | POWER_CYCLE_SEEN;
  state.powerUps[gear] = (state.powerUps[gear] ?? 0) + 1;
  if (arc > 0) state.starts[gear] = (state.starts[gear] ?? 0) + 1;
}

export function viewLamp(context: GearContext, gear: number): LampView {
  const { state, nowMs } = context;
  settle(state, gear, nowMs);
  const place = state.places[gear];
  const isDark = has(state, gear, LAMP_FAILED | GEAR_SILENT);
  return {
    id: context.lampId(gear),
    channel: place?.channel ?? 0,
    shortAddress: place?.shortAddress ?? 0,
    groups: Array.from({ length: 16 }, (_, group) => group).filter(
      (group) => ((place?.groups ?? 0) >> group) & 1,
    ),
    levelPercent: actualPercent(state, gear, nowMs),
    targetPercent: isDark ? 0 : wholePercentOfArc(state.arcTo[gear] ?? 0, curveOf(state, gear)),
    orderedPercent: state.orderedPercent[gear] ?? 0,
    powerW: powerW(state, gear, nowMs),
    energyWh: state.energyWh[gear] ?? 0,
    burningHours: (state.burnMs[gear] ?? 0) / 3_600_000,
    lampFailed: has(state, gear, LAMP_FAILED),
    gearFailed: has(state, gear, GEAR_FAILED),
    frozen: has(state, gear, FROZEN),
    powered: !has(state, gear, UNPOWERED),
    effects: state.effects[gear] ?? 0,
  };
}
