import { exponentialBackoff } from "../../../domain/backoff.ts";
import { type DeviceFault, FAULTS, type FaultCode } from "../../../domain/errors.ts";
import type { PointChange } from "../../../domain/reading.ts";
import { type Instant, Millis, Seconds, Uptime } from "../../../domain/time.ts";
import type { Driver, Exchange, Sample, UnitSession } from "../../../drivers/driver.ts";
import { rankOf } from "../bus-scheduler.ts";
import type { FieldBusPlan, FieldUnitPlan, UnitFigures } from "../field-plan.ts";
import { ChangeFilter } from "./change-filter.ts";
import { type PlanChange, PollPlan, type PollTask } from "./poll-plan.ts";
import { isPolled, UnitPoints } from "./unit-points.ts";

/** A silent unit is asked again after 1, 2, 4 … 60 s (DESIGN §4). */
const PROBE_BACKOFF = { min: Seconds(1), max: Seconds(60) };
/** A unit that is still starting may refuse what it has: missing points are looked for again this often. */
const MISSING_RECHECK_MS = 3_600_000;

/** When something happened, on both clocks. */
export interface Moment {
  readonly uptime: Uptime;
  readonly at: Instant;
}

/**
 * Owner of one unit's session: knows whether the unit answers, tells its points' quality when that changes, and
 * says which exchanges are to be scheduled. Starts nothing itself; the bus runner does.
 */
export class SessionKeeper {
  readonly unitAddress: string;
  readonly points: UnitPoints;
  readonly #unit: FieldUnitPlan;
  readonly #index: number;
  readonly #plan: PollPlan;
  readonly #filter: ChangeFilter;
  readonly #polled: readonly number[];
  readonly #out: PointChange[];
  #session: UnitSession | undefined;
  #failures = 0;
  #probe: PollTask | undefined;
  #plannedAt = 0;

