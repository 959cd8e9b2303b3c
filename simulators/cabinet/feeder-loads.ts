import type { EffectCause } from "../journal.ts";

/** What hangs on the feeders. */
export interface FeederLoads {
  /** RMS current in mA of what is on at a feeder (0..7); 0 when it is dead. */
  currentMa(way: number): number;
  /** A feeder went live or dead. */
  supply(way: number, supply: "live" | "dead", cause: EffectCause): void;
}
