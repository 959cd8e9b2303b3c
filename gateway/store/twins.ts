import { crc32 } from "node:zlib";
import type { PointNumber } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { Millis, Minutes, since, type Uptime } from "../../domain/time.ts";
import { decodePointsBlock, encodePointsBlock } from "../../domain/wire/points-block.ts";
import type { StoreDatabase } from "./database.ts";
import { readingsOf } from "./history.ts";
import { entriesTable } from "./incarnations.ts";
import { TwinColumns } from "./twin-columns.ts";
import type { CommitGroup, ReplayPosition } from "./writing/telemetry-writer.ts";

/** Points of one stored row. */
const CHUNK_POINTS = 512;
/** Rows written with one group, so that no group waits long for them. */
const CHUNKS_PER_GROUP = 8;
/** What an opening replays at most, roughly: readings of one round's time, or this many. */
const ROUND_EVERY: Millis = Minutes(1);
const ROUND_READINGS = 1_000_000;

/**
 * The reported half of the twins, in memory. Writing each reading a second time as a row would cost more than all
 * else; so changed twins are written in rounds, and an opening replays the entries that came after the last round.
 */
export class Twins {
  readonly #latest = new TwinColumns();
  readonly #dirty = new Set<number>();
  #round: { readonly from: ReplayPosition; readonly chunks: number[] } | undefined;
  #sinceRound = 0;
  #lastRound: Uptime;
  #replayPosition: ReplayPosition;

  constructor(stored: StoredTwins, now: Uptime) {
    this.#replayPosition = stored.position;
    for (const reading of stored.rows) this.#take(reading);
    // What is replayed is in no row yet, so the next round must write it.
    for (const reading of stored.replayed) {
      this.#take(reading);
      this.#dirty.add(Math.floor(reading.point / CHUNK_POINTS));
    }
    this.#lastRound = now;
  }

  latest(point: PointNumber): StoredReading | undefined {
    return this.#latest.get(point);
  }

  all(): Generator<StoredReading> {
    return this.#latest.range(0);
  }

  /** Takes committed readings; an older one never replaces a newer one (I8). */
  apply(readings: readonly StoredReading[]): void {
    for (const reading of readings) {
      this.#take(reading);
      this.#dirty.add(Math.floor(reading.point / CHUNK_POINTS));
    }
    this.#sinceRound += readings.length;
  }

  /** What the next group shall write of the twins; `position` is where the last applied group ended. */
  nextRows(
    position: ReplayPosition,
    now: Uptime,
    extent: "some" | "all",
  ): Pick<CommitGroup, "twins" | "replayFrom"> {
    if (this.#round === undefined && (extent === "all" || this.#isRoundDue(now))) {
      this.#round = { from: position, chunks: [...this.#dirty] };
      this.#dirty.clear();
      this.#sinceRound = 0;
      this.#lastRound = now;
    }
    if (this.#round === undefined) return { twins: [], replayFrom: null };
    const { from, chunks } = this.#round;
    const twins = chunks
      .splice(0, extent === "all" ? chunks.length : CHUNKS_PER_GROUP)
      .map((chunk) => this.#encode(chunk));
    if (chunks.length > 0) return { twins, replayFrom: null };
    this.#round = undefined;
    return { twins, replayFrom: from };
  }

  /** Entries after it are needed to complete the stored twins: they must not be removed. */
  get replayPosition(): ReplayPosition {
    return this.#replayPosition;
  }

  noteReplayPosition(committed: ReplayPosition): void {
    this.#replayPosition = committed;
  }

  /** Whether twins changed that no row holds yet. */
  get hasUnwritten(): boolean {
    return this.#dirty.size > 0 || this.#round !== undefined;
  }

  #isRoundDue(now: Uptime): boolean {
    if (this.#dirty.size === 0) return false;
    return this.#sinceRound >= ROUND_READINGS || since(this.#lastRound, now) >= ROUND_EVERY;
  }

  #take(reading: StoredReading): void {
    if (this.#latest.versionOf(reading.point) < reading.stateVersion) this.#latest.set(reading);
  }

  #encode(chunk: number): { readonly chunk: number; readonly block: Uint8Array } {
    const first = chunk * CHUNK_POINTS;
    const readings = [...this.#latest.range(first, first + CHUNK_POINTS)];
    return { chunk, block: encodePointsBlock({ storedAt: Millis(0), timeQuality: "unset", readings }) };
  }
}

/** What a file holds of the twins. */
export interface StoredTwins {
  readonly rows: Iterable<StoredReading>;
  /** Readings of the entries after `position`. */
  readonly replayed: Iterable<StoredReading>;
  readonly position: ReplayPosition;
}

/** To be walked at once, rows first. Broken rows and entries are left out. */
export function readStoredTwins(database: StoreDatabase): StoredTwins {
  const position = readReplayPosition(database);
  return { rows: readRows(database), replayed: readAfter(database, position), position };
}

function* readRows(database: StoreDatabase): Generator<StoredReading> {
  const rows = database
    .prepare<[], { block: Buffer; crc32: number }>("select block, crc32 from twins")
    .iterate();
  for (const { block, crc32: expected } of rows)
    if (crc32(block) === expected) yield* decodePointsBlock(block).readings;
}

function* readAfter(database: StoreDatabase, position: ReplayPosition): Generator<StoredReading> {
  for (const lane of ["B", "C"] as const) {
    const entries = database.prepare<unknown[], { frame: Buffer }>(
      `select frame from ${entriesTable(lane)} where incarnation > :incarnation
         or (incarnation = :incarnation and first_seq > :sequence) order by incarnation, first_seq`,
    );
    const place = { incarnation: position.incarnation, sequence: position[lane] };
    for (const { frame } of entries.iterate(place)) yield* readingsOf(frame);
  }
}

function readReplayPosition(database: StoreDatabase): ReplayPosition {
  const figures = readFigures(database);
  const figure = (name: string): number => figures.get(name) ?? 0;
  return { incarnation: figure("replay_incarnation"), B: figure("replay_b"), C: figure("replay_c") };
}

/** Single numbers that telemetry.db keeps. */
export function readFigures(database: StoreDatabase): ReadonlyMap<string, number> {
  const rows = database.prepare<[], { name: string; value: number }>("select name, value from figures").all();
  return new Map(rows.map(({ name, value }) => [name, value]));
}
