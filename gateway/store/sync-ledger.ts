import type { IncarnationId } from "../../domain/ids.ts";
import type { Lane, RangeSet, SequenceRange } from "../../domain/lane.ts";
import type { Instant } from "../../domain/time.ts";
import { BATCH_BODY_MAX_BYTES } from "../../domain/wire/batch.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import { heldByCenter } from "./acknowledgements.ts";
import type { CriticalFile } from "./critical-file.ts";
import type { CriticalSettings } from "./critical-values.ts";
import { readFrom, rowsFrom, type StoreDatabase } from "./database.ts";
import { entriesTable, LANE_CODES } from "./incarnations.ts";
import { findLowest, type LaneBook, type LanePage } from "./lane-book.ts";
import type { DiskUse, EntryQuery, LaneHead, ReadOnlyStore, StoredEntry, SyncLedger } from "./store.ts";
import type { TelemetryLog } from "./telemetry-log.ts";

const WARN_SHARE = 0.7;
const CRITICAL_SHARE = 0.9;

export interface SyncViewParts {
  readonly critical: CriticalFile;
  /** Reads telemetry.db. */
  readonly reader: StoreDatabase;
  readonly settings: CriticalSettings;
  readonly lanes: LaneBook;
  readonly quotaBytes: number;
  /** Of the disk, for the store. */
  readonly freeBytes: () => number;
}

export interface SyncParts extends SyncViewParts {
  readonly log: TelemetryLog;
}

interface EntryRow {
  readonly first_seq: number;
  readonly count: number;
  readonly frame: Buffer;
}

type ReadOnlySync = ReadOnlyStore["sync"];

/** What can be told of the lanes without writing: also to a diagnosis while the gateway is down. */
export class SyncView implements ReadOnlySync {
  readonly #parts: SyncViewParts;

  constructor(parts: SyncViewParts) {
    this.#parts = parts;
  }

  heads(): readonly LaneHead[] {
    return this.#parts.lanes
      .pages()
      .filter((page) => page.highest > 0)
      .map((page) => ({
        incarnation: page.incarnation.id,
        lane: page.lane,
        lowestRetained: this.#lowestOf(page),
        highestWritten: page.highest,
      }));
  }

  acknowledged(incarnation: IncarnationId, lane: Lane): RangeSet {
    const page = this.#parts.lanes.find(incarnation, lane);
    return page === undefined ? [] : heldByCenter(page.acknowledgement);
  }

  backlog(): Readonly<Record<Lane, number>> {
    const backlog: Record<Lane, number> = { A: 0, B: 0, C: 0, D: 0 };
    for (const page of this.#parts.lanes.pages()) backlog[page.lane] += this.#parts.lanes.backlogOf(page);
    return backlog;
  }

  highestSession(): string | null {
    return this.#parts.settings.highestSession();
  }

  safeTime(): Instant {
    return this.#parts.settings.safeTime();
  }

  disk(): DiskUse {
    const { critical, reader, freeBytes } = this.#parts;
    const sizes = [sizeOf(critical.database), sizeOf(reader)];
    const sum = (name: "used" | "whole"): number => sizes.reduce((total, size) => total + size[name], 0);
    const usedBytes = sum("used");
    // A disk that others fill is a smaller quota: what is freed inside the files is all that is left then.
    const quotaBytes = Math.min(this.#parts.quotaBytes, sum("whole") + freeBytes());
    const share = usedBytes / quotaBytes;
    return {
      usedBytes,
      quotaBytes,
      state: share >= CRITICAL_SHARE ? "critical" : share >= WARN_SHARE ? "warn" : "ok",
    };
  }

  #lowestOf(page: LanePage): number {
    const database = this.databaseOf(page);
    page.lowest ??= readFrom(database, () => findLowest(database, page));
    return page.lowest;
  }

  protected databaseOf(page: LanePage): StoreDatabase {
    return page.lane === "A" ? this.#parts.critical.database : this.#parts.reader;
  }
}

/** The uplink's side of the store. */
export class StoreSyncLedger extends SyncView implements SyncLedger {
  readonly #parts: SyncParts;
  /** Entries on their way to quarantine: seen by readers until the worker has moved them. */
  readonly #broken = new Set<string>();

  constructor(parts: SyncParts) {
    super(parts);
    this.#parts = parts;
  }

  /** Entries found broken in this opening. */
  get quarantined(): number {
    return this.#broken.size;
  }

