import { existsSync } from "node:fs";
import {
  assertSchemaKnown,
  findDamage,
  isDamage,
  newestSchema,
  openForWriting,
  type StoreDatabase,
  type StoreFile,
  schemaVersion,
  setAside,
} from "../database.ts";
import { StoreError, type StoreFinding } from "../store.ts";

/**
 * Looks whether the file is whole, without changing it. A broken one is set aside, never deleted, and told.
 * @throws {StoreError} `newer-schema`
 */
export function setAsideIfBroken(path: string, file: StoreFile, at: number): StoreFinding | undefined {
  if (!existsSync(path)) return undefined;
  const reason = findReason(path, file);
  return reason === undefined ? undefined : { file, setAsideAs: setAside(path, at), reason };
}

function findReason(path: string, file: StoreFile): string | undefined {
  let database: StoreDatabase | undefined;
  try {
    database = openForWriting(path);
    assertSchemaKnown(schemaVersion(database), newestSchema(file), path);
    return findDamage(database);
  } catch (error) {
    if (isDamage(error)) return error instanceof Error ? error.message : String(error);
    if (error instanceof StoreError) throw error;
    throw new StoreError("unusable", `opening ${path}`, { cause: error });
  } finally {
    database?.close();
  }
}
