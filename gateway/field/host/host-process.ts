import type { ChildProcess } from "node:child_process";
import type { BusId } from "../../../domain/ids.ts";
import { type Clock, Millis, since, type Uptime } from "../../../domain/time.ts";
import type {
  BusFrame,
  FieldReportSink,
  FreshRead,
  FreshReadResult,
  Operation,
  OperationResult,
} from "../field-plan.ts";
import { type FromHost, readFromHost, type Ticket, type ToHost } from "./field-messages.ts";

/** Orders that may wait for one host's answer; its buses bound theirs at 64 each. */
const ASKED_MAX = 1_024;
/** Missed in a row, each a second long: the host's event loop is stopped or stuck. */
const BEATS_MISSED_MAX = 3;
/**
 * Until its first report a process loads its code, reads its plan and plans every unit, with no heartbeat between; on
 * a loaded gateway with hundreds of buses that takes seconds, and one that is killed meanwhile begins them again.
 */
const START_BEATS_MAX = 20;
/** A round this late says that the core itself stood still, and the host's heartbeats lie unread. */
const ROUND_LATE = Millis(2_000);

interface Asked {
  /** The answer, by the kind it must have. */
  settle(answer: FromHost): void;
  /** The host is gone; it may have acted. */
  lose(why: string): void;
}

/** One field host process as the core sees it: what it was asked, and whether it is alive. */
export class HostProcess {
  /** Resolves with the reason once the process has ended. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #sink: FieldReportSink;
  readonly #asked = new Map<Ticket, Asked>();
  #ticket = 0;
  #isGone = false;
  #hasReported = false;
  #beatsMissed = 0;
  #rssBytes = 0;
  #lastRound: Uptime;

  constructor(child: ChildProcess, clock: Clock, sink: FieldReportSink) {
    this.#child = child;
    this.#clock = clock;
    this.#sink = sink;
    this.#lastRound = clock.uptime();
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, name) =>
        resolve(name === null ? `it exited with code ${code}` : `it was ended by ${name}`),
      );
      child.once("error", (error) => resolve(`it could not be run: ${error.message}`));
    });
    child.on("message", (data) => this.#take(readFromHost(data)));
  }

  /** Resident memory at its last heartbeat. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToHost): void {
    // An error says that the process is gone, which "exit" says too.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Once a second: whether the host still beats. Rounds in which the core itself stood still do not count. */
  checkBeat(): "alive" | "wedged" {
    const now = this.#clock.uptime();
    const isLate = since(this.#lastRound, now) > ROUND_LATE;
    this.#lastRound = now;
    if (!isLate) this.#beatsMissed += 1;
    return this.#beatsMissed > (this.#hasReported ? BEATS_MISSED_MAX : START_BEATS_MAX) ? "wedged" : "alive";
  }

  /** From now on nothing of this process counts; what it was asked ends honestly. */
  retire(why: string): void {
    this.#isGone = true;
    for (const asked of this.#asked.values()) asked.lose(why);
    this.#asked.clear();
  }

  async runOperation(operation: Operation, signal: AbortSignal): Promise<OperationResult> {
    const start = this.#clock.uptime();
    return await this.#ask<OperationResult>(
      (ticket) => ({ kind: "operation", ticket, operation }),
      {
        pick: (answer) => (answer.kind === "operation-end" ? answer.result : undefined),
        never: (detail) => ({
          outcome: "rejected",
          cause: "busy",
          detail: `${detail}: nothing was written. Try again`,
        }),
        lost: (why) => lostOperation(operation, why, since(start, this.#clock.uptime())),
      },
      signal,
    );
  }

  async readNow(read: FreshRead, signal: AbortSignal): Promise<FreshReadResult> {
    const down = (detail: string): FreshReadResult => ({ outcome: "fault", code: "field-host-down", detail });
    return await this.#ask<FreshReadResult>(
      (ticket) => ({ kind: "read", ticket, read }),
      { pick: (answer) => (answer.kind === "read-end" ? answer.result : undefined), never: down, lost: down },
      signal,
    );
  }

  async readFrames(busId: BusId): Promise<readonly BusFrame[]> {
    return await this.#ask<readonly BusFrame[]>(
      (ticket) => ({ kind: "frames", ticket, busId }),
      {
        pick: (answer) => (answer.kind === "frames-end" ? answer.frames : undefined),
        never: () => [],
        lost: () => [],
      },
      new AbortController().signal,
    );
  }

  #take(message: FromHost): void {
    if (this.#isGone) return;
    // At a start a beat may stand behind seconds of readings, which only a live host can have sent.
    this.#beatsMissed = 0;
    if (message.kind === "heartbeat") {
      this.#rssBytes = message.rssBytes;
      return;
    }
    if (message.kind === "report") {
      this.#hasReported = true;
      this.#sink(message.report);
    } else {
      this.#asked.get(message.ticket)?.settle(message);
      this.#asked.delete(message.ticket);
    }
  }

  async #ask<Answer>(
    make: (ticket: Ticket) => ToHost,
    ends: {
      readonly pick: (answer: FromHost) => Answer | undefined;
      readonly never: (detail: string) => Answer;
      readonly lost: (why: string) => Answer;
    },
    signal: AbortSignal,
  ): Promise<Answer> {
    if (signal.aborted) return ends.never("the order was withdrawn");
    if (this.#isGone || !this.#child.connected) return ends.never("the field host is being started again");
    if (this.#asked.size >= ASKED_MAX) return ends.never(`${ASKED_MAX} orders wait for this field host`);
    this.#ticket += 1;
    const ticket = this.#ticket;
    const onAbort = (): void => this.send({ kind: "withdraw", ticket });
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await new Promise<Answer>((resolve) => {
        this.#asked.set(ticket, {
          settle: (answer) => resolve(ends.pick(answer) ?? ends.lost("it gave an answer of another kind")),
          lose: (why) => resolve(ends.lost(why)),
        });
        this.send(make(ticket));
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** Handed over and never answered: the host may have written (I26). */
function lostOperation(operation: Operation, why: string, took: Millis): OperationResult {
  const points = operation.readBack?.points ?? [];
  return {
    outcome: "outcome-unknown",
    evidence: {
      target: operation.readBack?.expected ?? operation.value,
      acknowledged: null,
      readBacks: points.map(({ pointId }) => ({
        pointId,
        before: null,
        value: null,
        agrees: false,
        fault: "field-host-down",
      })),
      took,
      detail: `the field host went down with the order in hand (${why}). Look at the device, then resolve the command`,
    },
  };
}
