import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { after, type Clock, Millis, since, type Uptime } from "../../domain/time.ts";
import type { Exchange, Sample, UnitSession } from "../../drivers/driver.ts";
import { type BusScheduler, dueAfter } from "./bus-scheduler.ts";
import type { Operation } from "./field-plan.ts";
import { FreshReads } from "./fresh-reads.ts";
import type { LineMeter } from "./line-meter.ts";
import type { LineSilence } from "./line-silence.ts";
import type { OperationLine } from "./operation-runner.ts";
import type { ReportBatcher } from "./report-batcher.ts";
import type { PollTask } from "./unit/poll-task.ts";
import type { SessionKeeper } from "./unit/session-keeper.ts";
import type { Moment } from "./unit/unit-teller.ts";

/** The longest idle wait: a schedule with nothing in it is looked at again after this. */
const IDLE_MAX_MS = 60_000;

const GONE = new DeviceFault("connection-lost", "use a line that was lost");

/** Work that goes before all polls: an operation, or a read for a person. */
export interface UrgentJob {
  readonly keeper: SessionKeeper;
  /** Never rejects but for a bug. */
  run(line: OperationLine): Promise<void>;
  /** Nothing was done and nothing will be. */
  refuse(cause: "busy" | "shutting-down", detail: string): void;
}

/** What an open line works with; the bus runner's, and longer-lived than one opening. */
export interface LineParts {
  readonly keepers: readonly SessionKeeper[];
  readonly scheduler: BusScheduler<UrgentJob, PollTask>;
  readonly meter: LineMeter;
  readonly silence: LineSilence;
  readonly reports: ReportBatcher;
  readonly clock: Clock;
}

/**
 * One opening of a bus: takes what the scheduler says is next and runs it, one exchange at a time, until the line is
 * lost or given up.
 */
export class OpenLine {
  readonly #parts: LineParts;
  readonly #signal: AbortSignal;
  /** Aborts when the line is lost or given up: an operation then waits for nothing more. */
  readonly #over = new AbortController();
  readonly #reads: FreshReads;
  #lost: { readonly cause: unknown } | undefined;
  /** A driver threw what it may not. */
  #bug: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #isWoken = false;

