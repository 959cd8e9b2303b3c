import { crc32 } from "node:zlib";
import type { TelemetryLane } from "../../../domain/lane.ts";
import { type EntryKind, encodeEntry } from "../../../domain/wire/entry.ts";
import { bringHome, migrate, openForWriting, type StoreDatabase, type StoreStatement } from "../database.ts";
import { entriesTable, type Incarnation, insertIncarnations, LANE_CODES } from "../incarnations.ts";

/** WAL bytes after which it is brought home: bounds the file and the work of the next opening. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const CHECKPOINT_GROUPS = 500;

/** What one transaction of telemetry.db writes. Immutable: a group whose fate is unknown is written again as it was. */
export interface CommitGroup {
  /** Grows by one over the store's life: tells after a failure whether the group is in the file. */
  readonly number: number;
  readonly entries: readonly GroupEntry[];
  /** Highest `stateVersion` given so far. */
  readonly stateVersion: number;
  readonly points: readonly (readonly [number: number, pointId: string])[];
  readonly twins: readonly { readonly chunk: number; readonly block: Uint8Array }[];
  /** Set when all twins written since are complete: only later entries are needed to bring them up to date. */
  readonly replayFrom: ReplayPosition | null;
  readonly acknowledgements: readonly {
    readonly incarnation: number;
    readonly lane: TelemetryLane | "A";
    readonly state: string;
  }[];
  readonly removals: readonly Removal[];
  readonly quarantines: readonly QuarantineOrder[];
}

export interface GroupEntry {
  readonly lane: TelemetryLane;
  readonly first: number;
  readonly count: number;
  readonly kind: EntryKind;
  readonly body: Uint8Array;
  /** Gateway's wall clock in minutes since 1970, of its first record. */
  readonly minute: number;
}

/** Highest sequences whose readings are in the stored twins. */
export interface ReplayPosition {
  readonly incarnation: number;
  readonly B: number;
  readonly C: number;
}

/** Entries that lie wholly between `first` and `last`, both included. */
export interface Removal {
  readonly incarnation: number;
  readonly lane: TelemetryLane;
  readonly first: number;
  readonly last: number;
}

export interface QuarantineOrder {
  readonly incarnation: number;
  readonly lane: TelemetryLane;
  readonly first: number;
  readonly cause: string;
}

/** The only writer of telemetry.db; runs in the worker thread. */
export class TelemetryWriter {
  readonly #database: StoreDatabase;
  readonly #incarnation: Incarnation;
  readonly #insertEntry: Readonly<Record<TelemetryLane, StoreStatement>>;
  readonly #setCounter: StoreStatement;
  readonly #insertMark: StoreStatement;
  readonly #setFigure: StoreStatement;
  readonly #commit: (group: CommitGroup) => void;
  readonly #minutes = new Map<TelemetryLane, number>();
  #bytesSince = 0;
  #groupsSince = 0;