  readEntries(query: EntryQuery): readonly StoredEntry[] {
    const page = this.#parts.lanes.find(query.incarnation, query.lane);
    if (page === undefined) return [];
    const found: StoredEntry[] = [];
    const broken: { readonly row: EntryRow; readonly cause: string }[] = [];
    let records = 0;
    let bytes = 0;
    for (const row of this.#rows(page, query.from)) {
      if (this.#broken.has(keyOf(page, row.first_seq))) continue;
      const cause = findFault(page, row);
      if (cause !== undefined) {
        broken.push({ row, cause });
        continue;
      }
      records += row.count;
      bytes += row.frame.length;
      if (found.length > 0 && (records > query.maxRecords || bytes > BATCH_BODY_MAX_BYTES)) break;
      found.push({ range: { first: row.first_seq, count: row.count }, frame: row.frame });
    }
    for (const { row, cause } of broken) this.#setAside(page, row, cause);
    return found;
  }

  /** Reads every entry not told yet, so that what broke on the disk is found before anything rests on it (I15). */
  scan(): number {
    const before = this.#broken.size;
    for (const page of this.#parts.lanes.pages()) {
      if (this.#parts.lanes.backlogOf(page) === 0) continue;
      for (let from = 1; from <= page.highest; ) {
        const last = this.readEntries({
          incarnation: page.incarnation.id,
          lane: page.lane,
          from,
          maxRecords: 100_000,
        }).at(-1);
        if (last === undefined) break;
        from = last.range.first + last.range.count;
      }
    }
    return this.#broken.size - before;
  }

  acknowledge(incarnation: IncarnationId, lane: Lane, ranges: RangeSet, session: string): void {
    const page = this.#parts.lanes.find(incarnation, lane);
    if (page === undefined || ranges.length === 0) return;
    this.#parts.lanes.acknowledge(page, ranges, session);
    this.#parts.log.notePending();
  }

  rememberSession(session: string): void {
    this.#parts.settings.rememberSession(session);
  }

  rememberSafeTime(at: Instant): void {
    this.#parts.settings.rememberSafeTime(at);
  }

  #rows(page: LanePage, from: number): Generator<EntryRow> {
    const database = this.databaseOf(page);
    return rowsFrom(database, () =>
      database
        .prepare<unknown[], EntryRow>(
          `select first_seq, count, frame from ${entriesTable(page.lane)} where incarnation = ? and first_seq >= ? order by first_seq`,
        )
        .iterate(page.incarnation.number, from),
    );
  }

  /** Moves the entry to the quarantine and declares what is thereby never told (I14, I15). */
  #setAside(page: LanePage, row: EntryRow, cause: string): void {
    const { lane, incarnation } = page;
    const range: SequenceRange = { first: row.first_seq, count: row.count };
    this.#broken.add(keyOf(page, row.first_seq));
    this.#parts.lanes.drop(page, range);
    page.lowest = undefined;
    const reason = `stored bytes had changed: ${cause}`.slice(0, 200);
    const events = [{ kind: "gap" as const, lane, incarnation: incarnation.id, ...range, reason }];
    if (lane === "A") quarantineEvidence(this.#parts.critical, incarnation.number, row, cause);
    const quarantines =
      lane === "A" ? [] : [{ incarnation: incarnation.number, lane, first: row.first_seq, cause }];
    this.#parts.log.order({ quarantines, events });
  }
}

function keyOf(page: LanePage, first: number): string {
  return `${page.incarnation.number}/${page.lane}/${first}`;
}

/** Why the row can not be told, or `undefined`. Row and frame must agree: a flipped bit may sit in either. */
function findFault(page: LanePage, row: EntryRow): string | undefined {
  try {
    const { incarnation, lane, range } = decodeEntry(row.frame);
    const agrees =
      incarnation === page.incarnation.id &&
      lane === page.lane &&
      range.first === row.first_seq &&
      range.count === row.count &&
      row.frame.length > 0;
    return agrees ? undefined : "row and frame name different records";
  } catch (error) {
    return error instanceof WireError || error instanceof RangeError ? error.message : String(error);
  }
}

function quarantineEvidence(file: CriticalFile, incarnation: number, row: EntryRow, cause: string): void {
  const put = file.statement(
    "insert into quarantine (incarnation, lane, first_seq, count, frame, cause) values (?, ?, ?, ?, ?, ?)",
  );
  const remove = file.statement("delete from entries_a where incarnation = ? and first_seq = ?");
  file.transaction(() => {
    put.run(incarnation, LANE_CODES.A, row.first_seq, row.count, row.frame, cause);
    remove.run(incarnation, row.first_seq);
  });
}

/** Bytes of a file's free pages. */
export function freeInside(database: StoreDatabase): number {
  const { used, whole } = sizeOf(database);
  return whole - used;
}

/** Pages in use, and all. The WAL beside them is bounded (64 MiB) and holds nothing for long, so it is not counted. */
function sizeOf(database: StoreDatabase): { readonly used: number; readonly whole: number } {
  if (!database.open) return { used: 0, whole: 0 };
  const figure = (name: string): number => Number(database.pragma(name, { simple: true }));
  return readFrom(database, () => {
    const [pages, pageSize] = [figure("page_count"), figure("page_size")];
    return { used: (pages - figure("freelist_count")) * pageSize, whole: pages * pageSize };
  });
}
