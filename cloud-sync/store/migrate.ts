import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { CenterStoreError } from "./center-store-error.ts";
import type { Database, ScriptConnection } from "./database.ts";

/** Any number that no other program uses on the same database. */
const MIGRATION_LOCK = 4_170_326_001;

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly hash: string;
}

/**
 * Brings the database to this code's schema: each file of `folder` once, in order, in a transaction of its own.
 * Centers that start together wait for each other.
 * @throws {CenterStoreError} `newer-schema`, `changed-migration`
 */
export async function migrate(
  database: Database,
  options: { readonly folder: string; readonly logger: Logger },
): Promise<void> {
  const migrations = readMigrations(options.folder);
  await database.alone(async (connection) => {
    await connection.query({ name: "migration-lock", text: "select pg_advisory_lock($1)" }, [MIGRATION_LOCK]);
    await connection.script(
      "create table if not exists migrations (number integer primary key, name text not null, hash text not null, applied_at timestamptz not null default now())",
    );
    const applied = await connection.query<{ number: number; name: string; hash: string }>(
      { name: "migrations-applied", text: "select number, name, hash from migrations order by number" },
      [],
    );
    for (const each of applied) check(each, migrations);
    const done = new Set(applied.map((each) => each.number));
    for (const migration of migrations) {
      if (done.has(migration.number)) continue;
      await apply(connection, migration);
      options.logger.info({ migration: migration.name }, "migrated the database");
    }
  });
}

function readMigrations(folder: string): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), "utf8");
      const hash = createHash("sha256").update(sql).digest("hex");
      return { number: Number(name.slice(0, 4)), name, sql, hash };
    });
}

function check(
  applied: { readonly number: number; readonly name: string; readonly hash: string },
  migrations: readonly Migration[],
): void {
  const ours = migrations.find((each) => each.number === applied.number);
  if (ours === undefined)
    throw new CenterStoreError("newer-schema", `migration ${applied.name} ran on this database`);
  if (ours.hash !== applied.hash) {
    throw new CenterStoreError("changed-migration", `compare ${ours.name} with what ran on this database`);
  }
}

async function apply(connection: ScriptConnection, migration: Migration): Promise<void> {
  try {
    await connection.script("begin");
    await connection.script(migration.sql);
    await connection.query(
      { name: "migration-applied", text: "insert into migrations (number, name, hash) values ($1, $2, $3)" },
      [migration.number, migration.name, migration.hash],
    );
    await connection.script("commit");
  } catch (cause) {
    // The connection is thrown away after the migrations, and the transaction with it.
    throw new Error(`run migration ${migration.name}`, { cause });
  }
}
