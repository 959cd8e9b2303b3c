import { type Clock, Millis, type Uptime } from "../../domain/time.ts";

/** A timer is up to this late, and can be as much early when it was set late in its millisecond. */
const TIMER_COARSE_MS = 1.6;
/** One nap: the loop turns between naps, so that other lines of the process wait no longer for it than this. */
const NAP_MS = 0.15;
/** A nap ends this much late (the system's timer slack), so the last part is spent turning the loop. */
const NAP_SLACK_MS = 0.12;

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Resolves at `due`, never before it and mostly within 0.05 ms after it, which a timer of the event loop (whole
 * milliseconds, late) can not. The last 1.6 ms are spent in naps that cost no processor time, with a turn of the loop between.
 */
export async function waitUntil(clock: Clock, due: Uptime, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const whole = Math.floor(due - clock.uptime() - TIMER_COARSE_MS);
  if (whole > 0) await clock.sleep(Millis(whole), signal);
  for (let left = due - clock.uptime(); left > 0; left = due - clock.uptime()) {
    const nap = Math.min(NAP_MS, left - NAP_SLACK_MS);
    if (nap > 0) Atomics.wait(never, 0, 0, nap);
    await turn();
    signal.throwIfAborted();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
