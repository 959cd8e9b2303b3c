import { Millis } from "../../../domain/time.ts";

/** Above this speed the silence does not shrink any more. */
const FIXED_ABOVE_BAUD = 19_200;
const FIXED_SILENCE_MS = 1.75;

/**
 * T3.5: what parts two frames on the wire (MODBUS over Serial Line V1.02 §2.5.1.1): 3.5 characters, and 1.75 ms above
 * 19,200 baud.
 */
export function silenceBetweenFrames(line: {
  readonly baud: number;
  readonly characterTime: Millis;
}): Millis {
  return Millis(line.baud > FIXED_ABOVE_BAUD ? FIXED_SILENCE_MS : 3.5 * line.characterTime);
}

/**
 * Silence after which a broken answer is over, and that is kept after a request without a right answer. Longer than any
 * adapter holds bytes back (16 ms), so that the rest of an answer is not met by the next request.
 */
export const SETTLING_SILENCE = Millis(40);
