import type { Logger } from "pino";
import {
  bringHome,
  openForWriting,
  type StoreDatabase,
  type StoreStatement,
  sqliteCode,
} from "./database.ts";
import { StoreError } from "./store.ts";

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
  #database: StoreDatabase;
  #generation = 0;
  #failure: StoreError | undefined;
  #sinceCheckpoint = 0;
  #askCheckpoint: () => void = () => undefined;

  constructor(path: string, database: StoreDatabase, logger: Logger) {
    this.path = path;
    this.#database = database;
    this.#logger = logger;
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
      get: (...values) => current().get(...values) as Row | undefined,
      all: (...values) => current().all(...values) as Row[],
    };
  }

  /** All or nothing, with FULL durability on return. @throws {StoreError} `not-durable`; whatever `work` throws undoes it. */
  transaction<Result>(work: () => Result): Result {
    if (this.#failure !== undefined) this.#reopen();
    try {
      const result = this.#database.transaction(work).immediate();
      this.#countTransaction();
      return result;
    } catch (cause) {
      if (sqliteCode(cause) === "") throw cause;
      this.#failure = new StoreError("not-durable", `writing critical.db failed with ${sqliteCode(cause)}`, {
        cause,
      });
      throw this.#failure;
    }
  }

  close(): void {
    try {
      if (this.#failure === undefined) this.#database.pragma("wal_checkpoint(TRUNCATE)");
    } finally {
      this.#database.close();
    }
  }

  #reopen(): void {
    try {
      this.#database.close();
      this.#database = openForWriting(this.path);
      this.#generation += 1;
      bringHome(this.#database);
    } catch (cause) {
      throw new StoreError("not-durable", "critical.db could not be opened again after a failed write", {
        cause,
      });
    }
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
