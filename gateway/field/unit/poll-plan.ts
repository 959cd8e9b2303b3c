import assert from "node:assert/strict";
import type { PointDefinition, PollClass } from "../../../domain/point.ts";
import { Uptime } from "../../../domain/time.ts";
import type { Driver, Exchange, Footprint, UnitSession } from "../../../drivers/driver.ts";
import { rankOf, spread } from "../bus-scheduler.ts";
import type { FieldBusPlan, FieldUnitPlan, UnitFigures } from "../field-plan.ts";
import { gapBetween, KnownHoles } from "./known-holes.ts";
import { makeTask, type PollGroup, type PollTask, type Split } from "./poll-task.ts";
import { ReachedIntervals } from "./reached-intervals.ts";
import { isPolled, type UnitPoints } from "./unit-points.ts";

/** Which slots are not polled. */
export interface SlotKinds {
  /** The unit tells it by itself, or it is an event. */
  isSubscribed(slot: number): boolean;
  /** Of a device that is not proven to be the right one. */
  isHeld(slot: number): boolean;
}

/** What changes in the schedule after an answer. Tasks that fell out are marked retired. */
interface PlanChange {
  readonly added: readonly PollTask[];
  /** Slots that the unit does not have: no longer polled. */
  readonly missing: readonly number[];
}
const NO_CHANGE: PlanChange = { added: [], missing: [] };

/**
 * Which exchanges read one unit. The driver plans them; what the unit refuses as an unknown address is halved
 * until the hole is found, and then planned anew around it, so that no good point is lost with a bad one.
 */
export class PollPlan {
  readonly groups: readonly PollGroup[];
  readonly #points: UnitPoints;
  readonly #driver: Pick<Driver, "footprint">;
  readonly #place: { readonly index: number; readonly count: number };
  readonly #holes: KnownHoles;
  #session: UnitSession | undefined;

  /** `place`: the unit among those of its bus; spreads their exchanges in time. */
  constructor(
    points: UnitPoints,
    bus: FieldBusPlan,
    unit: FieldUnitPlan,
    place: { readonly index: number; readonly count: number },
    driver: Pick<Driver, "footprint">,
  ) {
    this.#points = points;
    this.#driver = driver;
    this.#place = place;
    this.#holes = new KnownHoles(unit.holes ?? []);
    this.groups = unit.sweeps.map((sweep) => ({
      sweep: sweep.number,
      pollClass: sweep.pollClass,
      intervalMs: bus.pollIntervals[sweep.pollClass],
      reached: new ReachedIntervals(),
      slots: [],
      tasks: [],
      subscribed: 0,
      toldAt: Number.NaN,
    }));
  }

  /** Plans all anew. `forget`: the unit may have been exchanged, or was starting when it refused: nothing is known of holes. */
  start(
    session: UnitSession,
    how: SlotKinds & { readonly holes: "keep" | "forget" },
    now: number,
  ): readonly PollTask[] {
    this.#session = session;
    if (how.holes === "forget") this.#holes.clear();
    return this.replan(how, now);
  }

  /** Plans all anew around the holes that are known: another device was proven. */
  replan(how: SlotKinds, now: number): readonly PollTask[] {
    return this.groups.flatMap((group) => {
      const slots = this.#slotsOfClass(group.pollClass).filter((slot) => !this.#isMissing(slot));
      group.subscribed = slots.filter(how.isSubscribed).length;
      group.slots = slots.filter((slot) => !how.isSubscribed(slot) && !how.isHeld(slot));
      return this.#planGroup(group, now);
    });
  }

  retireAll(): void {
    for (const group of this.groups) this.#retire(group, () => true);
  }

