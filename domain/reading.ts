import type { PointNumber } from "./ids.ts";
import type { Quality, QualityCause } from "./quality.ts";
import type { Instant } from "./time.ts";

export type PointValue = number | boolean | string;

/**
 * What a point was, according to whom, and when: what the field tells the core as worth telling. Complete on its own,
 * so a reading that left the gateway three days late still says everything it knew. Readings of a point are ordered
 * by the store's sequence, never by either timestamp.
 */
export interface PointChange {
  readonly point: PointNumber;
  /** In the unit of the point's definition, never raw counts; `null` exactly when `quality` is bad: nothing to misuse (OPC 10000-4 §7.11). */
  readonly value: PointValue | null;
  readonly quality: Quality;
  /** `none` exactly when `quality` is `good`. */
  readonly cause: QualityCause;
  readonly gatewayTimestamp: Instant;
  /** `null`: the device keeps no time. */
  readonly sourceTimestamp: Instant | null;
}

/** A {@link PointChange} that the store has accepted: durable, numbered, and a point's state if nothing newer is. */
export interface StoredReading extends PointChange {
  /** `sver` of PROTOCOL §1: grows with every accepted reading of the store; orders a point's states in an incarnation. */
  readonly stateVersion: number;
}
