import { POLL_CLASSES, type PollClass } from "../../domain/point.ts";
import { DueHeap, type DueTask } from "./due-heap.ts";

/** Operations and reads for people that wait for the line at once; one more is refused as busy. */
export const URGENT_MAX = 64;
/** After this many exchanges by priority one goes to whoever is latest for its interval, so that an overload starves nobody for ever. */
const FAIR_TURN = 16;
/** Shorter intervals count as this long there: a keep-alive of 50 ms would be the latest of all for ever. */
const FAIR_INTERVAL_MS = 1_000;
/** Dues lie on this grid: exchanges of one slot share a timer, and no unit is more than this early or late. */
const GRID_MS = 10;
/** All points are read within this time of the start, where the line can carry it. */
const FIRST_ROUND_MS = 1_000;
const PROBE_RANK = POLL_CLASSES.length;

/** A recurring exchange: a poll of its class, or the probe of a silent unit. */
export interface ScheduledTask extends DueTask {
  readonly rank: number;
  readonly intervalMs: number;
  /** Uptime in ms: every later due is a whole number of intervals after it. */
  readonly anchor: number;
}

/** Place of a poll class among the priorities of a bus: 0 goes first; operations are before all, probes after. */
export function rankOf(work: PollClass | "probe"): number {
  return work === "probe" ? PROBE_RANK : POLL_CLASSES.indexOf(work);
}

/** When the task number `index` of `count` of one interval is due first, and where its later dues are anchored. */
export function spread(
  start: number,
  intervalMs: number,
  share: { readonly index: number; readonly count: number },
): { readonly due: number; readonly anchor: number } {
  const phase = share.index / Math.max(1, share.count);
  const onGrid = (ms: number): number => Math.floor(ms / GRID_MS) * GRID_MS;
  return {
    due: start + onGrid(phase * Math.min(intervalMs, FIRST_ROUND_MS)),
    anchor: start + onGrid(phase * intervalMs),
  };
}

/** The first due of the task after `now`; dues that were missed are not made up for. */
export function dueAfter(task: Pick<ScheduledTask, "anchor" | "intervalMs">, now: number): number {
  const periods = Math.floor((now - task.anchor) / task.intervalMs) + 1;
  return task.anchor + periods * task.intervalMs;
}

/**
 * What a bus does next: operations, then polls by class, then probes (DESIGN §4); among equals the one due
 * longest. Pure: it is told the time and starts nothing.
 */
export class BusScheduler<Urgent, Task extends ScheduledTask> {
  readonly #urgent: Urgent[] = [];
  readonly #ranks: readonly DueHeap<Task>[] = Array.from(
    { length: PROBE_RANK + 1 },
    () => new DueHeap<Task>(),
  );
  #turn = 0;

  /** Puts it last among the urgent. `busy` when {@link URGENT_MAX} wait already: it was not taken. */
  offer(urgent: Urgent): "accepted" | "busy" {
    if (this.#urgent.length >= URGENT_MAX) return "busy";
    this.#urgent.push(urgent);
    return "accepted";
  }

  takeUrgent(): Urgent | undefined {
    return this.#urgent.shift();
  }

  add(task: Task): void {
    this.#ranks[task.rank]?.push(task);
  }

  /** The task to run now, taken out; it goes back with {@link add}. `polls`: probes must wait. */
  take(now: number, may: "polls" | "polls-and-probes"): Task | undefined {
    const ranks = may === "polls" ? PROBE_RANK : PROBE_RANK + 1;
    this.#turn = (this.#turn + 1) % FAIR_TURN;
    const rank = this.#turn === 0 ? this.#latestRank(now, ranks) : this.#firstRank(now, ranks);
    return rank === undefined ? undefined : this.#ranks[rank]?.take();
  }

  /** Uptime in ms at which {@link take} has something; `Infinity` when nothing is planned. */
  nextDue(may: "polls" | "polls-and-probes"): number {
    let next = Number.POSITIVE_INFINITY;
    for (let rank = 0; rank < (may === "polls" ? PROBE_RANK : PROBE_RANK + 1); rank += 1) {
      next = Math.min(next, this.#ranks[rank]?.peek()?.due ?? Number.POSITIVE_INFINITY);
    }
    return next;
  }

  /** Forgets all tasks: the line is gone. Urgent work stays with whoever takes it. */
  clear(): void {
    for (const rank of this.#ranks) rank.clear();
  }

  #firstRank(now: number, ranks: number): number | undefined {
    for (let rank = 0; rank < ranks; rank += 1) {
      const first = this.#ranks[rank]?.peek();
      if (first !== undefined && first.due <= now) return rank;
    }
    return undefined;
  }

  #latestRank(now: number, ranks: number): number | undefined {
    let latest: number | undefined;
    let lateness = -1;
    for (let rank = 0; rank < ranks; rank += 1) {
      const first = this.#ranks[rank]?.peek();
      if (first === undefined || first.due > now) continue;
      const late = (now - first.due) / Math.max(first.intervalMs, FAIR_INTERVAL_MS);
      if (late > lateness) {
        latest = rank;
        lateness = late;
      }
    }
    return latest;
  }
}