  /** Migrates, and makes sure that every opening is known; the last of `incarnations` is the one that writes. */
  constructor(path: string, incarnations: readonly Incarnation[]) {
    const database = openForWriting(path);
    const current = incarnations.at(-1);
    if (current === undefined) throw new RangeError("no incarnation to write for");
    migrate(database, "telemetry");
    database.transaction(() => insertIncarnations(database, incarnations)).immediate();
    bringHome(database);
    this.#database = database;
    this.#incarnation = current;
    const insertEntry = (lane: TelemetryLane): StoreStatement =>
      database.prepare(`insert into ${entriesTable(lane)} values (?, ?, ?, ?)`);
    this.#insertEntry = { B: insertEntry("B"), C: insertEntry("C"), D: insertEntry("D") };
    this.#setCounter = database.prepare(
      "insert into counters values (?, ?, ?) on conflict do update set highest = excluded.highest",
    );
    this.#insertMark = database.prepare("insert into marks values (?, ?, ?, ?)");
    this.#setFigure = database.prepare(
      "insert into figures values (?, ?) on conflict do update set value = excluded.value",
    );
    const commit = database.transaction((group: CommitGroup) => this.#write(group));
    this.#commit = (group) => commit.immediate(group);
  }

  /** Number of the last group in the file; 0 when there is none. */
  lastGroup(): number {
    const row = this.#database.prepare("select value from figures where name = 'group_number'").pluck().get();
    return Number(row ?? 0);
  }

  /** Returns when the group is durable. */
  commit(group: CommitGroup): void {
    this.#commit(group);
    this.#groupsSince += 1;
  }

  /** Brings the WAL home when it has grown; apart from `commit`, so that nobody waits for it. */
  tidyUp(): void {
    if (this.#bytesSince < CHECKPOINT_BYTES && this.#groupsSince < CHECKPOINT_GROUPS) return;
    this.#database.pragma("wal_checkpoint(PASSIVE)");
    this.#bytesSince = 0;
    this.#groupsSince = 0;
  }

  close(): void {
    try {
      this.#database.pragma("wal_checkpoint(TRUNCATE)");
    } finally {
      this.#database.close();
    }
  }

  /** For a connection that may be broken: no checkpoint. */
  abandon(): void {
    this.#database.close();
  }

  #write(group: CommitGroup): void {
    this.#writeOrders(group);
    for (const entry of group.entries) this.#writeEntry(entry);
    const points = this.#database.prepare("insert or ignore into points values (?, ?)");
    for (const [number, pointId] of group.points) points.run(number, pointId);
    this.#writeTwins(group);
    const acknowledgements = this.#database.prepare(
      "insert into acknowledgements values (?, ?, ?) on conflict do update set state = excluded.state",
    );
    for (const each of group.acknowledgements)
      acknowledgements.run(each.incarnation, LANE_CODES[each.lane], each.state);
    this.#setFigure.run("state_version", group.stateVersion);
    this.#setFigure.run("group_number", group.number);
  }

  #writeEntry(entry: GroupEntry): void {
    const { lane, first, count, kind, body, minute } = entry;
    const { number, id } = this.#incarnation;
    const frame = encodeEntry({ incarnation: id, lane, range: { first, count }, kind, body });
    this.#insertEntry[lane].run(number, first, count, frame);
    this.#setCounter.run(number, LANE_CODES[lane], first + count - 1);
    if (this.#minutes.get(lane) !== minute) {
      this.#insertMark.run(number, LANE_CODES[lane], first, minute);
      this.#minutes.set(lane, minute);
    }
    this.#bytesSince += frame.length;
  }

  #writeTwins(group: CommitGroup): void {
    if (group.twins.length === 0 && group.replayFrom === null) return;
    const insert = this.#database.prepare("insert or replace into twins values (?, ?, ?)");
    for (const { chunk, block } of group.twins) {
      insert.run(chunk, block, crc32(block));
      this.#bytesSince += block.length;
    }
    if (group.replayFrom === null) return;
    this.#setFigure.run("replay_incarnation", group.replayFrom.incarnation);
    this.#setFigure.run("replay_b", group.replayFrom.B);
    this.#setFigure.run("replay_c", group.replayFrom.C);
  }

  #writeOrders(group: CommitGroup): void {
    for (const each of group.quarantines) this.#quarantine(each);
    for (const each of group.removals) this.#remove(each);
  }

  #quarantine(order: QuarantineOrder): void {
    const table = entriesTable(order.lane);
    this.#database
      .prepare(
        `insert into quarantine (incarnation, lane, first_seq, count, frame, cause)
         select incarnation, ?, first_seq, count, frame, ? from ${table} where incarnation = ? and first_seq = ?`,
      )
      .run(LANE_CODES[order.lane], order.cause, order.incarnation, order.first);
    this.#database
      .prepare(`delete from ${table} where incarnation = ? and first_seq = ?`)
      .run(order.incarnation, order.first);
  }

  /** The last mark stays: the entries that follow it in its minute are found by it. */
  #remove({ incarnation, lane, first, last }: Removal): void {
    const code = LANE_CODES[lane];
    this.#database
      .prepare(
        `delete from ${entriesTable(lane)} where incarnation = ? and first_seq between ? and ? and first_seq + count - 1 <= ?`,
      )
      .run(incarnation, first, last, last);
    this.#database
      .prepare(
        `delete from marks where incarnation = :incarnation and lane = :lane and first_seq >= :first and first_seq <
           (select max(first_seq) from marks where incarnation = :incarnation and lane = :lane and first_seq <= :last)`,
      )
      .run({ incarnation, lane: code, first, last });
  }
}
