import assert from "node:assert/strict";

/** How a device counts: it begins at 0 again after `2 ** bits - 1`, and whenever it forgot. */
export interface CounterWidth {
  readonly bits: number;
  /** The most that is counted between two readings, also after an outage. */
  readonly maxStep: number;
}

/** What is known of a counter; it also tells what the device itself showed last. */
export interface CounterState {
  /** All that was counted since the device was first read; never falls. */
  readonly total: number;
  /** The total at which the device last began at 0 for another reason than its width; another number, another epoch. */
  readonly epoch: number;
}

/** Of a device that is read for the first time: what it shows was counted before. */
export function beginCounter(shown: number): CounterState {
  return { total: shown, epoch: 0 };
}

/**
 * What the device shows now, taken into account. A number that fell has gone round its end if no more than `maxStep`
 * lies between the two; any other fall is a new epoch, of which only what is shown is counted. The same number again
 * changes nothing.
 */
export function advanceCounter(state: CounterState, shown: number, width: CounterWidth): CounterState {
  const modulus = 2 ** width.bits;
  assert(Number.isInteger(shown) && shown >= 0 && shown < modulus, "a counter shows a number of its width");
  const last = (state.total - state.epoch) % modulus;
  if (shown >= last) return { ...state, total: state.total + shown - last };
  const round = shown + modulus - last;
  if (round <= width.maxStep) return { ...state, total: state.total + round };
  return { total: state.total + shown, epoch: state.total };
}
