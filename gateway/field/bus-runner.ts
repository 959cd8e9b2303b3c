import type { Logger } from "pino";
import { exponentialBackoff } from "../../domain/backoff.ts";
import { DeviceFault } from "../../domain/errors.ts";
import type { BusId } from "../../domain/ids.ts";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Seconds, since, type Uptime } from "../../domain/time.ts";
import type { Bus, Driver } from "../../drivers/driver.ts";
import { BusScheduler } from "./bus-scheduler.ts";
import type { BusFigures, BusFrame, FieldBusPlan, UnitHoles } from "./field-plan.ts";
import { FrameRing } from "./frame-ring.ts";
import { LineHealth } from "./line-health.ts";
import { LineMeter } from "./line-meter.ts";
import { LineSilence } from "./line-silence.ts";
import { type LineParts, OpenLine, type UrgentJob } from "./open-line.ts";
import type { ReportBatcher } from "./report-batcher.ts";
import type { PollTask } from "./unit/poll-task.ts";
import { SessionKeeper } from "./unit/session-keeper.ts";
import type { Moment } from "./unit/unit-teller.ts";

/** A line that is lost is opened again after 1, 2, 4 … 30 s. */
const REOPEN_BACKOFF = { min: Seconds(1), max: Seconds(30) };
/** A line that held this long was well: the next loss starts from the shortest wait. */
const HELD = Seconds(10);
/** An exchange that takes this many time-outs will never end: its driver broke its promise. */
const STUCK_TIMEOUTS = 3;
/** A bus may be given a longer time-out of its own, of up to 60 s. */
const STUCK_MIN = Seconds(65);

export interface BusRunnerParts {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reports: ReportBatcher;
  /** See {@link FieldPlan.pseudonymKey}. */
  readonly pseudonymKey: string | undefined;
}

/** Owner of one bus: opens it, serves it through an {@link OpenLine}, and opens it again whenever it is lost. */
export class BusRunner implements LoopService {
  readonly name: string;
  readonly busId: BusId;
  readonly #plan: FieldBusPlan;
  readonly #parts: BusRunnerParts;
  readonly #logger: Logger;
  readonly #line: LineParts;
  readonly #ring: FrameRing;
  readonly #unitByAddress: ReadonlyMap<string, SessionKeeper>;
  readonly #health = new LineHealth();
  #open: OpenLine | undefined;
  #bus: Bus | undefined;
  #state: BusFigures["state"] = "opening";
  #isStopping = false;

