import type { Logger } from "pino";
import { type PointId, PointNumber } from "../../domain/ids.ts";
import type { PointChange, StoredReading } from "../../domain/reading.ts";
import { type CancelTimer, type Clock, Millis } from "../../domain/time.ts";
import type { EventBody } from "../../domain/wire/record-kinds.ts";
import type { Stamp } from "./evidence-log.ts";
import type { BuiltGroup, GroupBuilder, Retold } from "./group-builder.ts";
import type { History } from "./history.ts";
import type { Incarnation } from "./incarnations.ts";
import type { LaneBook } from "./lane-book.ts";
import type { HistorySpan, StoreError, TelemetryStore } from "./store.ts";
import type { Twins } from "./twins.ts";
import { WaitingTelemetry } from "./waiting-telemetry.ts";
import type { DurableCommit } from "./writing/durable-commit.ts";
import type { CommitGroup, QuarantineOrder, Removal } from "./writing/telemetry-writer.ts";

const GROUP_WAIT = Millis(200);
/** From so many waiting readings on, the group does not wait. */
const GROUP_FULL = 1_000;
const GROUP_MAX = 25_000;

export interface TelemetryParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly committer: DurableCommit;
  readonly builder: GroupBuilder;
  readonly twins: Twins;
  readonly lanes: LaneBook;
  readonly history: History;
  readonly incarnation: Incarnation;
  /** Those of the file; the log's own from here on. */
  readonly numbers: Map<PointId, PointNumber>;
  readonly stamp: () => Stamp;
  /** Number of the last group that is in the file. */
  readonly lastGroup: number;
}

export interface TelemetryOrders {
  readonly removals?: readonly Removal[];
  readonly quarantines?: readonly QuarantineOrder[];
  readonly events?: readonly EventBody[];
  readonly retold?: readonly Retold[];
}

interface FlushWaiter {
  readonly ticket: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Collects telemetry into groups and hands them to the worker, one at a time, until each is known to be durable. */
export class TelemetryLog implements TelemetryStore {
  readonly #parts: TelemetryParts;
  readonly #waiting = new WaitingTelemetry();
  readonly #numbers: Map<PointId, PointNumber>;
  readonly #listeners = new Set<(readings: readonly StoredReading[]) => void>();
  readonly #hints = new Set<() => void>();
  readonly #closing = new AbortController();
  #newPoints: (readonly [number, PointId])[] = [];
  #removals: Removal[] = [];
  #quarantines: QuarantineOrder[] = [];
  #retold: Retold[] = [];
  #flushers: FlushWaiter[] = [];
  /** Tickets of `flush`: everything handed over before ticket n is durable when group n of this opening is. */
  #ticket = 0;
  #group: number;
  #highestNumber: number;
  #inFlight: Promise<void> | undefined;
  #cancelTimer: CancelTimer | undefined;
  #failure: StoreError | undefined;
  #bytes = 0;
  #unstored = 0;

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    this.#group = parts.lastGroup;
    this.#numbers = parts.numbers;
    this.#highestNumber = highestOf(parts.numbers);
  }

  /** The failure that keeps groups from being committed, until one is. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** Bytes of entries committed in this opening. */
  get committedBytes(): number {
    return this.#bytes;
  }

  /** Readings that were given up since the file is read-only. */
  get unstored(): number {
    return this.#unstored;
  }

