import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One process for certain: a pid alone is given again, a pid with its start time is not (within one boot). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat`: clock ticks since boot, as text. */
  readonly startTicks: string;
}

export interface ProcessEntry extends ProcessIdentity {
  /** The program's name, at most 15 characters. */
  readonly name: string;
}

/** The living process with this pid; undefined when there is none or it has only not been waited for (a zombie). */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  // proc(5): the name stands in parentheses and may itself contain some, so the last one counts.
  const match = stat === undefined ? null : /^\d+ \((.*)\) (\S) (.*)$/s.exec(stat);
  if (match === null || match[2] === "Z" || match[2] === "X") return undefined;
  // After pid, name and state, field 22 is the 19th.
  const startTicks = match[3]?.split(" ")[18];
  return startTicks === undefined ? undefined : { pid, startTicks, name: match[1] ?? "" };
}

export function isRunning(process: ProcessIdentity): boolean {
  return readProcess(process.pid)?.startTicks === process.startTicks;
}

/** Changes at every boot, so that start times of two boots are never compared. */
export function bootId(): string {
  return readOrUndefined("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown";
}

/** The arguments a process was started with; empty when it is gone or not ours to ask. */
export function commandLine(pid: number): readonly string[] {
  return (readOrUndefined(`/proc/${pid}/cmdline`) ?? "").split("\0").filter((part) => part !== "");
}

/** The file a process runs. */
export const programOf = (pid: number): string | undefined => readLinkOrUndefined(`/proc/${pid}/exe`);

export const workingFolder = (pid: number): string | undefined => readLinkOrUndefined(`/proc/${pid}/cwd`);

function readLinkOrUndefined(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // Gone, or another user's: then it is not one of ours.
  }
}

/** PostgreSQL's postmaster and all its children work inside their data folder; nobody else may be there. */
export function serverProcessesIn(dataFolder: string): readonly ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && workingFolder(Number(name)) === dataFolder)
    .map((name) => readProcess(Number(name)))
    .filter((entry) => entry !== undefined)
    .filter((entry) => entry.name === "postgres");
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // The process ended between listing and reading.
  }
}
