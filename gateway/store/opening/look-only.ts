import { join } from "node:path";
import type { PointId, PointNumber } from "../../../domain/ids.ts";
import { CommandRecords } from "../command-ledger.ts";
import { CriticalFile } from "../critical-file.ts";
import { CriticalDesired, CriticalSettings } from "../critical-values.ts";
import {
  assertSchemaKnown,
  assertSqliteVersion,
  newestSchema,
  openForReading,
  type StoreDatabase,
  schemaVersion,
  sqliteCode,
} from "../database.ts";
import { History } from "../history.ts";
import { lineageOf, readCounters, readIncarnations } from "../incarnations.ts";
import { LaneBook, readAcknowledgements } from "../lane-book.ts";
import { QUOTA_BYTES_DEFAULT } from "../space/retention.ts";
import { type ReadOnlyStore, type StoreContext, StoreError } from "../store.ts";
import { SyncView } from "../sync-ledger.ts";
import { readStoredTwins, Twins } from "../twins.ts";
import { lookInto } from "./read-only-store.ts";

/** In the dataFolder. */
export const FILES = { critical: "critical.db", telemetry: "telemetry.db" } as const;

/**
 * Looks into the store of a gateway that need not run, and changes nothing.
 * @throws {StoreError} `sqlite-too-old`, `newer-schema`, `unusable` when there is no store or it is broken.
 */
export function openStoreReadOnly(
  folder: string,
  context: Pick<StoreContext, "clock" | "logger">,
): ReadOnlyStore {
  assertSqliteVersion();
  const critical = openToLook(join(folder, FILES.critical), "critical");
  let opened: StoreDatabase | undefined;
  try {
    const reader = openToLook(join(folder, FILES.telemetry), "telemetry");
    opened = reader;
    const file = new CriticalFile(critical.name, critical, context);
    const incarnations = readIncarnations(critical);
    const counters = [...readCounters(critical), ...readCounters(reader)];
    const lanes = new LaneBook(incarnations, counters, readAcknowledgements(reader));
    const settings = new CriticalSettings(file);
    return lookInto({
      ...{ critical, reader, lineage: lineageOf(incarnations), numbers: readNumbers(reader) },
      commands: new CommandRecords(file),
      desired: new CriticalDesired(file),
      sync: new SyncView({
        ...{ critical: file, reader, settings, lanes, quotaBytes: QUOTA_BYTES_DEFAULT },
        freeBytes: () => Number.POSITIVE_INFINITY,
      }),
      twins: new Twins(readStoredTwins(reader), context.clock.uptime()),
      history: new History(reader),
    });
  } catch (error) {
    opened?.close();
    critical.close();
    throw storeErrorOf(error, `looking into ${folder}`);
  }
}

/** What SQLite says is told as what it means for the store. */
export function storeErrorOf(error: unknown, what: string): unknown {
  const code = sqliteCode(error);
  return code === "" ? error : new StoreError("unusable", `${what} failed with ${code}`, { cause: error });
}

function openToLook(path: string, file: "critical" | "telemetry"): StoreDatabase {
  try {
    const database = openForReading(path);
    assertSchemaKnown(schemaVersion(database), newestSchema(file), path);
    return database;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError("unusable", `reading ${path}`, { cause: error });
  }
}

export function readNumbers(reader: StoreDatabase): Map<PointId, PointNumber> {
  const rows = reader
    .prepare<[], { number: PointNumber; point_id: PointId }>("select number, point_id from points")
    .all();
  return new Map(rows.map((row) => [row.point_id, row.number]));
}
