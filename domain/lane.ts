/**
 * A: audit and verdicts, never dropped. B: events and state. C: readings. D: diagnostics.
 * Each has its own sequence and its own rule when space is short (PROTOCOL §1, §5).
 */
export type Lane = "A" | "B" | "C" | "D";
export const LANES = ["A", "B", "C", "D"] as const satisfies readonly Lane[];
export type TelemetryLane = Exclude<Lane, "A">;

/** `count` sequences from `first` on; `first` ≥ 1. */
export interface SequenceRange {
  readonly first: number;
  readonly count: number;
}

/** Ranges in order, none touching the next. */
export type RangeSet = readonly SequenceRange[];

/** `set` with `range` in it; neighbours merged. */
export function addRange(set: RangeSet, range: SequenceRange): RangeSet {
  const merged: SequenceRange[] = [];
  let { first } = range;
  let end = range.first + range.count;
  for (const each of set) {
    const eachEnd = each.first + each.count;
    if (eachEnd < first || each.first > end) {
      merged.push(each);
    } else {
      first = Math.min(first, each.first);
      end = Math.max(end, eachEnd);
    }
  }
  merged.push({ first, count: end - first });
  return merged.sort((left, right) => left.first - right.first);
}

/** The part of `range` that `set` does not hold. */
export function missingFrom(set: RangeSet, range: SequenceRange): RangeSet {
  const missing: SequenceRange[] = [];
  let next = range.first;
  const end = range.first + range.count;
  for (const each of set) {
    const eachEnd = each.first + each.count;
    if (eachEnd <= next || each.first >= end) continue;
    if (each.first > next) missing.push({ first: next, count: each.first - next });
    next = eachEnd;
  }
  if (next < end) missing.push({ first: next, count: end - next });
  return missing;
}

/** Whether `set` holds the whole of `range`. */
export function coversRange(set: RangeSet, range: SequenceRange): boolean {
  return missingFrom(set, range).length === 0;
}