  /** `out` takes every change; the host empties it. */
  constructor(
    bus: FieldBusPlan,
    place: { readonly index: number; readonly count: number },
    driver: Pick<Driver, "footprint">,
    out: PointChange[],
  ) {
    const unit = bus.units[place.index];
    if (unit === undefined) throw new RangeError(`bus ${bus.id} has no unit number ${place.index}`);
    this.unitAddress = unit.unitAddress;
    this.#unit = unit;
    this.#index = place.index;
    this.#out = out;
    this.points = new UnitPoints(unit.points);
    this.#plan = new PollPlan(this.points, bus, unit, place, driver);
    this.#filter = new ChangeFilter(this.points.points);
    this.#polled = [...this.points.points.keys()].filter((slot) =>
      isPolled(this.points.getPoint(slot).definition),
    );
  }

  /** The session while the line is open. */
  get session(): UnitSession | undefined {
    return this.#session;
  }

  get quirks(): FieldUnitPlan["quirks"] {
    return this.#unit.quirks;
  }

  /** The line is open: everything is asked anew. Returns what is to be scheduled. */
  opened(session: UnitSession, now: Uptime): readonly PollTask[] {
    this.#session = session;
    return this.#startPolling(session, now);
  }

  /** The line is gone, or could not be opened: told once. */
  closed(moment: Moment): void {
    this.#session = undefined;
    this.#plan.retireAll();
    this.#filter.mark(this.#polled, "bad/no-communication", "connection-lost", moment.at, this.#out);
  }

  /** `task`: absent for a read on somebody's behalf. Returns what is to be scheduled besides. */
  answered(
    exchange: { readonly slots: Uint32Array; readonly task?: PollTask },
    samples: readonly Sample[],
    moment: Moment,
  ): readonly PollTask[] {
    this.#filter.accept(exchange.slots, samples, moment.at, this.#out);
    const task = exchange.task;
    if (this.#failures > 0) return this.#recover(moment.uptime);
    if (task === undefined) return [];
    task.answeredAt = moment.uptime;
    return task.split === undefined ? [] : this.#plan.answered(task, moment.uptime).added;
  }

  /** Nothing that makes sense came back. All points are told once; the returned probe goes into the schedule. */
  missed(code: FaultCode, moment: Moment): readonly PollTask[] {
    if (this.#failures === 0) {
      this.#filter.mark(this.#polled, FAULTS[code].quality, code, moment.at, this.#out);
    }
    this.#failures += 1;
    const exchange = this.#probe?.exchange ?? this.#plan.probeExchange();
    this.#plan.retireAll();
    if (this.#probe !== undefined) this.#probe.retired = true;
    if (exchange === undefined) return [];
    this.#probe = this.#makeProbe(exchange, moment.uptime);
    return [this.#probe];
  }

  /** The unit answered that it will not: only these points suffer. */
  refused(
    exchange: { readonly slots: Uint32Array; readonly task?: PollTask },
    fault: DeviceFault,
    moment: Moment,
  ): readonly PollTask[] {
    if (this.#failures > 0) return this.#recover(moment.uptime);
    const task = exchange.task;
    if (fault.code !== "unknown-address") {
      this.#filter.mark(exchange.slots, FAULTS[fault.code].quality, fault.code, moment.at, this.#out);
      return [];
    }
    const change: PlanChange =
      task === undefined ? { added: [], missing: [] } : this.#plan.refused(task, moment.uptime);
    this.#filter.mark(change.missing, FAULTS[fault.code].quality, fault.code, moment.at, this.#out);
    return change.added;
  }

  planOnce(slots: Iterable<number>): readonly Exchange[] {
    return this.#plan.planOnce(slots);
  }

  /** Looks again for points that were missing an hour ago. */
  recheck(now: Uptime): readonly PollTask[] {
    const due = this.#plan.hasHoles && this.#failures === 0 && now - this.#plannedAt >= MISSING_RECHECK_MS;
    return due && this.#session !== undefined ? this.#startPolling(this.#session, now) : [];
  }

  /** Everything is told again with its next sample. */
  retell(moment: Moment): void {
    this.#filter.forget();
    if (this.#session === undefined) this.closed(moment);
    else if (this.#failures > 0) {
      this.#filter.mark(this.#polled, "bad/no-communication", "timeout", moment.at, this.#out);
    }
  }

  /** Appends each sweep that was complete since it was told last, with the time since which all of it is confirmed. */
  collectSweeps(into: (readonly [sweep: number, at: Uptime])[]): void {
    for (const group of this.#plan.groups) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const task of group.tasks) oldest = Math.min(oldest, task.answeredAt);
      // NaN, of an exchange never answered, stays NaN and is not told.
      if (!Number.isFinite(oldest) || oldest === group.toldAt) continue;
      group.toldAt = oldest;
      into.push([group.sweep, Uptime(oldest)]);
    }
  }

  figures(now: Uptime): UnitFigures {
    const isSilent = this.#failures > 0 || this.#session === undefined;
    return {
      unitAddress: this.unitAddress,
      state: isSilent ? "silent" : "answering",
      failures: this.#failures,
      intervals: this.#plan.groups.map((group) => {
        const waited = Math.max(0, ...group.tasks.map((task) => now - task.startedAt || 0));
        const median = group.reached.median();
        return {
          pollClass: group.pollClass,
          askedMs: group.intervalMs,
          reachedMs: isSilent || median === null ? null : Math.max(median, waited),
        };
      }),
    };
  }

  #recover(now: Uptime): readonly PollTask[] {
    this.#failures = 0;
    if (this.#probe !== undefined) this.#probe.retired = true;
    this.#probe = undefined;
    return this.#session === undefined ? [] : this.#startPolling(this.#session, now);
  }

  #startPolling(session: UnitSession, now: Uptime): readonly PollTask[] {
    this.#failures = 0;
    this.#probe = undefined;
    this.#plannedAt = now;
    return this.#plan.start(session, now);
  }

  #makeProbe(exchange: Exchange, now: Uptime): PollTask {
    const wait = exponentialBackoff(this.#failures, PROBE_BACKOFF);
    return {
      unit: this.#index,
      rank: rankOf("probe"),
      intervalMs: Millis(wait),
      exchange,
      slots: this.points.slotsOf(exchange.points),
      group: undefined,
      due: now + wait,
      anchor: now,
      retired: false,
      startedAt: Number.NaN,
      answeredAt: Number.NaN,
      split: undefined,
    };
  }
}
