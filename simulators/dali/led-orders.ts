import type { LampChange } from "../journal.ts";
import { change, type GearContext } from "./gear-orders.ts";
import { actualPercent, has, settle } from "./gear-physics.ts";
import { FROZEN, GEAR_SILENT } from "./gear-state.ts";

/** Orders for device type 6 only: +91 current protector, +92 dimming curve, +93 fast fade time. +90 changes nothing. */
export function obeyLed(
  context: GearContext,
  gear: number,
  order: { readonly offset: number; readonly value: number },
): LampChange[] {
  const { state, nowMs } = context;
  if (has(state, gear, GEAR_SILENT | FROZEN)) return [];
  if (order.offset === 91)
    return keep(context, gear, { array: state.currentProtector, what: "current-protector", to: order.value });
  if (order.offset === 93)
    return keep(context, gear, { array: state.fastFadeTime, what: "fast-fade-time", to: order.value });
  if (order.offset !== 92) return [];
  settle(state, gear, nowMs);
  const from = actualPercent(state, gear, nowMs);
  const changes = keep(context, gear, { array: state.curve, what: "dimming-curve", to: order.value });
  const to = actualPercent(state, gear, nowMs);
  // The arc level stays, so another curve is another light.
  return from === to ? changes : [...changes, change(context, gear, { what: "level", from, to, fadeMs: 0 })];
}

function keep(
  context: GearContext,
  gear: number,
  order: { readonly array: Uint8Array; readonly what: string; readonly to: number },
): LampChange[] {
  const from = order.array[gear] ?? 0;
  if (from === order.to) return [];
  order.array[gear] = order.to;
  return [change(context, gear, { what: order.what, from, to: order.to, fadeMs: 0 })];
}
