import { addRange, missingFrom, type RangeSet } from "../../domain/lane.ts";
import { compareSessions, parseSession } from "../../domain/session-id.ts";

/** What is known of a lane's records of one incarnation beside the records themselves. Immutable. */
export interface LaneAcknowledgement {
  /** Sync session of `current`; `null`: never acknowledged. */
  readonly session: string | null;
  /** Acknowledged in `session`. */
  readonly current: RangeSet;
  /** Acknowledged in earlier sessions. */
  readonly older: RangeSet;
  /** Acknowledged in a later session again: the center held them after a reconnect, so they may be deleted. */
  readonly confirmed: RangeSet;
  /** Lies in a declared gap: will never be told. */
  readonly dropped: RangeSet;
  /** Not told yet, and as thin as it gets. */
  readonly thinned: RangeSet;
}

export const NOTHING_ACKNOWLEDGED: LaneAcknowledgement = {
  session: null,
  current: [],
  older: [],
  confirmed: [],
  dropped: [],
  thinned: [],
};

/** Takes what the center says it holds. An acknowledgement of an older session counts, but confirms nothing. */
export function acknowledge(
  known: LaneAcknowledgement,
  ranges: RangeSet,
  session: string,
): LaneAcknowledgement {
  const age =
    known.session === null ? 1 : compareSessions(parseSession(session), parseSession(known.session));
  if (age < 0) return { ...known, current: union(known.current, ranges) };
  const older = age > 0 ? union(known.older, known.current) : known.older;
  const current = union(age > 0 ? [] : known.current, ranges);
  return {
    ...known,
    session,
    current,
    older,
    confirmed: union(known.confirmed, intersection(older, ranges)),
  };
}

/** What the center is known to hold. */
export function heldByCenter(known: LaneAcknowledgement): RangeSet {
  return union(known.older, known.current);
}

/** What needs no telling any more: held by the center, or in a declared gap. */
export function settled(known: LaneAcknowledgement): RangeSet {
  return union(heldByCenter(known), known.dropped);
}

/** What the store may still thin, of sequences from 1 to `highest`. */
export function thick(known: LaneAcknowledgement, highest: number): RangeSet {
  return missingFrom(union(settled(known), known.thinned), { first: 1, count: highest });
}

/** In `set`, and not in `other`. */
export function without(set: RangeSet, other: RangeSet): RangeSet {
  return set.flatMap((range) => missingFrom(other, range));
}

export function union(left: RangeSet, right: RangeSet): RangeSet {
  return right.reduce(addRange, left);
}

export function intersection(left: RangeSet, right: RangeSet): RangeSet {
  return right.flatMap((range) => missingFrom(missingFrom(left, range), range));
}

/** Sequences from 1 to `highest` that `set` does not hold. */
export function countMissing(set: RangeSet, highest: number): number {
  if (highest < 1) return 0;
  return missingFrom(set, { first: 1, count: highest }).reduce((sum, { count }) => sum + count, 0);
}
