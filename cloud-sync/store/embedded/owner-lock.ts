import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Clock } from "../../../domain/time.ts";
import { Millis } from "../../../domain/time.ts";
import { bootId, isRunning, type ProcessIdentity, readProcess } from "./process-table.ts";

const LockContent = z.object({ pid: z.int(), startTicks: z.string(), bootId: z.string(), token: z.string() });
type LockContent = z.infer<typeof LockContent>;

/** How long a taker-over waits before it trusts its lock: far longer than a rival's rename and link take. */
const SETTLE = Millis(50);
/** Each try sees another owner's lock appear or vanish; more than a few in a row is not chance. */
const TRIES = 5;

export interface OwnerLock {
  release(): void;
}

/**
 * Takes the lock at `path`, or says which living process has it. A lock whose process is gone, was
 * started at another time or in another boot is stale and taken over.
 */
export async function takeOwnerLock(
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<OwnerLock | ProcessIdentity> {
  const mine = newContent();
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (linkContent(path, mine)) return { release: () => release(path, mine) };
    const found = read(path);
    if (found !== undefined && isHeld(found)) return found;
    if (found === undefined || !setAside(path, found)) continue;
    if (await settles(path, mine, clock, signal)) return { release: () => release(path, mine) };
  }
  return read(path) ?? { pid: 0, startTicks: "" };
}

/** Takes the place of a stale lock, and waits until no rival can still take ours for the stale one. */
async function settles(path: string, mine: LockContent, clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (!linkContent(path, mine)) return false;
  try {
    await clock.sleep(SETTLE, signal);
  } catch (cause) {
    release(path, mine);
    throw cause;
  }
  return read(path)?.token === mine.token;
}

function newContent(): LockContent {
  const self = readProcess(process.pid);
  return {
    pid: process.pid,
    startTicks: self?.startTicks ?? "",
    bootId: bootId(),
    token: randomBytes(9).toString("base64url"),
  };
}

/** A link appears whole or not at all, so nobody ever reads half a lock. */
function linkContent(path: string, content: LockContent): boolean {
  const draft = `${path}.${content.token}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o644 });
  try {
    linkSync(draft, path);
    return true;
  } catch (cause) {
    if (isErrorCode(cause, "EEXIST")) return false;
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

function read(path: string): LockContent | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (isErrorCode(cause, "ENOENT")) return undefined;
    throw cause;
  }
  const parsed = LockContent.safeParse(parseJson(text));
  // A lock cut short by a power loss has no owner: pid 0 never lives.
  return parsed.success ? parsed.data : { pid: 0, startTicks: "", bootId: "", token: text };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isHeld = (lock: LockContent): boolean => lock.pid > 0 && lock.bootId === bootId() && isRunning(lock);

/** Moves the stale lock away; false, and undone, when a rival's fresh lock was caught instead. */
function setAside(path: string, stale: LockContent): boolean {
  const aside = `${path}.stale-${randomBytes(6).toString("hex")}`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    if (isErrorCode(cause, "ENOENT")) return true;
    throw cause;
  }
  const caught = read(aside);
  const isStale = caught?.token === stale.token;
  if (!isStale) linkBack(aside, path);
  rmSync(aside, { force: true });
  return isStale;
}

function linkBack(aside: string, path: string): void {
  try {
    linkSync(aside, path);
  } catch (cause) {
    if (!isErrorCode(cause, "EEXIST")) throw cause;
  }
}

function release(path: string, mine: LockContent): void {
  if (read(path)?.token === mine.token) rmSync(path, { force: true });
}

function isErrorCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && "code" in cause && cause.code === code;
}
