import type { PointId, PointNumber } from "./ids.ts";
import type { BadQuality, Quality, QualityCause, UsableQuality } from "./quality.ts";
import type { Instant } from "./time.ts";

export type PointValue = number | boolean | string;

/**
 * What a point was, according to whom, and when. Immutable, and complete on its own: a reading
 * that left the gateway three days late still says everything it knew. Readings of a point are
 * ordered by the store's sequence, never by either timestamp.
 */
export type Reading = {
  readonly pointId: PointId;
  /** When the device says it took the value; the gateway's time if the device keeps none. */
  readonly sourceTimestamp: Instant;
  readonly gatewayTimestamp: Instant;
} & (
  | /** `value` is in the unit that the point's definition states; never raw register counts. */ {
      readonly quality: UsableQuality;
      readonly value: PointValue;
    }
  /** A bad value is to be ignored (OPC 10000-4 §7.11), so there is none to misuse. */
  | { readonly quality: BadQuality; readonly value: null }
);

/** What the field host tells the core about a point: worth telling, not yet stored. */
export interface PointChange {
  readonly point: PointNumber;
  /** `null` exactly when `quality` is bad. */
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