  numberPoints(ids: readonly PointId[]): ReadonlyMap<PointId, PointNumber> {
    const numbers = new Map<PointId, PointNumber>();
    for (const id of ids) numbers.set(id, this.#numbers.get(id) ?? this.#numberPoint(id));
    if (this.#newPoints.length > 0) this.#plan();
    return numbers;
  }

  numberedPoints(): ReadonlyMap<PointId, PointNumber> {
    return this.#numbers;
  }

  accept(changes: readonly PointChange[]): void {
    this.#waiting.push(changes, this.#highestNumber);
    this.#plan();
  }

  appendEvent(lane: "B" | "D", body: EventBody): void {
    this.#waiting.pushEvent({ lane, body, tWall: this.#parts.clock.now() });
    this.#plan();
  }

  /** Rows to be removed or quarantined, in one transaction with what tells of it: gaps (I14), and what of them is kept. */
  order(orders: TelemetryOrders): void {
    this.#removals.push(...(orders.removals ?? []));
    this.#quarantines.push(...(orders.quarantines ?? []));
    this.#retold.push(...(orders.retold ?? []));
    for (const body of orders.events ?? [])
      this.#waiting.pushEvent({ lane: "B", body, tWall: this.#parts.clock.now() });
    this.#plan();
  }

  /** The lane book changed: its rows go with the next group. */
  notePending(): void {
    this.#plan();
  }

  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#inFlight === undefined && !this.#hasWork()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      // A group in flight was formed before this call; what waits goes with those after it.
      const groups = this.#hasWork() ? Math.max(1, Math.ceil(this.#waiting.size / GROUP_MAX)) : 0;
      this.#flushers.push({ ticket: this.#ticket + groups, resolve, reject });
      this.#start("some");
    });
  }

  latest(point: PointNumber): StoredReading | undefined {
    return this.#parts.twins.latest(point);
  }

  latestAll(): Iterable<StoredReading> {
    return this.#parts.twins.all();
  }

  history(point: PointNumber, span: HistorySpan): readonly PointChange[] {
    return this.#parts.history.read(point, span);
  }

  onCommit(listener: (readings: readonly StoredReading[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onHint(hint: () => void): () => void {
    this.#hints.add(hint);
    return () => this.#hints.delete(hint);
  }

  /** Commits what waits and all twins, if the disk lets it; never hangs on a broken one. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelTimer?.();
    while (this.#inFlight !== undefined) await this.#inFlight;
    while (this.#failure === undefined && (this.#hasWork() || this.#parts.twins.hasUnwritten)) {
      this.#start("all");
      await this.#inFlight;
    }
    if (this.#failure !== undefined)
      this.#parts.logger.error(
        { err: this.#failure, unstored: this.#unstored },
        "readings were lost at the end",
      );
  }

  #numberPoint(id: PointId): PointNumber {
    this.#highestNumber += 1;
    const number = PointNumber(this.#highestNumber);
    this.#numbers.set(id, number);
    this.#newPoints.push([number, id]);
    return number;
  }

  #hasWork(): boolean {
    const orders = this.#newPoints.length + this.#removals.length + this.#quarantines.length;
    // What is told again comes with the removal of what it was.
    return !this.#waiting.isEmpty || orders > 0 || this.#parts.lanes.hasUnwritten;
  }

  #plan(): void {
    if (this.#inFlight !== undefined || this.#closing.signal.aborted) return;
    if (this.#waiting.size >= GROUP_FULL || this.#flushers.length > 0) {
      this.#start("some");
    } else {
      this.#cancelTimer ??= this.#parts.clock.schedule(GROUP_WAIT, () => this.#start("some"));
    }
  }

  #start(extent: "some" | "all"): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#inFlight !== undefined) return;
    this.#ticket += 1;
    const { group, built } = this.#form(extent);
    this.#inFlight = this.#commit(group, built);
  }

  #form(extent: "some" | "all"): { readonly group: CommitGroup; readonly built: BuiltGroup } {
    const { builder, twins, lanes, incarnation, clock, stamp } = this.#parts;
    const position = { incarnation: incarnation.number, B: builder.highest.B, C: builder.highest.C };
    const rows = twins.nextRows(position, clock.uptime(), extent);
    const built = builder.build(this.#waiting.take(GROUP_MAX), this.#retold, stamp());
    for (const { lane, range } of built.gaps) lanes.drop(lanes.page(incarnation, lane), range);
    for (const { lane, range } of built.retold) lanes.noteThinned(lanes.page(incarnation, lane), range);
    this.#group += 1;
    const group: CommitGroup = {
      number: this.#group,
      entries: built.entries,
      stateVersion: builder.stateVersion,
      points: this.#newPoints,
      ...rows,
      acknowledgements: lanes.takeUnwritten(),
      removals: this.#removals,
      quarantines: this.#quarantines,
    };
    this.#newPoints = [];
    this.#removals = [];
    this.#quarantines = [];
    this.#retold = [];
    return { group, built };
  }

  /** Never rejects. Ends when the group is durable, or when the store closes while it can not be made so. */
  async #commit(group: CommitGroup, built: BuiltGroup): Promise<void> {
    const { committer } = this.#parts;
    const end = await committer.commit(group, (error) => this.#fail(error), this.#closing.signal);
    this.#inFlight = undefined;
    if (end === "closing") return;
    if (end === "read-only") {
      this.#tellUnstored(built.readings);
      return;
    }
    this.#failure = undefined;
    this.#tell(group, built);
    const reached = this.#hasWork() ? this.#ticket : Number.POSITIVE_INFINITY;
    const resolved = this.#flushers.filter(({ ticket }) => ticket <= reached);
    this.#flushers = this.#flushers.filter(({ ticket }) => ticket > reached);
    for (const waiter of resolved) waiter.resolve();
    if (this.#hasWork()) this.#plan();
  }

  #fail(error: StoreError): void {
    if (this.#failure === undefined)
      this.#parts.logger.error({ err: error }, "telemetry is not durable; retrying");
    this.#failure = error;
    const waiters = this.#flushers;
    this.#flushers = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  /** Read-only: states stay current in memory for whoever is on site; nothing is told to the center or promised to anybody. */
  #tellUnstored(readings: readonly StoredReading[]): void {
    this.#unstored += readings.length;
    this.#parts.twins.apply(readings);
    if (readings.length > 0) for (const listener of this.#listeners) listener(readings);
    if (this.#hasWork()) this.#plan();
  }

  #tell(group: CommitGroup, built: BuiltGroup): void {
    const { lanes, incarnation, twins } = this.#parts;
    for (const { lane, first, count, body } of group.entries) {
      lanes.advance(lanes.page(incarnation, lane), first + count - 1);
      this.#bytes += body.length;
    }
    if (group.replayFrom !== null) twins.noteReplayPosition(group.replayFrom);
    twins.apply(built.readings);
    if (built.readings.length > 0) for (const listener of this.#listeners) listener(built.readings);
    if (group.entries.length > 0) for (const hint of this.#hints) hint();
  }
}

function highestOf(numbers: ReadonlyMap<PointId, PointNumber>): number {
  let highest = 0;
  for (const number of numbers.values()) highest = Math.max(highest, number);
  return highest;
}
