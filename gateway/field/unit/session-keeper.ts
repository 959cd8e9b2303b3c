import type { DeviceFault, FaultCode } from "../../../domain/errors.ts";
import type { PointNumber } from "../../../domain/ids.ts";
import type { PointDefinition } from "../../../domain/point.ts";
import type { PointChange } from "../../../domain/reading.ts";
import type { Millis, Uptime } from "../../../domain/time.ts";
import type { Driver, Exchange, Footprint, Sample, UnitSession } from "../../../drivers/driver.ts";
import type { FieldBusPlan, FieldUnitPlan, UnitFigures } from "../field-plan.ts";
import { HoleCare } from "./hole-care.ts";
import { formatPlace } from "./known-holes.ts";
import { PollPlan } from "./poll-plan.ts";
import { keepAliveTask, type PollTask } from "./poll-task.ts";
import { ToldPoints } from "./told-points.ts";
import { UnitPoints } from "./unit-points.ts";
import { UnitSilence } from "./unit-silence.ts";
import type { SubscriptionListener, UnitSubscription } from "./unit-subscription.ts";
import { type Moment, UnitTeller } from "./unit-teller.ts";
import { Vettings } from "./vettings.ts";

export interface SessionKeeperParts {
  readonly bus: FieldBusPlan;
  readonly place: { readonly index: number; readonly count: number };
  readonly driver: Pick<Driver, "footprint">;
  /** Takes every change; the host empties it. */
  readonly out: PointChange[];
  /** Hexadecimal; needed where a point is pseudonymous. */
  readonly pseudonymKey: string | undefined;
}

/**
 * Owner of one unit's session: knows whether the unit answers, tells its points' quality when that changes, and
 * says which exchanges are to be scheduled. Starts nothing itself; the bus runner does.
 */
export class SessionKeeper {
  readonly unitAddress: string;
  readonly unit: FieldUnitPlan;
  readonly points: UnitPoints;
  readonly silence: UnitSilence;
  readonly #place: SessionKeeperParts["place"];
  readonly #plan: PollPlan;
  readonly #teller: UnitTeller;
  readonly #holeCare: HoleCare;
  readonly #told: ToldPoints;
  readonly #vettings: Vettings;
  #session: UnitSession | undefined;
  #keepAlive: PollTask | undefined;
  #lineMs = 0;

  constructor({ bus, place, driver, out, pseudonymKey }: SessionKeeperParts) {
    const unit = bus.units[place.index];
    if (unit === undefined) throw new RangeError(`bus ${bus.id} has no unit number ${place.index}`);
    this.unitAddress = unit.unitAddress;
    this.unit = unit;
    this.#place = place;
    this.points = new UnitPoints(unit.points);
    this.#plan = new PollPlan(this.points, bus, unit, place, driver);
    this.#told = new ToldPoints(this.points);
    this.#holeCare = new HoleCare(this.#plan.holes, place);
    this.#vettings = new Vettings(unit.probes, this.points, place.index);
    this.silence = new UnitSilence(place.index);
    this.#teller = new UnitTeller({ points: this.points, vettings: this.#vettings, out, pseudonymKey });
  }

  /** The session while the line is open. */
  get session(): UnitSession | undefined {
    return this.#session;
  }

  /** The line is open: everything is asked anew. Returns what is to be scheduled. */
  opened(session: UnitSession, moment: Moment): readonly PollTask[] {
    this.#session = session;
    this.#told.opened(session);
    return this.#startPolling(session, moment);
  }

