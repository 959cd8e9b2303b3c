import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { CenterStoreError } from "./center-store-error.ts";

/**
 * `gen` of PROTOCOL §1 stands in the data folder, outside the database that may be restored: it is bumped at every
 * restore or promotion, and voids all sync sessions and commands from before.
 * @throws {CenterStoreError} `generation-unreadable`
 */
export function readGeneration(folder: string): number {
  const path = join(folder, "generation");
  if (!existsSync(path)) writeGeneration(path, 1);
  const generation = Number(readFileSync(path, "utf8").trim() || Number.NaN);
  if (!Number.isSafeInteger(generation) || generation < 1) {
    throw new CenterStoreError("generation-unreadable", `read ${path}`);
  }
  return generation;
}

/** To be called after a restore or a promotion, before the center starts. Returns the new generation. */
export function bumpGeneration(folder: string): number {
  const next = readGeneration(folder) + 1;
  writeGeneration(join(folder, "generation"), next);
  return next;
}

function writeGeneration(path: string, generation: number): void {
  const draft = `${path}.new`;
  const file = openSync(draft, "w", 0o600);
  writeSync(file, `${generation}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}
