import type { LampChange } from "../journal.ts";
import { arcOfPercent, wholePercentOfArc } from "./dali-level.ts";
import { actualPercent, curveOf, has, settle, shiningArc } from "./gear-physics.ts";
import {
  FROZEN,
  GEAR_SILENT,
  type GearState,
  LAMP_FAILED,
  LIMIT_ERROR,
  NO_SCENE,
  POWER_CYCLE_SEEN,
  SCENES,
} from "./gear-state.ts";

/**
 * The fourteen orders that a gear (+15..+28), a group (+6400..) and the broadcast (+6800..) share, in the order of
 * their registers. `trigger` registers act and read 0. Source: INMBSDAL r1.3 §2.4.2, IN703DAL 1.0.2 table 16.
 */
export const GEAR_ORDERS = [
  { name: "level", min: 0, max: 100, trigger: false },
  { name: "off-on", min: 0, max: 1, trigger: false },
  { name: "step", min: 0, max: 1, trigger: false },
  { name: "recall-min", min: 1, max: 1, trigger: true },
  { name: "recall-max", min: 1, max: 1, trigger: true },
  { name: "go-to-scene", min: 0, max: 15, trigger: false },
  { name: "store-scene", min: 0, max: 15, trigger: false },
  { name: "clear-scene", min: 0, max: 15, trigger: false },
  { name: "fade-time", min: 0, max: 15, trigger: false },
  { name: "fade-rate", min: 1, max: 15, trigger: false },
  { name: "min-level", min: 0, max: 100, trigger: false },
  { name: "max-level", min: 0, max: 100, trigger: false },
  { name: "power-on-level", min: 0, max: 100, trigger: false },
  { name: "system-failure-level", min: 0, max: 100, trigger: false },
] as const;

export type GearOrderName = (typeof GEAR_ORDERS)[number]["name"];

/** How long a level takes: a fixed time, or `dali`: by each gear's own fade time code. */
export type FadeRule = number | "dali";

/** What the gears of one bridge need to know to obey. */
export interface GearContext {
  readonly state: GearState;
  readonly nowMs: number;
  readonly fade: FadeRule;
  readonly lampId: (gear: number) => string;
}

/**
 * Lets one gear obey one order; `value` is in range. Returns what changed, which is nothing if it was so before.
 * Gear that is dead or frozen moves nothing, and the bridge shows the ordered level all the same.
 */
export function obey(
  context: GearContext,
  gear: number,
  order: { readonly name: GearOrderName; readonly value: number },
): LampChange[] {
  const { state } = context;
  if (order.name === "level") state.orderedPercent[gear] = order.value;
  if (has(state, gear, GEAR_SILENT | FROZEN)) return [];
  settle(state, gear, context.nowMs);
  if (isSetting(order.name)) return set(context, gear, { name: order.name, value: order.value });
  const changes = light(context, gear, { name: order.name, value: order.value });
  if (order.name !== "level") {
    state.orderedPercent[gear] = wholePercentOfArc(state.arcTo[gear] ?? 0, curveOf(state, gear));
  }
  return changes;
}

/** A level in % from another master on the DALI line than the bridge. */
export function turnGear(context: GearContext, gear: number, percent: number): LampChange[] {
  const { state, nowMs, fade } = context;
  if (has(state, gear, GEAR_SILENT | FROZEN)) return [];
  settle(state, gear, nowMs);
  return orderArc(context, gear, { arc: arcOfPercent(percent, curveOf(state, gear)), fade });
}

function light(
  context: GearContext,
  gear: number,
  order: { readonly name: Exclude<GearOrderName, SettingName>; readonly value: number },
): LampChange[] {
  const { state, fade } = context;
  const max = state.max[gear] ?? 0;
  switch (order.name) {
    case "level":
      return orderArc(context, gear, { arc: arcOfPercent(order.value, curveOf(state, gear)), fade });
    case "off-on":
      return orderArc(context, gear, { arc: order.value === 0 ? 0 : max, fade: 0 });
    case "step":
      return step(context, gear, order.value === 0 ? -1 : 1);
    case "recall-min":
      return orderArc(context, gear, { arc: state.min[gear] ?? 0, fade: 0 });
    case "recall-max":
      return orderArc(context, gear, { arc: max, fade: 0 });
    case "go-to-scene":
      return goToScene(context, gear, order.value);
    case "store-scene":
      return storeScene(context, gear, { scene: order.value, arc: state.arcTo[gear] ?? 0 });
    case "clear-scene":
      return storeScene(context, gear, { scene: order.value, arc: NO_SCENE });
  }
}

function goToScene(context: GearContext, gear: number, scene: number): LampChange[] {
  const arc = context.state.scenes[gear * SCENES + scene] ?? NO_SCENE;
  return arc === NO_SCENE ? [] : orderArc(context, gear, { arc, fade: context.fade });
}

/**
 * Turns the light to an arc level, within the gear's limits. A lamp that can not shine takes the level and stays dark.
 * An effect is a change of where the light is going: the same order again is none.
 */
