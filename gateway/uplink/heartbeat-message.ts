import { type Clock, since, type Uptime } from "../../domain/time.ts";
import type { Heartbeat } from "../../domain/wire/heartbeat.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import type { Store } from "../store/store.ts";

/** HEARTBEAT as store and sweeps stand now. */
export function heartbeatMessage(context: {
  readonly store: Store;
  readonly session: string;
  readonly token: string;
  readonly sweeps: () => Iterable<readonly [sweep: number, at: Uptime]>;
  readonly timeQuality: TimeQuality;
  readonly clock: Clock;
}): Heartbeat {
  const { store, clock } = context;
  const now = clock.uptime();
  const heads = { A: 0, B: 0, C: 0, D: 0 };
  for (const head of store.sync.heads()) {
    if (head.incarnation === store.incarnation) heads[head.lane] = head.highestWritten;
  }
  return {
    session: context.session,
    token: context.token,
    uptimeMs: since(store.openedAt, now),
    nowMs: clock.now(),
    timeQuality: context.timeQuality,
    heads,
    sweeps: Array.from(context.sweeps(), ([sweep, at]): [number, number] => [
      sweep,
      Math.max(0, Math.round(since(at, now))),
    ]),
    backlog: store.sync.backlog(),
  };
}
