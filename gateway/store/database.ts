import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { basename } from "node:path";
import Database from "better-sqlite3";
import { StoreError } from "./store.ts";

/** The one file that knows better-sqlite3. Everything it answers is synchronous (DESIGN §6). */
export type StoreDatabase = Database.Database;
export type StoreStatement = Database.Statement<unknown[]>;
export type StoreFile = "critical" | "telemetry";

/** Older ones may corrupt a file when the WAL is reset (PROTOCOL, measured facts). */
const SQLITE_VERSION_MIN = [3, 51, 3] as const;
const BUSY_TIMEOUT_MS = 5_000;

/** @throws {StoreError} `sqlite-too-old` */
export function assertSqliteVersion(version: string = sqliteVersion()): void {
  const parts = version.split(".").map(Number);
  const difference = SQLITE_VERSION_MIN.map((least, index) => (parts[index] ?? 0) - least).find(
    (each) => each !== 0,
  );
  if (Number.isNaN(parts[0]) || (difference ?? 0) < 0) {
    throw new StoreError("sqlite-too-old", `SQLite ${version} is older than ${SQLITE_VERSION_MIN.join(".")}`);
  }
}

function sqliteVersion(): string {
  const memory = new Database(":memory:");
  try {
    return String(memory.prepare("select sqlite_version()").pluck().get());
  } finally {
    memory.close();
  }
}

/**
 * KiB of pages that each connection keeps. The build's own 16 MiB were held three times a gateway; what is written is
 * appended, and what is read again stands in memory or in the system's cache.
 */
const CACHE_KIB = 2_048;

/** Opens for writing, in WAL mode with FULL durability; checkpoints are made by hand, off the hot path. */
export function openForWriting(path: string): StoreDatabase {
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.pragma("journal_mode = WAL");
    // The build's own default in WAL is NORMAL, which loses the last seconds at a power cut (STACK §1).
    database.pragma("synchronous = FULL");
    database.pragma("wal_autocheckpoint = 0");
    database.pragma("journal_size_limit = 67108864");
    database.pragma("trusted_schema = OFF");
    database.pragma(`cache_size = -${CACHE_KIB}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** @throws if the file is not there. */
export function openForReading(path: string): StoreDatabase {
  const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  database.pragma(`cache_size = -${CACHE_KIB}`);
  return database;
}

/** An exclusive lock that the kernel gives back when the process ends, however it ends. `undefined`: held by another. */
export function lockExclusively(path: string): StoreDatabase | undefined {
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec("begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if (sqliteCode(error).startsWith("SQLITE_BUSY")) return undefined;
    throw error;
  }
}

/** Runs what is missing of `migrations/<file>/NNNN-*.sql`, each in its own transaction; forward only. */
export function migrate(database: StoreDatabase, file: StoreFile): void {
  const folder = new URL(`./migrations/${file}/`, import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  const version = schemaVersion(database);
  assertSchemaKnown(version, names.length, database.name);
  names.slice(version).forEach((name, index) => {
    const sql = readFileSync(new URL(name, folder), "utf8");
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${version + index + 1}`);
    })();
  });
}

/** Number of the last migration this program knows. */
export function newestSchema(file: StoreFile): number {
  return readdirSync(new URL(`./migrations/${file}/`, import.meta.url)).filter((name) =>
    name.endsWith(".sql"),
  ).length;
}

export function schemaVersion(database: StoreDatabase): number {
  return Number(database.pragma("user_version", { simple: true }));
}

/** @throws {StoreError} `newer-schema` */
export function assertSchemaKnown(version: number, newest: number, path: string): void {
  if (version <= newest) return;
  throw new StoreError(
    "newer-schema",
    `${basename(path)} has schema ${version}, this gateway knows ${newest}`,
  );
}

/** What is structurally wrong with the file, or `undefined`. Reads every page. */
export function findDamage(database: StoreDatabase): string | undefined {
  const answer = String(database.pragma("quick_check(1)", { simple: true }));
  return answer === "ok" ? undefined : answer;
}

/** Everything in WAL mode goes home and reaches the disk; the WAL is emptied. @throws if another connection was in the way. */
export function bringHome(database: StoreDatabase): void {
  const [answer] = database.pragma("wal_checkpoint(TRUNCATE)") as readonly { readonly busy: number }[];
  if (answer?.busy !== 0) throw new Error(`the WAL of ${basename(database.name)} is in use`);
}

/** Renames a broken file and what belongs to it, never deletes it. Returns its new name. */
export function setAside(path: string, at: number): string {
  const suffix = `set-aside-${new Date(at).toISOString().replaceAll(":", "-")}`;
  for (const part of ["", "-wal", "-shm"]) {
    if (existsSync(path + part)) renameSync(path + part, `${path}.${suffix}${part}`);
  }
  return `${basename(path)}.${suffix}`;
}

/** SQLite's extended result code, or an empty text for any other error. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : "";
}

/** What SQLite said at the beginning of a chain of causes, also in the worker thread; an empty text if it was not SQLite. */
export function rootCode(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) {
    const code = (each as { readonly code?: unknown }).code;
    if (typeof code === "string" && code.startsWith("SQLITE_")) return code;
  }
  return "";
}

/**
 * What `work` reads of the file. @throws {StoreError} `unreadable` for whatever SQLite says instead: its own errors do not
 * leave the store.
 */
export function readFrom<Result>(database: StoreDatabase, work: () => Result): Result {
  assertOpen(database);
  try {
    return work();
  } catch (cause) {
    throw asUnreadable(database, cause);
  }
}

/** Likewise, row by row. */
export function* rowsFrom<Row>(database: StoreDatabase, work: () => Iterable<Row>): Generator<Row> {
  assertOpen(database);
  try {
    yield* work();
  } catch (cause) {
    throw asUnreadable(database, cause);
  }
}

/** A file that could not be opened again after a failed write (PROTOCOL §5). */
function assertOpen(database: StoreDatabase): void {
  if (!database.open) throw new StoreError("unreadable", `${basename(database.name)} is not open`);
}

function asUnreadable(database: StoreDatabase, cause: unknown): unknown {
  const code = sqliteCode(cause);
  if (code === "") return cause;
  return new StoreError("unreadable", `reading ${basename(database.name)} failed with ${code}`, { cause });
}

/** Whether the error says that the file's content is broken, so that it must be set aside. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
}
