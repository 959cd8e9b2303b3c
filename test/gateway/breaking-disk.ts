import { spawnSync } from "node:child_process";
import t, { type Test } from "tap";

// The kernel also tells of a write above the limit; unheard, that would end the process.
process.on("SIGXFSZ", () => undefined);

/**
 * The kernel refuses whatever this process writes to a file (EFBIG, of which SQLite makes an I/O error), or takes it
 * again. Programs started in between inherit it. Returns whether this machine lets us.
 */
export function disk(order: "break" | "mend"): boolean {
  const limit = order === "break" ? "1" : "unlimited";
  const { status } = spawnSync("prlimit", ["--pid", String(process.pid), `--fsize=${limit}:unlimited`]);
  return status === 0;
}

/** A test whose disk can be broken; it is mended whatever happens. Without prlimit it passes, and prints why. */
export function onBreakingDisk(name: string, work: (t: Test, folder: string) => Promise<void>): void {
  void t.test(name, async (t) => {
    t.teardown(() => void disk("mend"));
    if (disk("mend")) await work(t, t.testdir());
    else t.pass("skipped: prlimit is not there, or may not be used here");
  });
}
