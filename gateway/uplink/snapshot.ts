import type { PointNumber } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import type { Millis } from "../../domain/time.ts";
import { type Codec, encodeSnapshotPart } from "../../domain/wire/batch.ts";
import { encodePointsBlock, type TimeQuality } from "../../domain/wire/points-block.ts";

const PART_READINGS_MAX = 1_000;
/** Parts on their way at once. */
const PARALLEL = 4;

/** Hands every part over, some at once. Rejects with the first that fails. */
export async function tellParts(
  parts: Iterator<Uint8Array, void>,
  tell: (part: Uint8Array) => Promise<void>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let next = parts.next(); next.done !== true; next = parts.next()) await tell(next.value);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** The state of every point, in parts of at most 1,000, control state before measurements (PROTOCOL §3). */
export function* snapshotParts(
  readings: Iterable<StoredReading>,
  context: {
    readonly session: string;
    readonly incarnation: string;
    readonly codec: Codec;
    readonly storedAt: Millis;
    readonly timeQuality: TimeQuality;
    /** Lower is told earlier. */
    readonly rank: (point: PointNumber) => number;
  },
): Generator<Uint8Array> {
  const { session, incarnation, codec, storedAt, timeQuality, rank } = context;
  const ordered = [...readings].sort((left, right) => rank(left.point) - rank(right.point));
  const parts = Math.ceil(ordered.length / PART_READINGS_MAX);
  for (let part = 1; part <= parts; part += 1) {
    const slice = ordered.slice((part - 1) * PART_READINGS_MAX, part * PART_READINGS_MAX);
    const block = encodePointsBlock({ storedAt, timeQuality, readings: slice });
    yield encodeSnapshotPart({ session, incarnation, part, parts }, block, codec);
  }
}