function orderArc(
  context: GearContext,
  gear: number,
  order: { readonly arc: number; readonly fade: FadeRule },
): LampChange[] {
  const { state, nowMs } = context;
  const within = Math.min(state.max[gear] ?? 0, Math.max(state.min[gear] ?? 0, order.arc));
  const arc = order.arc === 0 ? 0 : within;
  const condition = (state.condition[gear] ?? 0) & ~(LIMIT_ERROR | POWER_CYCLE_SEEN);
  state.condition[gear] = condition | (arc === order.arc ? 0 : LIMIT_ERROR);
  const before = state.arcTo[gear] ?? 0;
  if (arc === before) return [];
  const from = shiningArc(state, gear, nowMs);
  const fromPercent = actualPercent(state, gear, nowMs);
  const fadeMs = fadeLength(state, gear, order.fade);
  if (before === 0) state.starts[gear] = (state.starts[gear] ?? 0) + 1;
  state.arcFrom[gear] = from;
  state.arcTo[gear] = arc;
  state.fadeStartMs[gear] = nowMs;
  state.fadeEndMs[gear] = nowMs + fadeMs;
  if (has(state, gear, LAMP_FAILED)) return [];
  const to = wholePercentOfArc(arc, curveOf(state, gear));
  return [change(context, gear, { what: "level", from: fromPercent, to, fadeMs })];
}

/** IEC 62386-102 §9.5.3: 0.5 s x 2^(code/2); code 0 is as fast as the gear can. */
function fadeLength(state: GearState, gear: number, fade: FadeRule): number {
  if (fade !== "dali") return fade;
  const code = state.fadeTime[gear] ?? 0;
  return code === 0 ? 0 : 500 * 2 ** (code / 2);
}

/** One arc level up or down without fade; it neither lights a dark lamp nor puts a lit one out. */
function step(context: GearContext, gear: number, by: 1 | -1): LampChange[] {
  const { state } = context;
  const now = state.arcTo[gear] ?? 0;
  if (now === 0) return [];
  const arc = Math.min(state.max[gear] ?? 0, Math.max(state.min[gear] ?? 0, now + by));
  return orderArc(context, gear, { arc, fade: 0 });
}

function storeScene(
  context: GearContext,
  gear: number,
  order: { readonly scene: number; readonly arc: number },
): LampChange[] {
  const { state } = context;
  const at = gear * SCENES + order.scene;
  const from = state.scenes[at] ?? NO_SCENE;
  if (from === order.arc) return [];
  state.scenes[at] = order.arc;
  const percent = (arc: number) => (arc === NO_SCENE ? -1 : wholePercentOfArc(arc, curveOf(state, gear)));
  const what = `scene-${order.scene}`;
  return [change(context, gear, { what, from: percent(from), to: percent(order.arc), fadeMs: 0 })];
}

type SettingName = Extract<
  GearOrderName,
  "fade-time" | "fade-rate" | "min-level" | "max-level" | "power-on-level" | "system-failure-level"
>;

function isSetting(name: GearOrderName): name is SettingName {
  return name.endsWith("-level") || name.startsWith("fade-");
}

function set(
  context: GearContext,
  gear: number,
  order: { readonly name: SettingName; readonly value: number },
): LampChange[] {
  const { state } = context;
  const { name, value } = order;
  const isCode = name === "fade-time" || name === "fade-rate";
  const kept = settingArray(state, name);
  const before = kept[gear] ?? 0;
  const after = isCode
    ? value
    : bounded(state, gear, { name, arc: arcOfPercent(value, curveOf(state, gear)) });
  if (before === after) return [];
  kept[gear] = after;
  const shown = (raw: number) => (isCode ? raw : wholePercentOfArc(raw, curveOf(state, gear)));
  const changes = [change(context, gear, { what: name, from: shown(before), to: shown(after), fadeMs: 0 })];
  const target = state.arcTo[gear] ?? 0;
  // IEC 62386-102: a lit lamp moves into limits that were drawn around it.
  const isLimit = name === "min-level" || name === "max-level";
  return isLimit && target > 0 ? [...changes, ...orderArc(context, gear, { arc: target, fade: 0 })] : changes;
}

function bounded(
  state: GearState,
  gear: number,
  order: { readonly name: SettingName; readonly arc: number },
): number {
  const lowest = state.physicalMin[gear] ?? 0;
  if (order.name === "min-level") return Math.min(state.max[gear] ?? 0, Math.max(lowest, order.arc));
  if (order.name === "max-level") return Math.max(state.min[gear] ?? 0, order.arc);
  return order.arc;
}

function settingArray(state: GearState, name: SettingName): Uint8Array {
  const arrays = {
    "fade-time": state.fadeTime,
    "fade-rate": state.fadeRate,
    "min-level": state.min,
    "max-level": state.max,
    "power-on-level": state.powerOn,
    "system-failure-level": state.systemFailure,
  };
  return arrays[name];
}

/** Counts the effect for its lamp. */
export function change(
  context: GearContext,
  gear: number,
  what: Omit<LampChange, "lamp" | "device" | "deviceSeq">,
): LampChange {
  const deviceSeq = (context.state.effects[gear] ?? 0) + 1;
  context.state.effects[gear] = deviceSeq;
  const lamp = context.lampId(gear);
  return { device: lamp, lamp, deviceSeq, ...what };
}
