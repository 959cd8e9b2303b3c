import { access, constants, readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { findSerialPorts } from "./serial-ports.ts";

/**
 * Why the port should not even be opened, with what to do; `undefined`: open it. The library sets the speed before it
 * takes the lock, so opening a port in use would garble the other program's line.
 */
export async function checkPort(path: string): Promise<string | undefined> {
  const file = await findFile(path);
  if (file === undefined) {
    const here = await findSerialPorts();
    const choice =
      here.length === 0
        ? "this machine has no serial port: plug the adapter in"
        : `here are ${here.join(", ")}`;
    return `there is no ${path}; ${choice}`;
  }
  if (!file.isCharacterDevice()) return `${path} is no serial port: give the device file, e.g. /dev/ttyUSB0`;
  const holder = (await findLockHolder(file)) ?? (await findLockFile(path));
  return holder === undefined ? undefined : inUse(path, holder);
}

/** What the system said, and what to do. */
export async function explainOpenFailure(path: string, error: unknown): Promise<string> {
  const text = error instanceof Error ? error.message : String(error);
  if (/cannot lock port/i.test(text)) return inUse(path, "another program");
  const mayUse = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!mayUse) {
    return `this user may not use ${path}: add it to the group that owns the file (mostly dialout) and start the gateway again`;
  }
  return `${path} could not be opened as a serial port: check that it is one, and the adapter`;
}

const inUse = (path: string, holder: string): string =>
  `${path} is in use by ${holder}: end that, or take this bus out of the site file; two programs on one line garble each other`;

async function findFile(path: string) {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

/** `flock`s by file, from /proc/locks: `3: FLOCK ADVISORY WRITE 1234 00:05:91 0 EOF` (proc(5)). */
async function findLockHolder(file: {
  readonly dev: number;
  readonly ino: number;
}): Promise<string | undefined> {
  const locks = await readText("/proc/locks");
  for (const line of locks?.split("\n") ?? []) {
    const [, kind, , mode, pid, place] = line.trim().split(/\s+/);
    if (kind === "FLOCK" && mode === "WRITE" && place === placeOf(file))
      return await describeProcess(Number(pid));
  }
  return undefined;
}

/** Device numbers in the system's own coding (gnu_dev_major, gnu_dev_minor), printed as the kernel prints them. */
function placeOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  const major = (dev >> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  return `${hex(major)}:${hex(minor)}:${ino}`;
}

const hex = (number: number): string => number.toString(16).padStart(2, "0");

/** The older habit, of minicom, pppd and getty: a file with the owner's process id (FHS 3.0 §5.9). */
async function findLockFile(path: string): Promise<string | undefined> {
  for (const folder of ["/run/lock", "/var/lock"]) {
    const text = await readText(`${folder}/LCK..${basename(path)}`);
    const pid = Number(text?.trim().split(/\s+/)[0]);
    if (!Number.isInteger(pid) || pid <= 0) continue;
    if ((await readText(`/proc/${pid}/comm`)) !== undefined) return await describeProcess(pid);
  }
  return undefined;
}

async function describeProcess(pid: number): Promise<string> {
  if (pid === process.pid) return "another bus of this gateway";
  const name = pid > 0 ? await readText(`/proc/${pid}/comm`) : undefined;
  return name === undefined ? "another program" : `${name.trim()} (process ${pid})`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
