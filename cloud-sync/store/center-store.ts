import { join } from "node:path";
import type { Logger } from "pino";
import { type Clock, Millis } from "../../domain/time.ts";
import { CenterStoreError } from "./center-store-error.ts";
import { Database } from "./database.ts";
import { migrate } from "./migrate.ts";

export interface CenterStoreOptions {
  /** `postgres://…`; carries the password: never log it. */
  readonly connectionString: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** PostgreSQL may still be coming up beside us: so long it is tried again before the start fails. */
const CONNECT_PATIENCE = Millis(10_000);
const CONNECT_PAUSE = Millis(250);
const MIGRATIONS = join(import.meta.dirname, "migrations");

/**
 * Opens the center's database and brings it to this code's schema.
 * @throws {CenterStoreError} `unreachable` after 10 s, `newer-schema`, `changed-migration`
 */
export async function openCenterStore(options: CenterStoreOptions): Promise<Database> {
  const { clock, logger } = options;
  const database = new Database(options);
  try {
    await reach(database, clock);
    await migrate(database, { folder: MIGRATIONS, logger });
    return database;
  } catch (cause) {
    await database[Symbol.asyncDispose]();
    throw cause;
  }
}

async function reach(database: Database, clock: Clock): Promise<void> {
  const never = new AbortController().signal;
  const deadline = clock.uptime() + CONNECT_PATIENCE;
  for (;;) {
    try {
      await database.query({ name: "reach", text: "select 1" }, []);
      return;
    } catch (cause) {
      if (clock.uptime() >= deadline) {
        throw new CenterStoreError("unreachable", "connect to the center's database", { cause });
      }
    }
    await clock.sleep(CONNECT_PAUSE, never);
  }
}
