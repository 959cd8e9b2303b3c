import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

/** PostgreSQL's own log: this file and the one before it, so never more than about twice this. */
const LOG_LIMIT_BYTES = 4 * 1024 * 1024;

export const serverLogOf = (home: string): string => join(home, "server.log");

/** Opened to append, which is what lets it be emptied below a server that is writing to it. */
export function openServerLog(home: string): { readonly descriptor: number; close(): void } {
  const descriptor = openSync(serverLogOf(home), "a", 0o640);
  return { descriptor, close: () => closeSync(descriptor) };
}

/** Keeps the log within its bound: a full one becomes `server.log.1`, replacing the one before. */
export function boundServerLog(home: string, limitBytes: number = LOG_LIMIT_BYTES): void {
  const path = serverLogOf(home);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.size <= limitBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

/** What the server wrote since the log was `from` bytes long; at most its last 2,000 characters. */
export function readServerLog(home: string, from: number): string {
  try {
    return readFileSync(serverLogOf(home)).subarray(from).toString("utf8").trim().slice(-2_000);
  } catch {
    return "";
  }
}

export function serverLogLength(home: string): number {
  return statSync(serverLogOf(home), { throwIfNoEntry: false })?.size ?? 0;
}
