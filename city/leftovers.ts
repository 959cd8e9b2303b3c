import { readdir, readFile } from "node:fs/promises";
import { after, type Clock, Millis, type Uptime } from "../domain/time.ts";
import { isProgramIn, ProgramError } from "./program.ts";

/** What the programs of a killed city need at most to put themselves away; then they are killed. */
const END_WITHIN = Millis(20_000);
const LOOK_EVERY = Millis(100);

/**
 * Ends the programs that an earlier city in this folder left running: it was killed, and they have not noticed yet, or
 * were held still. For the holder of the folder only. Linux only.
 * @throws {ProgramError} for one that can not be ended
 */
export async function endLeftovers(
  folder: string,
  context: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onProgress: (what: string) => void;
  },
): Promise<void> {
  const { clock, onProgress } = context;
  const found = await programsIn(folder);
  if (found.length === 0) return;
  onProgress(`an earlier city here was killed: its programs (${found.length}) still run, ending them`);
  for (const signal of ["SIGCONT", "SIGTERM"] as const) send(found, signal);
  if (await areGone(folder, after(clock.uptime(), END_WITHIN), context)) return;
  send(await programsIn(folder), "SIGKILL");
  if (await areGone(folder, after(clock.uptime(), END_WITHIN), context)) return;
  const left = await programsIn(folder);
  throw new ProgramError(
    `processes ${left.join(", ")} of an earlier city can not be ended: end them by hand, or give this one another --folder`,
  );
}

async function areGone(
  folder: string,
  end: Uptime,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  while ((await programsIn(folder)).length > 0) {
    if (clock.uptime() > end) return false;
    await clock.sleep(LOOK_EVERY, signal);
  }
  return true;
}

/** Field hosts go with their core. PostgreSQL stays, and the next center takes it up again by itself. */
async function programsIn(folder: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = pids.map(async (pid) => {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return isProgramIn(folder, commandLine.split("\0")) ? [Number(pid)] : [];
  });
  return (await Promise.all(found)).flat();
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}
