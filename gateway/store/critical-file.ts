import type { Logger } from "pino";
import {
  bringHome,
  openForWriting,
  readFrom,
  rootCode,
  type StoreDatabase,
  type StoreStatement,
  sqliteCode,
} from "./database.ts";
import { StoreError } from "./store.ts";
import type { WriteGuard } from "./write-guard.ts";

/** Transactions after which the WAL is asked to be brought home by the worker, and by this thread if it did not. */
const CHECKPOINT_EVERY = 500;
const CHECKPOINT_OVERDUE = 20_000;

/**
 * The connection to critical.db. An error of the disk leaves the fate of a commit unknown (PROTOCOL, measured
 * facts): the caller is told `not-durable`, and before anything else is written the file is opened anew and its WAL
 * brought home with an fsync of freshly written pages, so that nothing rests on a page the kernel gave up (I16).
 */
export class CriticalFile {
  readonly path: string;
  readonly #logger: Logger;
  readonly #guard: WriteGuard | undefined;
  #database: StoreDatabase;
  #generation = 0;
  #failure: StoreError | undefined;
  #sinceCheckpoint = 0;
  #askCheckpoint: () => void = () => undefined;

  /** Without guard: a file that is only looked at. */
  constructor(
    path: string,
    database: StoreDatabase,
    context: { readonly logger: Logger; readonly guard?: WriteGuard },
  ) {
    this.path = path;
    this.#database = database;
    this.#logger = context.logger;
    this.#guard = context.guard;
  }

  get database(): StoreDatabase {
    return this.#database;
  }

  /** Of the last write, if it failed. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** `ask` is called when the WAL should be brought home; the worker does it on a connection of its own. */
  checkpointWith(ask: () => void): void {
    this.#askCheckpoint = ask;
  }

  /** A statement prepared once for each connection. */
  statement<Row = unknown>(sql: string): CriticalStatement<Row> {
    let generation = -1;
    let prepared: StoreStatement | undefined;
    const current = (): StoreStatement => {
      if (prepared === undefined || generation !== this.#generation) {
        prepared = this.#database.prepare(sql);
        generation = this.#generation;
      }
      return prepared;
    };
    return {
      run: (...values) => current().run(...values).changes,
      get: (...values) => this.#read(() => current().get(...values) as Row | undefined),
      all: (...values) => this.#read(() => current().all(...values) as Row[]),
    };
  }

  /** In a transaction the error is the transaction's. */
  #read<Result>(work: () => Result): Result {
    return this.#database.inTransaction ? work() : readFrom(this.#database, work);
  }

  /**
   * All or nothing, with FULL durability on return. `evidence`: if the disk is full the ballast is given for it.
   * @throws {StoreError} `not-durable`, `read-only`; whatever `work` throws undoes it.
   */
  transaction<Result>(work: () => Result, need: "evidence" | "other" = "other"): Result {
    const refusal = this.#guard?.refusalOfAny;
    if (refusal !== undefined) throw refusal;
    try {
      return this.#attempt(work);
    } catch (error) {
      if (need === "other" || error !== this.#failure || this.#guard?.makeRoom(error) !== true) throw error;
    }
    this.#logger.warn({ file: "critical" }, "the disk is full: the ballast was given for evidence");
    const result = this.#attempt(work);
    this.#guard.roomMade();
    return result;
  }

  close(): void {
    try {
      if (this.#failure === undefined) this.#database.pragma("wal_checkpoint(TRUNCATE)");
    } finally {
      this.#database.close();
    }
  }

  #attempt<Result>(work: () => Result): Result {
    if (this.#failure !== undefined) this.#reopen();
    try {
      const result = this.#database.transaction(work).immediate();
      this.#countTransaction();
      return result;
    } catch (cause) {
      if (sqliteCode(cause) === "") throw cause;
      throw this.#fail(cause);
    }
  }

  #fail(cause: unknown): StoreError {
    const what = `writing critical.db failed with ${rootCode(cause) || "an error"}`;
    const failure = new StoreError("not-durable", what, { cause });
    this.#failure = failure;
    this.#guard?.note("critical", failure);
    return this.#guard?.refusal("critical") ?? failure;
  }

  /** The old connection is kept until the new one has proved itself: it can still be read. */
  #reopen(): void {
    let opened: StoreDatabase | undefined;
    try {
      opened = openForWriting(this.path);
      bringHome(opened);
      this.#database.close();
    } catch (cause) {
      opened?.close();
      throw this.#fail(cause);
    }
    this.#database = opened;
    this.#generation += 1;
    this.#failure = undefined;
    this.#logger.warn({ file: "critical" }, "opened again after a failed write");
  }

  #countTransaction(): void {
    this.#sinceCheckpoint += 1;
    if (this.#sinceCheckpoint % CHECKPOINT_EVERY === 0) this.#askCheckpoint();
    if (this.#sinceCheckpoint < CHECKPOINT_OVERDUE) return;
    this.#database.pragma("wal_checkpoint(PASSIVE)");
    this.#sinceCheckpoint = 0;
  }
}

export interface CriticalStatement<Row> {
  /** Rows changed. */
  run(...values: readonly unknown[]): number;
  get(...values: readonly unknown[]): Row | undefined;
  all(...values: readonly unknown[]): readonly Row[];
}