  constructor(plan: FieldBusPlan, parts: BusRunnerParts) {
    const { clock, driver, reports, pseudonymKey } = parts;
    this.name = `bus ${plan.id}`;
    this.busId = plan.id;
    this.#plan = plan;
    this.#parts = parts;
    this.#logger = parts.logger.child({ busId: plan.id });
    this.#ring = new FrameRing(clock, namesPersons(plan) ? "times-and-lengths" : "bytes");
    const keepers = plan.units.map(
      (_, index) =>
        new SessionKeeper({
          bus: plan,
          place: { index, count: plan.units.length },
          driver,
          out: reports.changes,
          pseudonymKey,
        }),
    );
    this.#unitByAddress = new Map(keepers.map((keeper) => [keeper.unitAddress, keeper]));
    this.#line = {
      keepers,
      scheduler: new BusScheduler<UrgentJob, PollTask>(),
      meter: new LineMeter(clock),
      silence: new LineSilence(keepers, plan.requestTimeout),
      reports,
      clock,
    };
  }

  findUnit(unitAddress: string): SessionKeeper | undefined {
    return this.#unitByAddress.get(unitAddress);
  }

  /** Runs the job before all polls, or refuses it. */
  submit(job: UrgentJob): void {
    if (this.#isStopping) job.refuse("shutting-down", "the gateway is stopping: nothing was written");
    else if (this.#open === undefined) {
      job.refuse(
        "busy",
        `bus ${this.busId} is ${this.#state}: nothing was written. Check its line or address`,
      );
    } else if (this.#line.scheduler.offer(job) === "busy") {
      job.refuse("busy", `64 orders wait on bus ${this.busId} already: nothing was written. Try again`);
    } else this.#open.wake();
  }

  /** Rejects only for a bug: a driver that throws what it may not, or that never answers. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const openedAt = this.#parts.clock.uptime();
      await this.#openAndServe(signal);
      if (signal.aborted) break;
      this.#state = "lost";
      failures = since(openedAt, this.#parts.clock.uptime()) >= HELD ? 1 : failures + 1;
      await this.#sleep(failures, signal);
      this.#state = "opening";
    }
    this.#isStopping = true;
    this.#refuseWaiting("shutting-down", "the gateway is stopping: nothing was written");
  }

  readFrames(): readonly BusFrame[] {
    return this.#ring.read();
  }

  collectSweeps(into: (readonly [sweep: number, at: Uptime])[]): void {
    for (const keeper of this.#line.keepers) keeper.collectSweeps(into);
  }

  retell(): void {
    for (const keeper of this.#line.keepers) keeper.retell(this.#moment());
    this.#line.reports.settle();
  }

  takeFigures(): BusFigures {
    const now = this.#parts.clock.uptime();
    const { window, ...line } = this.#line.meter.takeWindow();
    const units = this.#line.keepers.map((keeper) => keeper.takeFigures(now, window));
    this.#health.note(this.#bus?.health?.());
    return { busId: this.busId, state: this.#state, ...line, health: this.#health.takeFigures(), units };
  }

  /** What was learnt of its units since it was last asked. */
  takeHoles(): readonly UnitHoles[] {
    return this.#line.keepers.flatMap((keeper) => {
      const holes = keeper.takeHoles();
      const { unitAddress, fingerprint } = keeper.unit;
      return holes === undefined ? [] : [{ busId: this.busId, unitAddress, fingerprint, holes }];
    });
  }

  /** Periodic care. @throws when the exchange in flight will never end. */
  tend(): void {
    const now = this.#parts.clock.uptime();
    const inFlight = this.#line.meter.inFlightSince;
    const patience = Math.max(STUCK_MIN, this.#plan.requestTimeout * STUCK_TIMEOUTS);
    if (inFlight !== null && since(inFlight, now) > patience) {
      throw new Error(
        `driver ${this.#parts.driver.name} let an exchange on ${this.name} hang beyond its time-out`,
      );
    }
    for (const keeper of this.#line.keepers) {
      for (const task of keeper.recheck(this.#moment())) this.#line.scheduler.add(task);
    }
  }

  async #openAndServe(signal: AbortSignal): Promise<void> {
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let lost: { readonly cause: unknown } | undefined;
    try {
      await using bus = await this.#parts.driver.openBus(this.#plan.config, this.#context(), giveUp.signal);
      this.#bus = bus;
      lost = await this.#serve(bus, giveUp.signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof DeviceFault)) throw error;
      lost = { cause: error };
    } finally {
      signal.removeEventListener("abort", onAbort);
      giveUp.abort();
      this.#closeAll(signal);
    }
    if (lost !== undefined && !signal.aborted) this.#logLoss(lost.cause);
  }

  async #serve(bus: Bus, signal: AbortSignal): Promise<{ readonly cause: unknown } | undefined> {
    const line = new OpenLine(this.#line, signal);
    for (const keeper of this.#line.keepers) {
      const session = bus.openSession(keeper.unitAddress, keeper.unit.quirks);
      for (const task of keeper.opened(session, this.#moment())) this.#line.scheduler.add(task);
    }
    bus.lost.then(
      (cause) => line.lose(cause),
      (cause) => line.lose(cause),
    );
    line.subscribeAll();
    this.#open = line;
    if (this.#state !== "open") this.#logger.info({ units: this.#line.keepers.length }, "line is open");
    this.#state = "open";
    return await line.serve();
  }

  #closeAll(signal: AbortSignal): void {
    this.#open = undefined;
    this.#health.note(this.#bus?.health?.());
    this.#health.closed();
    this.#bus = undefined;
    this.#line.scheduler.clear();
    for (const keeper of this.#line.keepers) keeper.closed(this.#moment());
    this.#line.reports.settle();
    if (!signal.aborted)
      this.#refuseWaiting("busy", `the line of bus ${this.busId} was lost: nothing was written`);
  }

  #refuseWaiting(cause: "busy" | "shutting-down", detail: string): void {
    for (
      let job = this.#line.scheduler.takeUrgent();
      job !== undefined;
      job = this.#line.scheduler.takeUrgent()
    ) {
      job.refuse(cause, detail);
    }
  }

  #logLoss(cause: unknown): void {
    if (this.#state === "lost") this.#logger.debug({ err: cause }, "line is still lost");
    else this.#logger.warn({ err: cause }, "line lost; it is opened again with back-off");
  }

  #context() {
    const { clock } = this.#parts;
    return {
      clock,
      logger: this.#logger,
      requestTimeout: this.#plan.requestTimeout,
      frames: this.#ring.sink,
    };
  }

  async #sleep(failures: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.clock.sleep(exponentialBackoff(failures, REOPEN_BACKOFF), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #moment(): Moment {
    return { uptime: this.#parts.clock.uptime(), at: this.#parts.clock.now() };
  }
}

/** Whether a frame on the bus may hold what must not leave the field host. */
function namesPersons({ units }: FieldBusPlan): boolean {
  return units.some(({ points }) => points.some(({ definition }) => definition.privacy === "pseudonymous"));
}
