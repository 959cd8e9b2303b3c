import { wholePercentOfArc } from "./dali-level.ts";
import {
  actualPercent,
  apparentOf,
  curveOf,
  gearTemperature,
  loadSideOf,
  powerW,
  settle,
  statusBits,
} from "./gear-physics.ts";
import type { GearState } from "./gear-state.ts";

/** DALI device type of LED modules (IEC 62386-207). */
const DEVICE_TYPE_LED = 6;
/** +81 b0: LED power supply integrated. +83 and +87 b0: PWM. +84: b0..b3, b5, b6 can be asked. */
const LED_POWER_SUPPLY = 1;
const PWM = 1;
const LED_FEATURES = 0b0110_1111;
const NON_LOG_CURVE = 1 << 4;

/** The gear's own registers +5..+14 and +80..+89, 0..65535. Undefined: no such register here. */
export function readGearRegister(
  state: GearState,
  gear: number,
  at: { readonly offset: number; readonly nowMs: number },
): number | undefined {
  const { offset, nowMs } = at;
  if (offset >= 80) return readLedRegister(state, gear, offset);
  const percent = (arc: number | undefined) => wholePercentOfArc(arc ?? 0, curveOf(state, gear));
  switch (offset) {
    case 5:
      return statusBits(state, gear, nowMs);
    case 6:
      return actualPercent(state, gear, nowMs);
    case 7:
      return DEVICE_TYPE_LED;
    case 8:
      return percent(state.physicalMin[gear]);
    case 9:
      return percent(state.min[gear]);
    case 10:
      return percent(state.max[gear]);
    case 11:
      return percent(state.powerOn[gear]);
    case 12:
      return percent(state.systemFailure[gear]);
    case 13:
      return state.fadeTime[gear];
    case 14:
      return state.fadeRate[gear];
    default:
      return undefined;
  }
}

/** INMBSDAL r1.3 p. 16, device type 6. */
function readLedRegister(state: GearState, gear: number, offset: number): number | undefined {
  const curve = state.curve[gear] ?? 0;
  const registers: readonly (number | undefined)[] = [
    state.ledFailure[gear],
    LED_POWER_SUPPLY,
    curve,
    PWM,
    LED_FEATURES,
    0,
    state.currentProtector[gear],
    PWM | (curve === 1 ? NON_LOG_CURVE : 0),
    state.fastFadeTime[gear],
    0,
    0,
    state.currentProtector[gear],
    curve,
    state.fastFadeTime[gear],
  ];
  return registers[offset - 80];
}

/**
 * D4i registers +34..+50 (IN703DAL 1.0.2 tables 23 and 24), each 32 bits, high word first. The manual gives energy
 * a range of 48 bits but only two registers to the next one, so the low 32 bits (4.29 GWh) are what fits.
 * The temperature is one signed register.
 */
export function readD4iRegister(
  state: GearState,
  gear: number,
  at: { readonly offset: number; readonly nowMs: number },
): number | undefined {
  const { offset, nowMs } = at;
  if (offset === 50) return gearTemperature(state, gear, nowMs) & 0xffff;
  const value = d4iValue(state, gear, { offset: offset & ~1, nowMs });
  if (value === undefined) return undefined;
  const whole = Math.floor(value);
  return offset % 2 === 0 ? Math.floor(whole / 65_536) % 65_536 : whole % 65_536;
}

function d4iValue(
  state: GearState,
  gear: number,
  at: { readonly offset: number; readonly nowMs: number },
): number | undefined {
  const { offset, nowMs } = at;
  if (offset < 34 || offset > 48) return undefined;
  settle(state, gear, nowMs);
  const energy = state.energyWh[gear] ?? 0;
  const power = powerW(state, gear, nowMs);
  const values: readonly number[] = [
    energy,
    Math.round(power),
    apparentOf(energy),
    Math.round(apparentOf(power)),
    loadSideOf(energy),
    Math.round(loadSideOf(power)),
    (state.burnMs[gear] ?? 0) / 1_000,
    state.starts[gear] ?? 0,
  ];
  return values[(offset - 34) / 2];
}
