import { after, type CancelTimer, type Clock, Millis, since } from "../domain/time.ts";

/** A timer this late says that this process itself stood still, and what came meanwhile lies unread: timers run first. */
const LATE = Millis(100);
/** For reading it. */
const LATE_GRACE = Millis(100);

/**
 * Calls `giveUp` once when no answer came `within` this time. A process that stood still reads first what came
 * meanwhile, else a second of other work would make every unit that was asked look silent.
 */
export function scheduleGiveUp(clock: Clock, within: Millis, giveUp: () => void): CancelTimer {
  const due = after(clock.uptime(), within);
  let cancel = clock.schedule(within, () => {
    if (since(due, clock.uptime()) < LATE) giveUp();
    else cancel = clock.schedule(LATE_GRACE, giveUp);
  });
  return () => cancel();
}
