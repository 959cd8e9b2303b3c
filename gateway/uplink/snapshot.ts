import type { StoredReading } from "../../domain/reading.ts";
import { after, Millis, Seconds, since } from "../../domain/time.ts";
import { type Codec, encodeSnapshotPart } from "../../domain/wire/batch.ts";
import { encodePointsBlock } from "../../domain/wire/points-block.ts";
import { FirstStates } from "./first-states.ts";
import type { UplinkParts } from "./uplink-parts.ts";

/**
 * Right after its start a gateway reads its devices: what it read of the control state is told so often, before all else, and
 * for so long at most, so that the snapshot is whole 10 s after the session began (I10).
 */
const FIRST_STATES_EVERY = Millis(500);
const FIRST_STATES_WITHIN = Seconds(8);
/** After so many rounds in which nothing was read for the first time, one slow device shall not hold up all others. */
const QUIET_ROUNDS_MAX = 4;
const PART_READINGS_MAX = 1_000;
/** Parts on their way at once. */
const PARALLEL = 4;

export type SnapshotContext = Pick<UplinkParts, "store" | "transport" | "clock" | "order" | "timeQuality"> & {
  readonly session: string;
  readonly codec: Codec;
  /** Called in one turn with the read of all states: what comes after it is not in the snapshot. */
  readonly onRead: () => void;
  readonly signal: AbortSignal;
};

/** Tells the state of every point, control state before measurements (PROTOCOL §3). */
export async function tellSnapshot(context: SnapshotContext): Promise<void> {
  const { store, clock, order, onRead, signal } = context;
  const first = new FirstStates(store.telemetry, order.control);
  const end = after(clock.uptime(), FIRST_STATES_WITHIN);
  try {
    for (let quiet = 0; first.missing > 0 && quiet < QUIET_ROUNDS_MAX && clock.uptime() < end; ) {
      const { missing } = first;
      await tellStates(first.take(), context);
      await Promise.race([clock.sleep(FIRST_STATES_EVERY, signal), first.complete]);
      quiet = first.missing < missing ? 0 : quiet + 1;
    }
    const rest = [...store.telemetry.latestAll()].filter((reading) => !first.wasTaken(reading));
    onRead();
    await tellStates(rest, context);
  } finally {
    first.close();
  }
}

/** Some parts at once. Rejects with the first that fails. */
async function tellStates(readings: readonly StoredReading[], context: SnapshotContext): Promise<void> {
  const parts = snapshotParts(readings, context);
  const worker = async (): Promise<void> => {
    for (let next = parts.next(); next.done !== true; next = parts.next())
      await context.transport.tellSnapshot(next.value, context.signal);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

function* snapshotParts(
  readings: readonly StoredReading[],
  { session, codec, store, clock, order, timeQuality }: SnapshotContext,
): Generator<Uint8Array, void> {
  const storedAt = since(store.openedAt, clock.uptime());
  const header = { session, incarnation: store.incarnation };
  const ordered = readings.toSorted((left, right) => order.rank(left.point) - order.rank(right.point));
  const parts = Math.ceil(ordered.length / PART_READINGS_MAX);
  for (let part = 1; part <= parts; part += 1) {
    const slice = ordered.slice((part - 1) * PART_READINGS_MAX, part * PART_READINGS_MAX);
    const block = encodePointsBlock({ storedAt, timeQuality: timeQuality(), readings: slice });
    yield encodeSnapshotPart({ ...header, part, parts }, block, codec);
  }
}
