import { type DimmingCurve, percentOfArc, wholePercentOfArc } from "./dali-level.ts";
import { GEAR_SILENT, type GearState, LAMP_FAILED, LIMIT_ERROR, POWER_CYCLE_SEEN } from "./gear-state.ts";

const STANDBY_W = 0.4;
/** Share of its rated power that a driver takes at the lowest light. */
const IDLE_SHARE = 0.06;
const POWER_FACTOR = 0.95;
/** The driver's own losses; the load side gets the rest. */
const EFFICIENCY = 0.9;
const MS_PER_HOUR = 3_600_000;
const CREEP = 0.15;
const LIFE_MS = 100_000 * MS_PER_HOUR;

export function curveOf(state: GearState, gear: number): DimmingCurve {
  return state.curve[gear] === 1 ? "linear" : "log";
}

export function has(state: GearState, gear: number, bits: number): boolean {
  return ((state.condition[gear] ?? 0) & bits) !== 0;
}

/** The arc level the lamp shines at, 0..254; 0 whenever it can not shine. */
export function shiningArc(state: GearState, gear: number, nowMs: number): number {
  if (has(state, gear, LAMP_FAILED | GEAR_SILENT)) return 0;
  return Math.round(arcAt(state, gear, nowMs));
}

/** Where the fade has come to. Gear dims in equal arc steps over time (IEC 62386-102 §9.5). */
function arcAt(state: GearState, gear: number, nowMs: number): number {
  const start = state.fadeStartMs[gear] ?? 0;
  const end = state.fadeEndMs[gear] ?? 0;
  const to = state.arcTo[gear] ?? 0;
  if (nowMs >= end) return to;
  const from = state.arcFrom[gear] ?? 0;
  return from + ((to - from) * Math.max(0, nowMs - start)) / (end - start);
}

/** Register +6: whole %, 0 when dark. */
export function actualPercent(state: GearState, gear: number, nowMs: number): number {
  return wholePercentOfArc(shiningArc(state, gear, nowMs), curveOf(state, gear));
}

/** Register +5: b0 gear fail, b1 lamp fail, b2 lamp on, b3 limit error, b4 fading, b5 reset state, b7 power cycle seen. */
export function statusBits(state: GearState, gear: number, nowMs: number): number {
  const gearFailed = has(state, gear, GEAR_SILENT);
  const lampFailed = has(state, gear, LAMP_FAILED);
  const isFading = !gearFailed && !lampFailed && nowMs < (state.fadeEndMs[gear] ?? 0);
  return (
    Number(gearFailed) |
    (Number(lampFailed) << 1) |
    (Number(shiningArc(state, gear, nowMs) > 0) << 2) |
    (Number(has(state, gear, LIMIT_ERROR)) << 3) |
    (Number(isFading) << 4) |
    (Number(has(state, gear, POWER_CYCLE_SEEN)) << 7)
  );
}

/** W at the mains, losses included. */
export function powerW(state: GearState, gear: number, nowMs: number): number {
  if (has(state, gear, GEAR_SILENT)) return 0;
  const arc = has(state, gear, LAMP_FAILED) ? 0 : arcAt(state, gear, nowMs);
  return powerAtArc(state, gear, arc);
}

function powerAtArc(state: GearState, gear: number, arc: number): number {
  if (arc <= 0) return STANDBY_W;
  const share = IDLE_SHARE + ((1 - IDLE_SHARE) * percentOfArc(arc, curveOf(state, gear))) / 100;
  return (state.ratedW[gear] ?? 0) * share * wearOf(state, gear);
}

/** The driver keeps the light of an ageing LED constant by more current: +15 % over a life of 100,000 h, then no more. */
function wearOf(state: GearState, gear: number): number {
  return 1 + CREEP * Math.min(1, (state.burnMs[gear] ?? 0) / LIFE_MS);
}

export const apparentOf = (active: number): number => active / POWER_FACTOR;
export const loadSideOf = (active: number): number => active * EFFICIENCY;

/** °C in the gear: ambient and what its own losses add. */
export function gearTemperature(state: GearState, gear: number, nowMs: number): number {
  return Math.round(15 + 0.35 * powerW(state, gear, nowMs));
}

/**
 * Brings energy and burning time up to `nowMs`. To be called before anything that changes the light,
 * and before they are read. Within a fade the power is taken as going straight from end to end.
 */
export function settle(state: GearState, gear: number, nowMs: number): void {
  const since = state.settledMs[gear] ?? nowMs;
  if (nowMs <= since) return;
  const fadeEnd = Math.min(nowMs, Math.max(since, state.fadeEndMs[gear] ?? since));
  integrate(state, gear, since, fadeEnd);
  integrate(state, gear, fadeEnd, nowMs);
  state.settledMs[gear] = nowMs;
}

function integrate(state: GearState, gear: number, fromMs: number, toMs: number): void {
  if (toMs <= fromMs) return;
  const mean = (powerW(state, gear, fromMs) + powerW(state, gear, toMs)) / 2;
  state.energyWh[gear] = (state.energyWh[gear] ?? 0) + (mean * (toMs - fromMs)) / MS_PER_HOUR;
  const isLit = shiningArc(state, gear, fromMs) > 0 || shiningArc(state, gear, toMs) > 0;
  if (isLit) state.burnMs[gear] = (state.burnMs[gear] ?? 0) + (toMs - fromMs);
}
