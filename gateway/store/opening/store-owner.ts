import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { lockExclusively, type StoreDatabase } from "../database.ts";
import { StoreError } from "../store.ts";

const LOCK_FILE = "owner.lock";
const OWNER_FILE = "owner.json";
const ownerRecord = z.object({ pid: z.number().int(), startTicks: z.string(), command: z.string() });
type OwnerRecord = z.infer<typeof ownerRecord>;

/**
 * Keeps a second gateway off the store. The kernel holds the lock, so a killed owner never leaves it behind and
 * two takers never both win; the file beside it only names the owner.
 */
export class StoreOwner {
  readonly #folder: string;
  readonly #lock: StoreDatabase;

  constructor(folder: string, lock: StoreDatabase) {
    this.#folder = folder;
    this.#lock = lock;
  }

  release(): void {
    rmSync(join(this.#folder, OWNER_FILE), { force: true });
    this.#lock.close();
  }
}

/** @throws {StoreError} `owned-by-another`, naming the owner's process. */
export function takeOwnership(folder: string): StoreOwner {
  const lock = lockExclusively(join(folder, LOCK_FILE));
  if (lock === undefined)
    throw new StoreError("owned-by-another", `${folder} is open in ${describeOwner(folder)}`);
  const record: OwnerRecord = {
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? "",
    command: process.argv.join(" "),
  };
  const path = join(folder, OWNER_FILE);
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
  return new StoreOwner(folder, lock);
}

function describeOwner(folder: string): string {
  const owner = readOwner(folder);
  if (owner === undefined) return "another process";
  const alive = startTicksOf(owner.pid) === owner.startTicks;
  return `process ${owner.pid} (${owner.command})${alive ? "" : ", as seen from its own container"}`;
}

function readOwner(folder: string): OwnerRecord | undefined {
  try {
    return ownerRecord.parse(JSON.parse(readFileSync(join(folder, OWNER_FILE), "utf8")));
  } catch {
    return undefined;
  }
}

/** Start of the process in clock ticks since boot: with the pid it names a process for good. proc(5), stat field 22. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
