import type { PointDefinition, PollClass } from "../../../domain/point.ts";
import type { Millis } from "../../../domain/time.ts";
import type { Exchange, KeepAlive } from "../../../drivers/driver.ts";
import { rankOf, type ScheduledTask, spread } from "../bus-scheduler.ts";
import type { DeviceVetting } from "./device-vetting.ts";
import type { ReachedIntervals } from "./reached-intervals.ts";

/** One exchange that is scheduled: a poll of its class, a keep-alive, a look at whether it is the right device, or the probe of a silent unit. */
export interface PollTask extends ScheduledTask {
  /** Index of the unit on its bus. */
  readonly unit: number;
  /** Of a keep-alive: without points. */
  readonly exchange: Exchange;
  /** Of the exchange's points, in its order. */
  readonly slots: readonly number[];
  /** Of a poll. */
  readonly group: PollGroup | undefined;
  /** Run in place of the exchange. */
  readonly keepAlive: KeepAlive | undefined;
  /** What its answer helps to decide; it runs once. */
  readonly vetting: DeviceVetting | undefined;
  /** Uptime in ms at which it last began, and was last answered; NaN: never. */
  startedAt: number;
  answeredAt: number;
  /** The merged block it is a part of, while the hole in that is looked for. */
  split: Split | undefined;
}

/** All exchanges of one poll class on one unit, and what of that class the unit tells by itself: a sweep. */
export interface PollGroup {
  readonly sweep: number;
  readonly pollClass: PollClass;
  readonly intervalMs: number;
  readonly reached: ReachedIntervals;
  slots: readonly number[];
  tasks: readonly PollTask[];
  /** Points that the unit tells by itself: confirmed by its subscription. */
  subscribed: number;
  /** Completion that was told last; NaN: none. */
  toldAt: number;
}

/** A block that was refused as "unknown address" and is read in two parts to find out why. */
export interface Split {
  readonly parent: Split | undefined;
  readonly left: readonly PointDefinition[];
  readonly right: readonly PointDefinition[];
  /** Holes known when the outermost block was split. */
  readonly holesBefore: number;
  /** Exchanges of the parts whose verdict is out. */
  pending: number;
  /** Whether the refusal was found inside a part, so that it is not between the parts. */
  explained: boolean;
}

/** A task that never ran. */
export function makeTask(
  what: Pick<PollTask, "unit" | "exchange" | "slots" | "rank" | "intervalMs" | "due" | "anchor"> &
    Partial<Pick<PollTask, "group" | "keepAlive" | "vetting" | "split">>,
): PollTask {
  return {
    unit: what.unit,
    rank: what.rank,
    intervalMs: what.intervalMs,
    exchange: what.exchange,
    slots: what.slots,
    group: what.group,
    keepAlive: what.keepAlive,
    vetting: what.vetting,
    due: what.due,
    anchor: what.anchor,
    retired: false,
    startedAt: Number.NaN,
    answeredAt: Number.NaN,
    split: what.split,
  };
}

/** Of a unit's conversation; in front of it go operations only. */
export function keepAliveTask(
  keepAlive: KeepAlive,
  place: { readonly index: number; readonly count: number },
  { now, label }: { readonly now: number; readonly label: string },
): PollTask {
  return makeTask({
    unit: place.index,
    rank: rankOf("safety-status"),
    intervalMs: keepAlive.every,
    exchange: { points: [], label },
    slots: [],
    keepAlive,
    ...spread(now, keepAlive.every, place),
  });
}

/** Asks a silent unit, once, after the wait. */
export function probeTask(
  { exchange, keepAlive }: Pick<PollTask, "exchange" | "keepAlive">,
  when: {
    readonly unit: number;
    readonly slots: readonly number[];
    readonly wait: Millis;
    readonly now: number;
  },
): PollTask {
  const { unit, slots, wait, now } = when;
  const due = now + wait;
  return makeTask({
    unit,
    rank: rankOf("probe"),
    intervalMs: wait,
    exchange,
    keepAlive,
    slots,
    due,
    anchor: now,
  });
}
