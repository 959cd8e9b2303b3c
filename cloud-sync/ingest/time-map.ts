import { type Instant, Millis } from "../../domain/time.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import type { CorrectedTime } from "../store/tables/readings.ts";
import type { TimeSample } from "../store/tables/time-samples.ts";
import { isStorableTime } from "./storable.ts";

/** A sample is late by the way of its message, which nobody measured: so much is allowed for it. */
const SAMPLE_ERROR_MS = 500;
/** A crystal in a street cabinet, in hot sun and frost. */
const DRIFT_PER_MS = 100e-6;
/** Readings are committed in groups of at most this. */
const GROUP_COMMIT_MS = 200;
const DAY_MS = 86_400_000;

/** Maps the uptime of one incarnation to UTC by its samples, which are in order (PROTOCOL §6). Null: there is none. */
export function correctUptime(samples: readonly TimeSample[], uptimeMs: number): CorrectedTime | null {
  const corrected = mapUptime(samples, uptimeMs);
  return corrected !== null && isStorableTime(corrected.at) ? corrected : null;
}

function mapUptime(samples: readonly TimeSample[], uptimeMs: number): CorrectedTime | null {
  const after = samples.findIndex((sample) => sample.uptimeMs > uptimeMs);
  const next = after < 0 ? undefined : samples[after];
  const before = samples[(after < 0 ? samples.length : after) - 1];
  if (before !== undefined && next !== undefined) {
    const share = (uptimeMs - before.uptimeMs) / (next.uptimeMs - before.uptimeMs);
    const offset = before.offsetMs + share * (next.offsetMs - before.offsetMs);
    return { at: (uptimeMs + offset) as Instant, error: Millis(SAMPLE_ERROR_MS) };
  }
  const only = before ?? next;
  if (only === undefined) return null;
  const error = SAMPLE_ERROR_MS + DRIFT_PER_MS * Math.abs(uptimeMs - only.uptimeMs);
  return { at: (uptimeMs + only.offsetMs) as Instant, error: Millis(error) };
}

/**
 * UTC of each wall-clock time of one block, from the uptime at its commit. The gateway's own synchronised clock is
 * the better one where the two agree; a time a day or more away from its block's newest was stamped before the
 * clock was set.
 */
export function correctBlock(
  block: {
    readonly storedAt: number;
    readonly timeQuality: TimeQuality;
    readonly walls: readonly number[];
  },
  samples: readonly TimeSample[],
): (wall: Instant) => CorrectedTime | null {
  const commit = correctUptime(samples, block.storedAt);
  const newest = block.walls.reduce((most, wall) => Math.max(most, wall), Number.NEGATIVE_INFINITY);
  if (commit === null) {
    return block.timeQuality === "synced"
      ? (wall) => ({ at: wall, error: Millis(SAMPLE_ERROR_MS) })
      : () => null;
  }
  const error = Millis(commit.error + GROUP_COMMIT_MS);
  const agrees = block.timeQuality === "synced" && Math.abs(newest - commit.at) <= error;
  return (wall) => {
    if (agrees && newest - wall < DAY_MS) return { at: wall, error };
    const earlier = newest - wall;
    return { at: (commit.at - (earlier < DAY_MS ? earlier : 0)) as Instant, error };
  };
}