  /** What keeps the points up that the unit tells by itself; `undefined`: none. To be run while the line is open. */
  subscribe(moment: () => Moment, settle: () => void): UnitSubscription | undefined {
    const listener: SubscriptionListener = {
      told: (point, sample) => {
        this.#tell(point, sample, moment());
        settle();
      },
      confirmed: () => {
        this.#begin(moment());
        if (!this.silence.isSilent) this.#told.confirm(moment().uptime);
        settle();
      },
      ended: (code) => {
        this.#told.ended(code);
        if (!this.silence.isSilent && this.#session !== undefined)
          this.#teller.mark(this.#told.slots, code, moment());
        settle();
      },
    };
    return this.#session === undefined ? undefined : this.#told.subscribe(this.#session, listener);
  }

  /** The line is gone, or could not be opened: told once. */
  closed(moment: Moment): void {
    this.#session = undefined;
    this.silence.closed();
    this.#told.closed();
    this.#retireAll();
    this.#teller.mark(this.#teller.readable, "connection-lost", moment);
  }

  /** Names of persons are taken out before anything else sees the samples. */
  hide(slots: readonly number[], samples: readonly Sample[]): readonly Sample[] {
    return this.#teller.hide(slots, samples);
  }

  /** Why nothing may be read from or written to the device of this point; `undefined`: it is the right one, as far as anybody can tell. */
  findDoubt(point: PointNumber): string | undefined {
    return this.#vettings.findDoubt(this.points.findSlot(point) ?? -1);
  }

  /** `task`: absent for a read on somebody's behalf. Returns what is to be scheduled besides. */
  answered(
    exchange: { readonly slots: readonly number[]; readonly task?: PollTask },
    samples: readonly Sample[],
    moment: Moment,
  ): readonly PollTask[] {
    const { task } = exchange;
    this.silence.answered();
    if (task?.vetting !== undefined) return this.#vetted(task, samples, moment);
    // A device may have been exchanged while it was silent: first it is doubted, then what it says is judged.
    const recovered = this.silence.isSilent ? this.#recover(moment) : undefined;
    this.#teller.accept(exchange.slots, samples, moment);
    if (recovered !== undefined) return recovered;
    if (task === undefined) return [];
    task.answeredAt = moment.uptime;
    return task.split === undefined ? [] : this.#plan.answered(task, moment.uptime).added;
  }

  /** Nothing that makes sense came back. All points are told once; the returned probe goes into the schedule. */
  missed(code: FaultCode, moment: Moment): readonly PollTask[] {
    if (!this.silence.isSilent) this.#teller.mark(this.#teller.readable, code, moment);
    const tasks = this.silence.missed(() => this.#firstQuestion(), moment.uptime);
    this.#plan.retireAll();
    this.#vettings.retireAll();
    if (this.#keepAlive !== undefined) this.#keepAlive.retired = true;
    return tasks;
  }

  /** The unit answered that it will not: only these points suffer. */
  refused(
    exchange: { readonly slots: readonly number[]; readonly task?: PollTask },
    fault: DeviceFault,
    moment: Moment,
  ): readonly PollTask[] {
    const task = exchange.task;
    this.silence.answered();
    if (task?.vetting !== undefined) {
      const samples = Array.from(task.slots, () => ({ fault }));
      return this.#vetted(task, samples, moment);
    }
    if (this.silence.isSilent) return this.#recover(moment);
    if (fault.code !== "unknown-address") {
      this.#teller.mark(exchange.slots, fault.code, moment);
      return [];
    }
    if (task === undefined) return [];
    const { added, missing } = this.#plan.refused(task, moment.uptime);
    this.#teller.mark(missing, fault.code, moment);
    return added;
  }

  planOnce(slots: Iterable<number>): readonly Exchange[] {
    return this.#plan.planOnce(slots);
  }

  /** Periodic care: looks again for points that were missing an hour ago, and at devices that were wrong. */
  recheck(moment: Moment): readonly PollTask[] {
    const session = this.#session;
    if (session === undefined || this.silence.isSilent) return [];
    if (this.#holeCare.takeTurn(this.#plan.holes, moment.uptime) === "due") {
      return this.#plan.start(session, { ...this.#kinds(), holes: "forget" }, moment.uptime);
    }
    return this.#vettings.tasks((slots) => this.planOnce(slots), moment.uptime);
  }

  /** What is known of holes, if that changed since it was last told; nothing while one is being looked for. */
  takeHoles(): readonly Footprint[] | undefined {
    return this.#plan.isSearching ? undefined : this.#holeCare.takeNews(this.#plan.holes);
  }

  /** Everything is told again with its next sample. */
  retell(moment: Moment): void {
    this.#teller.forget();
    if (this.#session === undefined) this.closed(moment);
    else if (this.silence.isSilent) this.#teller.mark(this.#teller.readable, "timeout", moment);
    else {
      this.#vettings.markWrong((slots) => this.#teller.markWrong(slots, moment));
      this.#told.renew();
    }
  }

  /** Appends each sweep that was complete since it was told last, with the time since which all of it is confirmed. */
  collectSweeps(into: (readonly [sweep: number, at: Uptime])[]): void {
    this.#plan.collectSweeps(this.#told.confirmedAt, into);
  }

  /** The line was busy with this unit for so long. */
  spent(duration: Millis): void {
    this.#lineMs += duration;
  }

  /** `window`: since the last call. */
  takeFigures(now: Uptime, window: Millis): UnitFigures {
    const lineShare = window > 0 ? Math.min(1, this.#lineMs / window) : 0;
    this.#lineMs = 0;
    const isSilent = this.silence.isSilent || this.#session === undefined;
    return {
      unitAddress: this.unitAddress,
      state: isSilent ? "silent" : "answering",
      failures: this.silence.failures,
      intervals: this.#plan.intervals(isSilent ? "silent" : "answering", now),
      lineShare,
      holes: this.#plan.holes.map(formatPlace),
      subscription: this.#told.figures(),
      wrongDevices: this.#vettings.wrong(),
    };
  }

  /** What is asked first of a unit that fell silent. */
  #firstQuestion() {
    const asked = this.#keepAlive ?? this.#plan.probe(this.#teller.readable);
    if (asked === undefined) return undefined;
    const { exchange, keepAlive } = asked;
    return { exchange, keepAlive, slots: this.points.slotsOf(exchange.points) };
  }

  #tell(point: PointDefinition, sample: Sample, moment: Moment): void {
    const [slot] = this.points.slotsOf([point]);
    if (slot === undefined || this.#vettings.findDoubt(slot) !== undefined) return;
    this.#begin(moment);
    // What stands is told anew once the unit answers again; what happened is told now or never.
    if (this.silence.isSilent && point.event !== true) return;
    const slots = [slot];
    this.#teller.accept(slots, this.hide(slots, [sample]), moment);
  }

  #begin(moment: Moment): void {
    if (this.silence.isSilent || this.#told.begin() === "lives already") return;
    this.#teller.awaitEvents(this.#told.events, moment);
  }

  #vetted(task: PollTask, samples: readonly Sample[], moment: Moment): readonly PollTask[] {
    if (this.silence.isSilent) return this.#recover(moment);
    const { vetting } = task;
    if (vetting?.note(task.slots, samples, moment.uptime) === "wrong")
      this.#teller.markWrong(vetting.slots, moment);
    if (this.#vettings.takeReleased() === "none") return [];
    this.#told.renew();
    return this.#plan.replan(this.#kinds(), moment.uptime);
  }

  #kinds() {
    return {
      isSubscribed: (slot: number): boolean => this.#told.has(slot),
      isHeld: (slot: number): boolean => this.#vettings.findDoubt(slot) !== undefined,
    };
  }

  #recover(moment: Moment): readonly PollTask[] {
    this.silence.end();
    this.#told.renew();
    return this.#session === undefined ? [] : this.#startPolling(this.#session, moment);
  }

  #startPolling(session: UnitSession, moment: Moment): readonly PollTask[] {
    const now = moment.uptime;
    this.silence.end();
    this.#holeCare.answers(now);
    this.#vettings.doubtAll();
    const polls = this.#plan.start(session, { ...this.#kinds(), holes: "keep" }, now);
    this.#teller.mark(this.#plan.missing(), "unknown-address", moment);
    const vettings = this.#vettings.tasks((slots) => this.planOnce(slots), now);
    return [...this.#keepAlives(session, now), ...vettings, ...polls];
  }

  #keepAlives({ keepAlive }: UnitSession, now: Uptime): readonly PollTask[] {
    if (this.#keepAlive !== undefined) this.#keepAlive.retired = true;
    if (keepAlive === undefined) return [];
    this.#keepAlive = keepAliveTask(keepAlive, this.#place, {
      now,
      label: `keep-alive of unit ${this.unitAddress}`,
    });
    return [this.#keepAlive];
  }

  #retireAll(): void {
    this.#plan.retireAll();
    this.#vettings.retireAll();
    this.silence.retire();
    if (this.#keepAlive !== undefined) this.#keepAlive.retired = true;
  }
}