  /** The fewest exchanges that read these slots once, around known holes. Events are never asked for. */
  planOnce(slots: Iterable<number>): readonly Exchange[] {
    const asked = Array.from(slots).filter((slot) => this.#points.getPoint(slot).definition.event !== true);
    return this.#getSession().plan(this.#points.definitionsOf(asked), this.#holes);
  }

  /** Asks a silent unit whether it is there: the exchange of the most urgent class, or any of `readable`. */
  probe(readable: readonly number[]): Pick<PollTask, "exchange" | "keepAlive"> | undefined {
    const polled = this.groups.find((group) => group.tasks.length > 0)?.tasks[0]?.exchange;
    const exchange = polled ?? readable.flatMap((slot) => this.planOnce([slot])).at(0);
    return exchange && { exchange, keepAlive: undefined };
  }

  /**
   * Appends each sweep that was complete since it was told last, with the time since which all of it is confirmed.
   * `confirmedAt`: of what the unit tells by itself.
   */
  collectSweeps(confirmedAt: number, into: (readonly [sweep: number, at: Uptime])[]): void {
    for (const group of this.groups) {
      let oldest = group.subscribed > 0 ? confirmedAt : Number.POSITIVE_INFINITY;
      for (const task of group.tasks) oldest = Math.min(oldest, task.answeredAt);
      // NaN, of what was never answered, stays NaN and is not told.
      if (!Number.isFinite(oldest) || oldest === group.toldAt) continue;
      group.toldAt = oldest;
      into.push([group.sweep, Uptime(oldest)]);
    }
  }

  /** Asked and reached. */
  intervals(state: UnitFigures["state"], now: number): UnitFigures["intervals"] {
    return this.groups.map((group) => {
      const waited = Math.max(0, ...group.tasks.map((task) => now - task.startedAt || 0));
      const median = group.reached.median();
      return {
        pollClass: group.pollClass,
        askedMs: group.intervalMs,
        reachedMs: state === "silent" || median === null ? null : Math.max(median, waited),
      };
    });
  }

  answered(task: PollTask, now: number): PlanChange {
    const { split, group } = task;
    if (split === undefined || group === undefined) return NO_CHANGE;
    task.split = undefined;
    return { added: this.#judgeSplit(group, split, "whole", now), missing: [] };
  }

  /** The unit refused the exchange as an unknown address. */
  refused(task: PollTask, now: number): PlanChange {
    const { group, split } = task;
    if (group === undefined) return NO_CHANGE;
    this.#retire(group, (other) => other === task);
    if (task.slots.length > 1) return { added: this.#halve(group, task, now), missing: [] };
    for (const point of task.exchange.points) this.#holes.add(this.#driver.footprint(point.address));
    const missing = [...task.slots];
    group.slots = group.slots.filter((slot) => !missing.includes(slot));
    const added = split === undefined ? [] : this.#judgeSplit(group, split, "refused", now);
    return { added, missing };
  }

  get holes(): readonly Footprint[] {
    return this.#holes.all;
  }

  /** Whether a hole is being looked for: what is known of them may be half. */
  get isSearching(): boolean {
    return this.groups.some((group) =>
      group.tasks.some((task) => task.split !== undefined || Number.isNaN(task.startedAt)),
    );
  }

  /** Slots of points that lie in a known hole. */
  missing(): readonly number[] {
    return this.#holes.count === 0
      ? []
      : [...this.#points.points.keys()].filter(
          (slot) => isPolled(this.#points.getPoint(slot).definition) && this.#isMissing(slot),
        );
  }

  #isMissing(slot: number): boolean {
    if (this.#holes.count === 0) return false;
    const { space, first, count } = this.#driver.footprint(this.#points.getPoint(slot).definition.address);
    return this.#holes.has(space, first, count);
  }

  #halve(group: PollGroup, task: PollTask, now: number): readonly PollTask[] {
    const points = task.exchange.points;
    const middle = points.length >> 1;
    const left = points.slice(0, middle);
    const right = points.slice(middle);
    const split: Split = {
      parent: task.split,
      left,
      right,
      holesBefore: task.split?.holesBefore ?? this.#holes.count,
      pending: 0,
      explained: false,
    };
    const session = this.#getSession();
    const exchanges = [...session.plan(left, this.#holes), ...session.plan(right, this.#holes)];
    split.pending = exchanges.length;
    const added = exchanges.map((exchange) =>
      this.#makeTask(group, exchange, { due: now, anchor: task.anchor }, split),
    );
    group.tasks = [...group.tasks, ...added];
    return added;
  }

  /** Once all parts of the outermost block are judged, the class is planned anew if anything was learnt. */
  #judgeSplit(group: PollGroup, split: Split, part: "whole" | "refused", now: number): readonly PollTask[] {
    let node: Split | undefined = split;
    let verdict = part;
    while (node !== undefined) {
      if (verdict === "refused") node.explained = true;
      node.pending -= 1;
      if (node.pending > 0) return [];
      if (!node.explained) this.#addGap(node);
      verdict = "refused";
      node = node.parent;
    }
    return this.#holes.count > split.holesBefore ? this.#planGroup(group, now) : [];
  }

  #addGap(split: Split): void {
    const places = (points: readonly PointDefinition[]) =>
      points.map((point) => this.#driver.footprint(point.address));
    const gap = gapBetween(places(split.left), places(split.right));
    if (gap !== undefined) this.#holes.add(gap);
  }

  #planGroup(group: PollGroup, now: number): readonly PollTask[] {
    this.#retire(group, () => true);
    const exchanges = this.planOnce(group.slots);
    const { index, count } = this.#place;
    group.tasks = exchanges.map((exchange, number) => {
      const share = { index: index + number / exchanges.length, count };
      return this.#makeTask(group, exchange, spread(now, group.intervalMs, share), undefined);
    });
    return group.tasks;
  }

  #makeTask(
    group: PollGroup,
    exchange: Exchange,
    when: { readonly due: number; readonly anchor: number },
    split: Split | undefined,
  ): PollTask {
    return makeTask({
      unit: this.#place.index,
      rank: rankOf(group.pollClass),
      intervalMs: group.intervalMs,
      exchange,
      slots: this.#points.slotsOf(exchange.points),
      group,
      split,
      ...when,
    });
  }

  #retire(group: PollGroup, which: (task: PollTask) => boolean): void {
    for (const task of group.tasks) task.retired ||= which(task);
    group.tasks = group.tasks.filter((task) => !task.retired);
  }

  #slotsOfClass(pollClass: PollClass): readonly number[] {
    return this.#points.points.flatMap(({ definition }, slot) =>
      definition.pollClass === pollClass && isPolled(definition) ? [slot] : [],
    );
  }

  #getSession(): UnitSession {
    assert(this.#session !== undefined, "a unit is planned only once its session is open");
    return this.#session;
  }
}
