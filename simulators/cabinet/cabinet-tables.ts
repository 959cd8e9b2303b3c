import { imageWords } from "../modbus/register-words.ts";
import { sunElevation } from "../sky/sun.ts";
import { DISCRETE, HOLDING, INPUT, MODE } from "./cabinet-map.ts";
import type { CabinetState } from "./cabinet-state.ts";
import type { Contactors } from "./contactors.ts";
import type { FeederLoads } from "./feeder-loads.ts";

/** One moment of a cabinet. */
export interface CabinetNow {
  readonly state: CabinetState;
  readonly contactors: Contactors;
  /** What the photocell says. */
  readonly dark: boolean;
  readonly nowMs: number;
}

export interface CabinetMeasures {
  readonly loads: FeederLoads;
  /** On the sky's clock, ms since 1970. */
  readonly skyMs: number;
  /** `lost`: the heartbeat has stayed away. */
  readonly link: "heard" | "lost";
}

/** What every metre of cable leaks, for each live feeder, mA. */
const CABLE_LEAKAGE_MA = 2;

/** Discrete inputs 0..31; places without meaning are 0. */
export function readDiscreteInputs({ state, contactors, dark, nowMs }: CabinetNow): Uint8Array {
  const bits = new Uint8Array(DISCRETE.count);
  bits[DISCRETE.doorOpen] = Number(state.doorOpen);
  bits[DISCRETE.selectorLocal] = Number(state.selectorLocal);
  bits[DISCRETE.localOn] = Number(state.localOn);
  bits[DISCRETE.rcdTripped] = Number(state.rcdTripped);
  bits[DISCRETE.mainBreakerTripped] = Number(state.mainBreakerTripped);
  bits[DISCRETE.surgeArresterSpent] = Number(state.surgeArresterSpent);
  bits[DISCRETE.photocellDark] = Number(dark);
  bits[DISCRETE.water] = Number(state.water);
  bits[DISCRETE.shock] = Number(nowMs < state.shockUntilMs);
  for (const [index, way] of contactors.ways.entries()) {
    bits[DISCRETE.feederBreakerTripped + index] = Number(way.breakerTripped);
    bits[DISCRETE.contactorFeedback + index] = Number(way.closed);
  }
  return bits;
}

/** Coils 0..8. */
export function readCoils({ state, contactors }: CabinetNow): readonly number[] {
  return [...contactors.ways.map(({ demand }) => Number(demand)), Number(state.cabinetLight)];
}

/** Input registers 0..33. */
export function readInputRegisters(now: CabinetNow, measures: CabinetMeasures): Uint16Array {
  const registers = new Uint16Array(INPUT.count);
  const { contactors } = now;
  registers[INPUT.mode] = modeInForce(now, measures.link);
  registers[INPUT.reason] = contactors.lastReason;
  registers.set(imageWords(readDiscreteInputs(now)), INPUT.discreteImage);
  registers.set(imageWords(readCoils(now)), INPUT.coilImage);
  putWide(registers, INPUT.lastSwitch, contactors.lastSwitchSec);
  for (const [index, way] of contactors.ways.entries())
    putWide(registers, INPUT.starts + 2 * index, way.starts);
  registers[INPUT.temperature] = Math.round(10 * insideTemperature(now, measures)) & 0xffff;
  registers[INPUT.battery] = Math.round(100 * batteryVolts(now));
  return registers;
}

/** Puts the currents of the feeders, mA, which the loads of every lamp make up. */
export function putCurrents(registers: Uint16Array, now: CabinetNow, { loads }: CabinetMeasures): void {
  for (const [index, way] of now.contactors.ways.entries()) {
    const current = way.live ? loads.currentMa(index) : 0;
    registers[INPUT.feederCurrent + index] = Math.min(65_535, Math.round(current));
  }
  registers[INPUT.leakage] = leakageMa(now);
}

export function modeInForce({ state }: CabinetNow, link: CabinetMeasures["link"]): number {
  if (state.rcdTripped || state.mainBreakerTripped) return MODE.locked;
  if (state.selectorLocal) return MODE.local;
  return link === "lost" ? MODE.astro + (state.settings[HOLDING.fallbackMode] ?? 0) : MODE.remote;
}

/** °C: outside by the height of the sun, and what the closed cabinet adds. */
export function insideTemperature({ state, contactors }: CabinetNow, { skyMs }: CabinetMeasures): number {
  const outside = 8 + 0.25 * sunElevation(skyMs);
  const live = contactors.ways.filter((way) => way.live).length;
  return outside + (state.doorOpen ? 0 : 5 + 0.4 * live);
}

/** V: floating while there is mains, else what the battery gives. */
export function batteryVolts({ state }: CabinetNow): number {
  return state.mainBreakerTripped ? 12.5 : 13.65;
}

/** Nothing flows behind a tripped RCD. */
export function leakageMa({ state, contactors }: CabinetNow): number {
  const live = contactors.ways.filter((way) => way.live).length;
  return live === 0 ? 0 : Math.min(65_535, live * CABLE_LEAKAGE_MA + state.faultLeakageMa);
}

/** A double word, high word first. */
function putWide(registers: Uint16Array, at: number, value: number): void {
  registers[at] = Math.floor(value / 65_536) % 65_536;
  registers[at + 1] = value % 65_536;
}
