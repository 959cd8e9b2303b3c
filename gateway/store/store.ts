import type { Logger } from "pino";
import type { Command, CommandState } from "../../domain/command.ts";
import type { BusId, CommandId, IncarnationId, PointId, PointNumber } from "../../domain/ids.ts";
import type { Lane, RangeSet, SequenceRange, TelemetryLane } from "../../domain/lane.ts";
import type { CommandClass } from "../../domain/point.ts";
import type { RandomSource } from "../../domain/random.ts";
import type { PointChange, PointValue, StoredReading } from "../../domain/reading.ts";
import type { Clock, Instant, Millis, Uptime } from "../../domain/time.ts";
import type { LineageEntry } from "../../domain/wire/hello.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import type { EventBody, EvidenceBody } from "../../domain/wire/record-kinds.ts";
import type { Pressure } from "./space/pressure.ts";

/**
 * The gateway's memory: two SQLite files that never share a transaction (DESIGN §6). What is asked here is
 * synchronous if SQLite answers it; only telemetry commits are awaited, since a worker thread makes them.
 */
export interface Store extends AsyncDisposable {
  /** Born at this opening (PROTOCOL §1). */
  readonly incarnation: IncarnationId;
  /** Uptime at which this incarnation opened: `tMono` counts from here. */
  readonly openedAt: Uptime;
  /** Oldest first; the last is this incarnation. */
  readonly lineage: readonly LineageEntry[];
  /** What opening found: an empty list, or files set aside and why; also told to the center. */
  readonly findings: readonly StoreFinding[];
  readonly evidence: EvidenceStore;
  readonly commands: CommandLedger;
  readonly telemetry: TelemetryStore;
  readonly sync: SyncLedger;
  readonly desired: DesiredValues;
  readonly holes: HoleMemory;
  /** Listeners are told, without data, that there may be something new; they must not throw. Returns the way to stop. */
  onEvidence(hint: () => void): () => void;
  onTelemetry(hint: () => void): () => void;
  /** Who knows how far the wall clock may be trusted; stamped into each record. Before it is told: `holdover`. */
  useTimeQuality(source: () => TimeQuality): void;
  /** Removes what may go by age and, near the quota, by PROTOCOL §5. Call it every few minutes. */
  runRetention(now: Instant): Promise<RetentionReport>;
  health(): StoreHealth;
}

/** Places of a unit that answer "illegal address", so that a restart need not look for them anew. One entry a unit. */
export interface HoleMemory {
  recall(busId: BusId, unitAddress: string): RememberedHoles | undefined;
  remember(unit: RememberedHoles & { readonly busId: BusId; readonly unitAddress: string }): void;
}
export interface RememberedHoles {
  /** Of what the unit was taken for when they were found; with another they mean nothing. */
  readonly fingerprint: string;
  readonly holes: readonly { readonly space: string; readonly first: number; readonly count: number }[];
}

/** Records that one run of the retention removed. */
export interface RetentionReport {
  /** Held by the center in two sync sessions, and old enough. */
  readonly aged: number;
  /** Held by the center, and given up for space. */
  readonly pressed: number;
  /** Told to nobody, and given up for space: each in a declared gap. */
  readonly gaps: number;
  /** Likewise, but `retold` readings of them are told again under new sequences. */
  readonly thinned: number;
  readonly retold: number;
  readonly usedShare: number;
  readonly pressure: Pressure;
}

/** `failing`: the last write failed, and the next one tries anew; `read-only`: until the gateway starts again. */
export type FileHealth = "durable" | "failing" | "read-only";

/** Shown by `nerve status`. */
export interface StoreHealth {
  readonly critical: FileHealth;
  readonly telemetry: FileHealth;
  /** Of the last failure while it lasts. */
  readonly detail: string | null;
  readonly pressure: Pressure;
  /** The disk was full, and what was kept back for lane A was given to it. */
  readonly ballastReleased: boolean;
  /** Readings given up since telemetry.db is read-only. */
  readonly unstored: number;
  /** Entries whose bytes had changed, set aside in the files' quarantine tables. */
  readonly quarantined: number;
}

