import { setTimeout as wait } from "node:timers/promises";
import type { CancelTimer, Clock, Instant, Millis, Uptime } from "./time.ts";

/** Node's longest timer, 2^31-1 ms; it fires at once for anything longer, so longer waits are made of several. */
const TIMER_MAX_MS = 2_147_483_647;

/** The machine's own clocks. Built once in each `main.ts` and handed on. */
export const systemClock: Clock = {
  now: () => Date.now() as Instant,
  uptime: () => (Number(process.hrtime.bigint() / 1_000n) / 1_000) as Uptime,
  async sleep(duration: Millis, signal: AbortSignal): Promise<void> {
    let left: number = duration;
    do {
      const part = Math.min(left, TIMER_MAX_MS);
      try {
        await wait(part, undefined, { signal });
      } catch (cause) {
        throw signal.aborted ? signal.reason : cause;
      }
      left -= part;
    } while (left > 0);
  },
  schedule(duration: Millis, callback: () => void): CancelTimer {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const again = (): void => wait(left - TIMER_MAX_MS);
      timer = left > TIMER_MAX_MS ? setTimeout(again, TIMER_MAX_MS) : setTimeout(callback, left);
    };
    wait(duration);
    return () => clearTimeout(timer);
  },
};
