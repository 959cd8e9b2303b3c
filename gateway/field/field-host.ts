import type { Logger } from "pino";
import { DeviceFault } from "../../domain/errors.ts";
import type { BusId, PointNumber } from "../../domain/ids.ts";
import type { PointChange } from "../../domain/reading.ts";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Seconds, type Uptime } from "../../domain/time.ts";
import type { Driver, Sample } from "../../drivers/driver.ts";
import { BusRunner } from "./bus-runner.ts";
import type {
  BusFrame,
  Field,
  FieldFrames,
  FieldPlan,
  FieldReportSink,
  FreshRead,
  FreshReadResult,
  Operation,
  OperationResult,
} from "./field-plan.ts";
import { type OperationLine, runOperation } from "./operation-runner.ts";
import { ReportBatcher } from "./report-batcher.ts";
import { judgeSample } from "./unit/change-filter.ts";
import type { SessionKeeper } from "./unit/session-keeper.ts";

const SWEEPS_EVERY = Seconds(1);
/** In sweep reports. */
const FIGURES_EVERY = 5;
/** An order that comes while the drivers are being loaded waits so long; its own deadline is checked before the write. */
const START_WAIT = Seconds(5);
/** Lines that are opened before the event loop turns. */
const LINES_A_TURN = 8;
const NOT_STARTED = `did not start within ${START_WAIT / 1_000} s. Try again`;

const WRONG_DEVICE = { value: null, quality: "bad/configuration-error", cause: "wrong-device" } as const;

/** Finds a driver by its name in the plan; the registry's `loadDriver` in the product. */
export type LoadDriver = (name: string) => Promise<Driver>;

export interface FieldHostParts {
  readonly plan: FieldPlan;
  readonly loadDriver: LoadDriver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink: FieldReportSink;
}

/** All buses of one isolation group in this process: polls them, runs operations on them, reports. */
export class FieldHost implements Field, FieldFrames, LoopService {
  readonly name: string;
  readonly #parts: FieldHostParts;
  readonly #reports: ReportBatcher;
  readonly #built = Promise.withResolvers<void>();
  /** `undefined` until the drivers are loaded. */
  #runners: ReadonlyMap<BusId, BusRunner> | undefined;

  constructor(parts: FieldHostParts) {
    this.name = `field host ${parts.plan.group}`;
    this.#parts = parts;
    this.#reports = new ReportBatcher(parts.clock, parts.sink);
  }