export interface StoreFinding {
  readonly file: "critical" | "telemetry";
  /** Name in the same folder; `null`: the file stays in use, and `reason` says what of it can not be trusted. */
  readonly setAsideAs: string | null;
  readonly reason: string;
}

/** Lane A: hash-chained, committed with FULL durability before a call returns. @throws {StoreError} `not-durable`: nobody may act on it. */
export interface EvidenceStore {
  append(body: EvidenceBody): void;
}

/** Every command this gateway was ever asked for, for as long as the center may repeat it. */
export interface CommandLedger {
  find(id: CommandId): LedgerEntry | undefined;
  /** The fence of the point: the last command sequence that acted. Center and local each have their own. */
  lastFence(pointId: PointId, origin: "center" | "local"): CommandSequence | null;
  /** Intent, fence and the lane A record of `executing`, in one commit, before anything moves (I30). */
  begin(intent: CommandIntent): void;
  /** The end of a begun command with its lane A record, in one commit. */
  settle(id: CommandId, state: CommandState, at: Instant): void;
  /** A command that never began: tombstone and lane A record, in one commit. */
  refuse(intent: CommandIntent, state: CommandState): void;
  /** Newest first, at most `limit` (1 … 1,000). */
  recent(limit: number): readonly LedgerEntry[];
  /** Commands that were executing when the last incarnation ended: to be settled as `outcome-unknown` at start. */
  unsettled(): readonly LedgerEntry[];
}

/** Position in a point's order of commands: the center's (generation, counter), or this gateway's own with generation 0. */
export interface CommandSequence {
  readonly generation: number;
  readonly counter: number;
}

export interface CommandIntent {
  readonly command: Omit<Command, "state">;
  readonly origin: "center" | "local";
  /** Sync session it was judged in; `null` for a local one. */
  readonly session: string | null;
  readonly sequence: CommandSequence;
  readonly at: Instant;
}

export interface LedgerEntry extends CommandIntent {
  readonly state: CommandState;
  readonly settledAt: Instant | null;
}

export interface TelemetryStore {
  /** Numbers for these points: old ones keep theirs, new ones get the next; retired ones are never given again. */
  numberPoints(ids: readonly PointId[]): ReadonlyMap<PointId, PointNumber>;
  /** All that were ever numbered: the CATALOGUE also tells retired points while the store holds their records. */
  numberedPoints(): ReadonlyMap<PointId, PointNumber>;
  /**
   * Hands readings over for the next group commit (at most 200 ms). Never blocks and never refuses; above 50,000
   * waiting, the oldest readings of a point that has a newer one waiting are dropped into a declared gap.
   * Lane: C for a number of unchanged quality, else B (PROTOCOL §2).
   */
  accept(changes: readonly PointChange[]): void;
  /** Resolves when all that was accepted before is durable. @throws {StoreError} if it can not be known to be. */
  flush(): Promise<void>;
  appendEvent(lane: "B" | "D", body: EventBody): void;
  /** Latest committed reading of the point; survives a restart. */
  latest(point: PointNumber): StoredReading | undefined;
  /** Latest committed readings of all points, in no order. */
  latestAll(): Iterable<StoredReading>;
  /**
   * Called after each commit with what it made durable, in order: the twin publisher's and API's source. While the file is
   * read-only, with what is all the same. Returns the way to stop.
   */
  onCommit(listener: (readings: readonly StoredReading[]) => void): () => void;
  /**
   * Newest last, by gateway timestamp; at most `limit` (1 … 10,000) and the newest of them. One call looks through
   * at most 50,000 entries from `to` backwards, since it runs on the core's loop: ask for less time to see further.
   */
  history(point: PointNumber, span: HistorySpan): readonly PointChange[];
}

/** Both ends included. */
export interface HistorySpan {
  readonly from: Instant;
  readonly to: Instant;
  readonly limit: number;
}

