import pg from "pg";
import type { Logger } from "pino";

/** One prepared statement: its name is unique, so that each connection prepares it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A pool or a transaction: where statements run. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/** Statements of one transaction: they are committed together or not at all. */
export interface Transaction extends Queryable {
  readonly inTransaction: true;
}

const CONNECTIONS_MAX = 10;
/**
 * An answer means a durable commit, so synchronous_commit is on whatever the server's default (I4). A statement, a wait
 * for a lock and a silence within a transaction end after these, so that no lost client holds a gateway's row.
 */
const SESSION_OPTIONS =
  "-c synchronous_commit=on -c statement_timeout=60000 -c lock_timeout=20000 -c idle_in_transaction_session_timeout=60000 -c TimeZone=UTC";
const INT8 = 20;
const TIMESTAMPTZ = 1184;
const parseTimestamp = pg.types.getTypeParser(TIMESTAMPTZ);

/** PostgreSQL through `pg`; nothing of the library leaves this file but its row type. */
export class Database implements Queryable, AsyncDisposable {
  readonly #pool: pg.Pool;

  constructor(options: { readonly connectionString: string; readonly logger: Logger }) {
    this.#pool = new pg.Pool({
      connectionString: options.connectionString,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: 10_000,
      options: SESSION_OPTIONS,
      types: { getTypeParser: parserOf },
    });
    // Without a listener on each, a connection that breaks would end the process: idle, or within a transaction,
    // whose next statement then fails and tells.
    // The pool's own error carries the whole client with every statement: its message says enough.
    const note = ({ message }: Error): void => {
      if (!this.#pool.ending) options.logger.warn({ reason: message }, "a database connection broke");
    };
    this.#pool.on("error", note);
    this.#pool.on("connect", (client) => void client.on("error", note));
  }

  async query<Row extends pg.QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    const result = await this.#pool.query<Row>({ ...statement, values: [...values] });
    return result.rows;
  }

  /** Runs `work` in one transaction; commits when it resolves, rolls back when it rejects. */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("begin");
      const result = await work(transactionOn(client));
      await client.query("commit");
      return result;
    } catch (cause) {
      // A connection that can not even roll back is thrown away with its transaction.
      await client.query("rollback").catch((rollback: Error) => {
        broken = rollback;
      });
      throw cause;
    } finally {
      client.release(broken);
    }
  }

  /** Runs `work` on one connection without a time limit and without a transaction: for migrations. */
  async alone<Result>(work: (connection: ScriptConnection) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect();
    try {
      await client.query("set statement_timeout = 0; set lock_timeout = 0");
      return await work({ ...transactionOn(client), script: async (sql) => void (await client.query(sql)) });
    } finally {
      client.release(true);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

export interface ScriptConnection extends Queryable {
  /** Several statements in simple form, without values. */
  script(sql: string): Promise<void>;
}

/** Whether PostgreSQL refused the values themselves (SQLSTATE classes 22, 23), so that a retry changes nothing. */
export function isDataRefusal(cause: unknown): boolean {
  return cause instanceof pg.DatabaseError && /^2[23]/.test(cause.code ?? "");
}

/** An array parameter of numbers; faster than the library's own, which escapes each element. */
export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : value)).join(",")}}`;
}

function transactionOn(client: pg.PoolClient): Transaction {
  return {
    inTransaction: true,
    query: async <Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]) => {
      const result = await client.query<Row>({ ...statement, values: [...values] });
      return result.rows;
    },
  };
}

/** bigint as number (all ours are below 2^53), timestamps as milliseconds since 1970. */
function parserOf(oid: number, format?: "text" | "binary"): (text: string) => unknown {
  if (oid === INT8) return Number;
  if (oid === TIMESTAMPTZ) return (text) => parseTimestamp(text)?.getTime();
  return pg.types.getTypeParser(oid, format ?? "text");
}