  /** Loads only the drivers that the plan needs. Rejects for a bug of a driver or of ours; the line never makes it. */
  async run(signal: AbortSignal): Promise<void> {
    const runners: BusRunner[] = [];
    const { plan, loadDriver, clock, logger } = this.#parts;
    for (const bus of plan.buses) {
      const driver = await loadDriver(bus.driver);
      await driver.load?.();
      const { pseudonymKey } = plan;
      runners.push(new BusRunner(bus, { driver, clock, logger, reports: this.#reports, pseudonymKey }));
    }
    this.#runners = new Map(runners.map((runner) => [runner.busId, runner]));
    this.#built.resolve();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const telling = stopOnFailure(this.#tell(runners, stop.signal), stop);
      telling.catch(() => undefined);
      // One that fails takes the others with it; all are waited for, so that nothing is left on a line.
      const ends = await Promise.allSettled([...(await startInTurns(runners, stop)), telling]);
      const failed = ends.find((end) => end.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#reports.flush();
    }
  }

  async runOperation(operation: Operation, signal: AbortSignal): Promise<OperationResult> {
    if ((await this.#started()) === "not yet") {
      return {
        outcome: "rejected",
        cause: "busy",
        detail: `${this.name} ${NOT_STARTED}: nothing was written`,
      };
    }
    const found = this.#find(operation);
    const unknown = found === undefined ? undefined : this.#findUnknown(operation, found.keeper);
    if (found === undefined || unknown !== undefined) {
      const detail =
        unknown ?? `no bus ${operation.busId} with a unit ${operation.unitAddress}: nothing was written`;
      return { outcome: "rejected", cause: "unknown-point", detail };
    }
    return await this.#submit<OperationResult>(found, {
      run: async (line) => {
        const doubt = found.keeper.findDoubt(operation.point);
        if (doubt === undefined) return await runOperation(operation, line, signal);
        return { outcome: "rejected", cause: "blocked", detail: `${doubt}. Nothing was written` };
      },
      refused: (cause, detail) => ({ outcome: "rejected", cause, detail }),
    });
  }

  async readNow(read: FreshRead, signal: AbortSignal): Promise<FreshReadResult> {
    if ((await this.#started()) === "not yet") {
      return { outcome: "fault", code: "field-host-down", detail: `${this.name} ${NOT_STARTED}` };
    }
    const found = this.#find(read);
    if (
      found === undefined ||
      read.points.some((point) => found.keeper.points.findSlot(point) === undefined)
    ) {
      const detail = `no bus ${read.busId} with a unit ${read.unitAddress} that has these points`;
      return { outcome: "fault", code: "unknown-address", detail };
    }
    return await this.#submit<FreshReadResult>(found, {
      run: (line) => this.#readFresh(read, found.keeper, line, signal),
      refused: (_, detail) => ({ outcome: "fault", code: "busy", detail }),
    });
  }

  readFrames(busId: BusId): Promise<readonly BusFrame[]> {
    return Promise.resolve(this.#runners?.get(busId)?.readFrames() ?? []);
  }

  /** What the core did not get is told again: every point with its next sample. */
  retell(): void {
    for (const runner of this.#runners?.values() ?? []) runner.retell();
  }

  async #readFresh(
    read: FreshRead,
    keeper: SessionKeeper,
    line: OperationLine,
    signal: AbortSignal,
  ): Promise<FreshReadResult> {
    if (signal.aborted)
      return { outcome: "fault", code: "busy", detail: "nobody waits for the answer any more" };
    const samples = await readOrGiveUp(read, line);
    const at = line.clock.now();
    const changes = read.points.flatMap((point): PointChange[] => {
      const sample = samples.get(point);
      const slot = keeper.points.findSlot(point);
      if (sample === undefined || slot === undefined) return [];
      const doubt = keeper.findDoubt(point);
      const judged =
        doubt === undefined ? judgeSample(sample, keeper.points.getPoint(slot).definition) : WRONG_DEVICE;
      const sourceTimestamp = "takenAt" in sample ? sample.takenAt : null;
      return [{ point, ...judged, gatewayTimestamp: at, sourceTimestamp }];
    });
    const faults = [...samples.values()].flatMap((sample) => ("fault" in sample ? [sample.fault] : []));
    const [fault] = faults;
    if (fault !== undefined && faults.length === samples.size) {
      return { outcome: "fault", code: fault.code, detail: fault.message };
    }
    return { outcome: "read", changes };
  }

  async #started(): Promise<"started" | "not yet"> {
    if (this.#runners === undefined) {
      const waited = Promise.withResolvers<void>();
      const cancel = this.#parts.clock.schedule(START_WAIT, waited.resolve);
      await Promise.race([this.#built.promise, waited.promise]);
      cancel();
    }
    return this.#runners === undefined ? "not yet" : "started";
  }

  #find(place: { readonly busId: BusId; readonly unitAddress: string }) {
    const runner = this.#runners?.get(place.busId);
    const keeper = runner?.findUnit(place.unitAddress);
    return runner === undefined || keeper === undefined ? undefined : { runner, keeper };
  }

  #findUnknown(operation: Operation, keeper: SessionKeeper): string | undefined {
    const needed = [...(operation.readBack?.points ?? []), ...(operation.interlock?.conditions ?? [])];
    const asked = [operation.point, ...needed.map((point) => point.number)];
    const unknown = asked.filter((point) => keeper.points.findSlot(point) === undefined);
    if (unknown.length === 0) return undefined;
    return `unit ${keeper.unitAddress} has no point number ${unknown.join(", ")}: nothing was written`;
  }

  async #submit<Result>(
    found: { readonly runner: BusRunner; readonly keeper: SessionKeeper },
    job: {
      readonly run: (line: OperationLine) => Promise<Result>;
      readonly refused: (cause: "busy" | "shutting-down", detail: string) => Result;
    },
  ): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      found.runner.submit({
        keeper: found.keeper,
        run: async (line) => {
          try {
            resolve(await job.run(line));
          } catch (error) {
            reject(error);
            throw error;
          }
        },
        refuse: (cause, detail) => resolve(job.refused(cause, detail)),
      });
    });
  }

  async #tell(runners: readonly BusRunner[], signal: AbortSignal): Promise<void> {
    for (let turn = 1; !signal.aborted; turn += 1) {
      try {
        await this.#parts.clock.sleep(SWEEPS_EVERY, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      this.#tellSweeps(runners);
      for (const runner of runners) runner.tend();
      if (turn % FIGURES_EVERY === 0) {
        this.#tellHoles(runners);
        this.#reports.tell({ kind: "figures", figures: runners.map((runner) => runner.takeFigures()) });
      }
    }
  }

  #tellHoles(runners: readonly BusRunner[]): void {
    const units = runners.flatMap((runner) => runner.takeHoles());
    if (units.length > 0) this.#reports.tell({ kind: "holes", units });
  }

  #tellSweeps(runners: readonly BusRunner[]): void {
    const sweeps: (readonly [sweep: number, at: Uptime])[] = [];
    for (const runner of runners) runner.collectSweeps(sweeps);
    if (sweeps.length > 0) this.#reports.tell({ kind: "sweeps", sweeps });
  }
}

/** Some lines at a time: a host of hundreds still beats, reports and answers while it plans them all. */
async function startInTurns(
  runners: readonly BusRunner[],
  stop: AbortController,
): Promise<readonly Promise<void>[]> {
  const loops: Promise<void>[] = [];
  for (const runner of runners) {
    const loop = stopOnFailure(runner.run(stop.signal), stop);
    // Its failure is told with the others' ends; until then it is nobody's.
    loop.catch(() => undefined);
    loops.push(loop);
    if (loops.length % LINES_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return loops;
}

async function stopOnFailure(loop: Promise<void>, stop: AbortController): Promise<void> {
  try {
    await loop;
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

/** The line given up meanwhile is an answer too: nobody may wait for ever. */
async function readOrGiveUp(read: FreshRead, line: OperationLine): Promise<ReadonlyMap<PointNumber, Sample>> {
  try {
    return await line.read(read.points);
  } catch (error) {
    if (!line.signal.aborted) throw error;
    const fault = new DeviceFault("connection-lost", `read of unit ${read.unitAddress}`, { cause: error });
    return new Map(read.points.map((point) => [point, { fault }]));
  }
}