/** What of each lane is still to be told, and what was told: the uplink's side of the store. */
export interface SyncLedger {
  /** Every (incarnation, lane) of which something is retained or was written in this incarnation. */
  heads(): readonly LaneHead[];
  /**
   * Whole entries (`domain/wire/entry.ts` frames, bytes as stored) that start at or after `from`, ascending, up to
   * `maxRecords` records; an entry is never split. An entry whose CRC is wrong is not returned: it is set aside and
   * a declared gap told in its place (I15).
   */
  readEntries(query: EntryQuery): readonly StoredEntry[];
  /** What the center says is durable there; ranges of entries it quarantined count too. */
  acknowledge(incarnation: IncarnationId, lane: Lane, ranges: RangeSet, session: string): void;
  acknowledged(incarnation: IncarnationId, lane: Lane): RangeSet;
  /** Records above the acknowledged cursor, per lane, over all incarnations. */
  backlog(): Readonly<Record<Lane, number>>;
  highestSession(): string | null;
  rememberSession(session: string): void;
  /** Latest time known to be true, PROTOCOL §6. */
  safeTime(): Instant;
  rememberSafeTime(at: Instant): void;
  disk(): DiskUse;
}

export interface DiskUse {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly state: "ok" | "warn" | "critical";
}

/** Both files as they lie, for a diagnosis while the gateway is down: makes no incarnation and writes nothing. */
export interface ReadOnlyStore extends Disposable {
  readonly lineage: readonly LineageEntry[];
  readonly commands: Pick<CommandLedger, "find" | "recent">;
  readonly telemetry: Pick<TelemetryStore, "latest" | "latestAll" | "numberedPoints" | "history">;
  readonly sync: Pick<
    SyncLedger,
    "heads" | "acknowledged" | "backlog" | "highestSession" | "safeTime" | "disk"
  >;
  readonly desired: Pick<DesiredValues, "find" | "all">;
}

export interface EntryQuery {
  readonly incarnation: IncarnationId;
  readonly lane: Lane;
  readonly from: number;
  readonly maxRecords: number;
}

export interface StoredEntry {
  readonly range: SequenceRange;
  readonly frame: Uint8Array;
}

export interface LaneHead {
  readonly incarnation: IncarnationId;
  readonly lane: Lane;
  /** 0 when nothing is retained. */
  readonly lowestRetained: number;
  /** 0 when nothing was written. */
  readonly highestWritten: number;
}

/** What each point should be, by whom, since when: the wanted half of the twin. */
export interface DesiredValues {
  set(pointId: PointId, desired: Desired): void;
  find(pointId: PointId): Desired | undefined;
  all(): ReadonlyMap<PointId, Desired>;
}
export interface Desired {
  readonly value: PointValue;
  readonly commandId: CommandId;
  readonly commandClass: CommandClass;
  readonly issuedBy: string;
  readonly at: Instant;
}

export interface StoreOptions {
  readonly folder: string;
  /** Of both files together, or what the disk has for them if that is less; how data gives way at it is PROTOCOL §5. Default 4 GiB. */
  readonly quotaBytes?: number;
  /** Room kept back for lane A on a full disk. Default 64 MiB, at most a sixteenth of the quota; 0: none. */
  readonly ballastBytes?: number;
  /** Acknowledged history is kept at least this long on site. Default 35 days. */
  readonly keepHistory?: Millis;
}

export interface StoreContext {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** Default: what the loaded SQLite answers. */
  readonly sqliteVersion?: string;
}

export const STORE_FAULTS = {
  "sqlite-too-old":
    "this SQLite has a known corruption in WAL reset: install the packages of the lock file with `npm ci`",
  "owned-by-another":
    "another gateway has this store open: stop it first, or give this one another dataFolder",
  "not-durable":
    "the disk did not confirm the write: nothing was done; see `nerve status`, check space and the disk",
  unreadable: "nothing was changed: look at `nerve status` and at the disk, then start the gateway again",
  "read-only":
    "the disk failed twice within 10 min, so nothing is written and commands are refused: save the dataFolder, change the disk, start again",
  "newer-schema":
    "the store was written by a newer gateway: start that version, or give this one another dataFolder",
  unusable: "check that the gateway's user owns the dataFolder and that its disk is mounted and answers",
} as const;
export type StoreFaultCode = keyof typeof STORE_FAULTS;

/** The store can not keep its promise; the message ends in what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreFaultCode;
  constructor(code: StoreFaultCode, message: string, options?: { readonly cause: unknown }) {
    super(`${message}: ${STORE_FAULTS[code]} (${code})`, options);
    this.code = code;
  }
}

export type { TelemetryLane };
