import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a postmaster tells in `postmaster.pid` (PostgreSQL 18, src/include/utils/pidfile.h). */
export interface PostmasterFile {
  readonly pid: number;
  /** Absent until the sockets are open. */
  readonly port: number | undefined;
  /** Line 8: it accepts connections. */
  readonly isReady: boolean;
}

/** Undefined when there is none, or none that tells a pid. */
export function readPostmasterFile(dataFolder: string): PostmasterFile | undefined {
  let lines: readonly string[];
  try {
    lines = readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, port: port > 0 ? port : undefined, isReady: lines[7]?.trim() === "ready" };
}
