import { fork } from "node:child_process";
import type { Logger } from "pino";
import { exponentialBackoff } from "../../../domain/backoff.ts";
import type { BusId } from "../../../domain/ids.ts";
import type { LoopService } from "../../../domain/service.ts";
import { HOST_HEAP_FLAGS } from "../../../domain/system/heap.ts";
import { type Clock, Millis, Minutes, Seconds, since } from "../../../domain/time.ts";
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
} from "../field-plan.ts";
import { HostProcess } from "./host-process.ts";
import { OutageTeller } from "./outage-teller.ts";

/** A host that went down is started again after 0.2, 0.4 … 30 s. */
const RESTART_BACKOFF = { min: Millis(200), max: Seconds(30) };
/** A host that ran this long was well: its next fall starts from the shortest wait. */
const STABLE = Minutes(1);
const ROUND = Seconds(1);
/** For putting buses away after "stop"; then the process is killed. */
const STOP_WITHIN = Seconds(3);
/** A host needs some 25 MB and 1 kB a point; what grows past this leaks, and is ended before the machine suffers. */
const HEAP_BASE_MIB = 192;
const HEAP_MIB_PER_1000_POINTS = 2;
/** Beside the heap: code, stacks, buffers. */
const OFF_HEAP_MIB = 192;
const MIB = 1_024 * 1_024;
const DEFAULT_ENTRY = new URL("./field-host-main.ts", import.meta.url);

export interface HostSupervisorParts {
  readonly plan: FieldPlan;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink: FieldReportSink;
  /** Program of the host process; a bundle and tests bring their own. */
  readonly entry?: URL;
  /** Bound of its JavaScript heap; default: by the number of its points. */
  readonly heapMib?: number;
}

/** As it is sent: the points' ids, which nobody reads there, are most of its size. */
function withoutIds(plan: FieldPlan): FieldPlan {
  const buses = plan.buses.map((bus) => ({
    ...bus,
    units: bus.units.map((unit) => ({
      ...unit,
      points: unit.points.map(({ number, definition }) => ({ number, definition })),
    })),
  }));
  return { ...plan, buses };
}

/** Beyond it V8 ends the process. */
function heapFor({ buses }: FieldPlan): number {
  const points = buses.reduce(
    (sum, bus) => sum + bus.units.reduce((all, unit) => all + unit.points.length, 0),
    0,
  );
  return HEAP_BASE_MIB + Math.ceil(points / 1_000) * HEAP_MIB_PER_1000_POINTS;
}

/**
 * Owner of a field host process: starts it, sees it die by its exit and stand still by three missed heartbeats, says
 * so of every point at once, and starts another. Other hosts notice nothing (DOMAIN E.6, rule 30).
 */
export class HostSupervisor implements Field, FieldFrames, LoopService {
  readonly name: string;
  readonly #parts: HostSupervisorParts;
  readonly #logger: Logger;
  readonly #outage: OutageTeller;
  readonly #heapMib: number;
  #host: HostProcess | undefined;
  #isStopping = false;

  constructor(parts: HostSupervisorParts) {
    this.name = `field host ${parts.plan.group}`;
    this.#parts = parts;
    this.#logger = parts.logger.child({ fieldHost: parts.plan.group });
    this.#heapMib = parts.heapMib ?? heapFor(parts.plan);
    this.#outage = new OutageTeller(parts.plan, parts.clock, parts.sink);
  }

  /** Process id of the host; `undefined` while there is none. */
  get pid(): number | undefined {
    return this.#host?.pid;
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = this.#parts.clock.uptime();
      const why = await this.#runOne(signal);
      if (signal.aborted) break;
      failures = since(startedAt, this.#parts.clock.uptime()) >= STABLE ? 1 : failures + 1;
      const wait = exponentialBackoff(failures, RESTART_BACKOFF);
      this.#logger.error({ why, restartInMs: wait }, "field host went down; it is started again");
      await this.#sleep(wait, signal);
    }
    this.#isStopping = true;
  }

  async runOperation(operation: Operation, signal: AbortSignal): Promise<OperationResult> {
    if (this.#host !== undefined) return await this.#host.runOperation(operation, signal);
    const cause = this.#isStopping ? "shutting-down" : "busy";
    return {
      outcome: "rejected",
      cause,
      detail: `${this.name} is down: nothing was written. Try again in some seconds`,
    };
  }

  async readNow(read: FreshRead, signal: AbortSignal): Promise<FreshReadResult> {
    if (this.#host !== undefined) return await this.#host.readNow(read, signal);
    return {
      outcome: "fault",
      code: "field-host-down",
      detail: `${this.name} is down. Try again in some seconds`,
    };
  }

  async readFrames(busId: BusId): Promise<readonly BusFrame[]> {
    return (await this.#host?.readFrames(busId)) ?? [];
  }

  /** Runs one process to its end; resolves with why it went down. */
  async #runOne(signal: AbortSignal): Promise<string> {
    const { plan, clock, logger, entry = DEFAULT_ENTRY } = this.#parts;
    // No inherited node options: a loader or debugger of the core is not the host's. A session of its own: Linux shares the
    // processor out by sessions (sched(7), autogroup), so that a service has its share however busy the others are.
    const child = fork(entry, [plan.group, logger.level], {
      detached: true,
      serialization: "advanced",
      execArgv: [...HOST_HEAP_FLAGS, `--max-old-space-size=${this.#heapMib}`],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const host = new HostProcess(child, clock, this.#outage.sink);
    host.send({ kind: "start", plan: withoutIds(plan) });
    this.#host = host;
    const over = new AbortController();
    try {
      const why = await Promise.race([
        host.exited,
        this.#watch(host, AbortSignal.any([signal, over.signal])),
      ]);
      if (signal.aborted) await this.#stopInOrder(host);
      return why;
    } finally {
      over.abort();
      await this.#putAway(host, signal);
    }
  }

  /** Told at once, before the process is known to be gone: what it can no longer say is no longer known. */
  async #putAway(host: HostProcess, signal: AbortSignal): Promise<void> {
    this.#host = undefined;
    // Killed first: what is told as unknown must not be written afterwards.
    host.kill();
    host.retire(signal.aborted ? "the gateway is stopping" : "it went down");
    if (!signal.aborted) this.#outage.tell();
    await host.exited;
  }

  async #watch(host: HostProcess, signal: AbortSignal): Promise<string> {
    while (!signal.aborted) {
      await this.#sleep(ROUND, signal);
      if (signal.aborted) break;
      if (host.checkBeat() === "wedged") return "it missed three heartbeats";
      if (host.rssBytes > (this.#heapMib + OFF_HEAP_MIB) * MIB)
        return `it held ${Math.round(host.rssBytes / MIB)} MiB, at most ${this.#heapMib + OFF_HEAP_MIB}`;
    }
    return "the gateway is stopping";
  }

  /** The host ends its operations and sends their results before it exits. */
  async #stopInOrder(host: HostProcess): Promise<void> {
    host.send({ kind: "stop" });
    const waited = new AbortController();
    await Promise.race([host.exited, this.#sleep(STOP_WITHIN, waited.signal)]);
    waited.abort();
  }

  async #sleep(duration: Millis, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.clock.sleep(duration, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