  /** `signal`: gives the line up. */
  constructor(parts: LineParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#reads = new FreshReads((keeper, session, work) =>
      this.#lost === undefined ? this.#exchange(keeper, session, work) : Promise.resolve(GONE),
    );
  }

  /** Urgent work was offered, or something else changed: stop waiting. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** The line is gone: {@link serve} ends. */
  lose(cause: unknown): void {
    this.#lost ??= { cause };
    this.#over.abort(new DeviceFault("connection-lost", "use a line that was lost", { cause }));
    this.wake();
  }

  /** Takes up what the units tell by themselves. */
  subscribeAll(): void {
    const { keepers, clock, reports } = this.#parts;
    for (const keeper of keepers) {
      const subscription = keeper.subscribe(
        () => this.#moment(),
        () => reports.settle(),
      );
      subscription?.run(clock, this.#over.signal).catch((error: unknown) => {
        this.#bug ??= { error };
        this.lose(error);
      });
    }
  }

  /** Resolves with what took the line, or `undefined` once it was given up. */
  async serve(): Promise<{ readonly cause: unknown } | undefined> {
    const onAbort = (): void => {
      this.#over.abort(this.#signal.reason);
      this.wake();
    };
    this.#signal.addEventListener("abort", onAbort);
    try {
      while (!this.#over.signal.aborted) await this.#next();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#signal.removeEventListener("abort", onAbort);
    }
    if (this.#bug !== undefined) throw this.#bug.error;
    return this.#signal.aborted ? undefined : this.#lost;
  }

  async #next(): Promise<void> {
    const { scheduler } = this.#parts;
    const job = scheduler.takeUrgent();
    if (job !== undefined) {
      await job.run(this.#lineFor(job.keeper));
      this.#parts.reports.settle();
      return;
    }
    const now = this.#parts.clock.uptime();
    const may = this.#parts.silence.may(now);
    const task = scheduler.take(now, may);
    if (task === undefined) await this.#idle(this.#nextDue(may));
    else await this.#poll(task);
  }

  #nextDue(may: "polls" | "polls-and-probes"): number {
    const { scheduler, silence, clock } = this.#parts;
    const due = scheduler.nextDue(may);
    return may === "polls" ? Math.min(due, silence.nextChange(clock.uptime())) : due;
  }

  async #poll(task: PollTask): Promise<void> {
    const { scheduler, keepers, clock, reports } = this.#parts;
    const keeper = keepers[task.unit];
    const session = keeper?.session;
    if (keeper === undefined || session === undefined) return;
    const start = clock.uptime();
    // NaN, before the first exchange, is no interval.
    if (task.startedAt < start) task.group?.reached.note(start - task.startedAt);
    task.startedAt = start;
    await this.#exchange(keeper, session, task);
    if (!task.retired) {
      task.due = dueAfter(task, clock.uptime());
      scheduler.add(task);
    }
    reports.settle();
  }

  /** One exchange, with all that its end means for the unit. */
  async #exchange(
    keeper: SessionKeeper,
    session: UnitSession,
    work: { readonly exchange: Exchange; readonly slots: readonly number[] } | PollTask,
  ): Promise<readonly Sample[] | DeviceFault> {
    const { meter } = this.#parts;
    const start = this.#parts.clock.uptime();
    if ("vetting" in work && work.vetting !== undefined) work.retired = true;
    const asked = "unit" in work ? { slots: work.slots, task: work } : { slots: work.slots };
    try {
      const told = await meter.use(() => ask(session, work, this.#signal));
      const samples = keeper.hide(work.slots, told);
      this.#settleAnswer(keeper, (moment) => keeper.answered(asked, samples, moment));
      return samples;
    } catch (error) {
      if (!(error instanceof DeviceFault)) throw error;
      meter.countFault(error.code);
      this.#settleFault(keeper, asked, error, start);
      return error;
    } finally {
      keeper.spent(since(start, this.#parts.clock.uptime()));
    }
  }

  #settleAnswer(keeper: SessionKeeper, settle: (moment: Moment) => readonly PollTask[]): void {
    const { scheduler, silence } = this.#parts;
    const moment = this.#moment();
    for (const task of silence.answered(keeper, moment, () => settle(moment))) scheduler.add(task);
  }

  #settleFault(
    keeper: SessionKeeper,
    asked: { readonly slots: readonly number[]; readonly task?: PollTask },
    fault: DeviceFault,
    start: Uptime,
  ): void {
    const { scheduler, silence } = this.#parts;
    const moment = this.#moment();
    switch (fault.code) {
      case "connection-lost":
        this.lose(fault);
        return;
      case "timeout":
      case "malformed-reply":
        for (const task of keeper.missed(fault.code, moment)) scheduler.add(task);
        silence.spend(moment.uptime, since(start, moment.uptime));
        return;
      default:
        this.#settleAnswer(keeper, (answered) => keeper.refused(asked, fault, answered));
    }
  }

  #lineFor(keeper: SessionKeeper): OperationLine {
    return {
      clock: this.#parts.clock,
      signal: this.#over.signal,
      read: (points) => this.#reads.read(keeper, points),
      write: (order) => this.#write(keeper, order),
      rest: (duration) => this.#parts.clock.sleep(duration, this.#over.signal),
      lend: (duration) => this.#lend(after(this.#parts.clock.uptime(), duration)),
    };
  }

  async #write(
    keeper: SessionKeeper,
    { point, value, args }: Pick<Operation, "point" | "value" | "args">,
  ): Promise<PointValue | undefined> {
    const session = keeper.session;
    const slot = keeper.points.findSlot(point);
    const closed = `write to unit ${keeper.unitAddress}, whose session is closed`;
    if (session === undefined || slot === undefined) throw new DeviceFault("connection-lost", closed);
    const { definition } = keeper.points.getPoint(slot);
    const start = this.#parts.clock.uptime();
    try {
      return await this.#parts.meter.use(() => order(session, definition, { value, args }, this.#signal));
    } catch (error) {
      if (error instanceof DeviceFault) {
        this.#parts.meter.countFault(error.code);
        if (error.code === "connection-lost") this.lose(error);
      }
      throw error;
    } finally {
      keeper.spent(since(start, this.#parts.clock.uptime()));
    }
  }

  async #lend(until: Uptime): Promise<void> {
    const { scheduler, clock, reports } = this.#parts;
    reports.settle();
    while (!this.#over.signal.aborted && clock.uptime() < until) {
      const task = scheduler.take(clock.uptime(), "polls");
      if (task === undefined) await this.#idle(Math.min(until, scheduler.nextDue("polls")));
      else await this.#poll(task);
    }
    this.#over.signal.throwIfAborted();
  }

  async #idle(untilMs: number): Promise<void> {
    if (this.#isWoken) {
      this.#isWoken = false;
      return;
    }
    const { clock } = this.#parts;
    const wait = Millis(Math.min(IDLE_MAX_MS, Math.max(0, untilMs - clock.uptime())));
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(wait, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
    this.#isWoken = false;
  }

  #moment(): Moment {
    return { uptime: this.#parts.clock.uptime(), at: this.#parts.clock.now() };
  }
}

/** One request and its answer. */
async function ask(
  session: UnitSession,
  work: { readonly exchange: Exchange } | PollTask,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  if (!("keepAlive" in work) || work.keepAlive === undefined)
    return await session.exchange(work.exchange, signal);
  await work.keepAlive.exchange(signal);
  return [];
}

/** A protocol without actions of its own runs one by writing to its place. */
async function order(
  session: UnitSession,
  point: PointDefinition,
  { value, args }: Pick<Operation, "value" | "args">,
  signal: AbortSignal,
): Promise<PointValue | undefined> {
  if (point.type === "action" && session.invoke !== undefined)
    return await session.invoke(point, args, signal);
  await session.write(point, value, signal);
  return undefined;
}
