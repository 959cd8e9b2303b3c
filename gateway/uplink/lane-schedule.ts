import { addRange, type Lane, missingFrom, type RangeSet, type SequenceRange } from "../../domain/lane.ts";
import type { Millis } from "../../domain/time.ts";
import type { RangeOutcome } from "../../domain/wire/batch.ts";
import type { Welcome } from "../../domain/wire/hello.ts";

/** What stands in one lane of one incarnation; the newest incarnation is told last. */
export interface LaneSpan {
  readonly incarnation: string;
  readonly lane: Lane;
  /** 0: nothing retained. */
  readonly lowestRetained: number;
  readonly highestWritten: number;
}

/** Entries to read and send next. */
export interface SendPlan {
  readonly incarnation: string;
  readonly lane: Lane;
  /** First sequence wanted; entries that start at or after it, and inside `within`. */
  readonly from: number;
  readonly within: SequenceRange;
  readonly maxRecords: number;
  /** Tells of the time before this session: fills series, never the current value. */
  readonly history: "history" | "live";
}

/** A batch on its way. */
export interface Ticket {
  readonly plan: SendPlan;
  readonly ranges: readonly SequenceRange[];
}

const BATCH_RECORDS_MAX = 1_000;
/** Shares of the credits (PROTOCOL §3): lane A strict and in order, live the rest, history at most 40 %, D at most 10 %. */
const HISTORY_SHARE = 0.4;
const DIAGNOSTICS_SHARE = 0.1;
const LIVE_PER_LANE_MAX = 4;
/** History pauses while the live acknowledgement time (p95 of the last 20) is above this. */
const LIVE_ACK_LIMIT_MS = 2_000;
const LIVE_ACKS_KEPT = 20;

/**
 * What to send next in one sync session: current things first, then the backlog, within the center's credits.
 * Knows nothing of sockets, stores or clocks; what the center holds is what WELCOME said, never what we remember.
 */
export class LaneSchedule {
  readonly #incarnation: string;
  readonly #credits: number;
  #cut: Readonly<Record<Lane, number>>;
  readonly #done = new Map<string, RangeSet>();
  readonly #flying = new Set<Ticket>();
  readonly #liveAcks: number[] = [];
  #spans: readonly LaneSpan[];

  /** `spans` as they stood when the session began: what is above them is live, until {@link snapshotRead}. */
  constructor(incarnation: string, welcome: Welcome, spans: readonly LaneSpan[]) {
    this.#incarnation = incarnation;
    this.#credits = welcome.credits;
    this.#spans = spans;
    this.#cut = {
      A: this.#highest("A"),
      B: this.#highest("B"),
      C: this.#highest("C"),
      D: this.#highest("D"),
    };
    for (const cursor of welcome.cursors) this.#done.set(keyOf(cursor), cursor.ranges);
  }

  /** The snapshot tells what was read until now: lanes B and C are history up to here. */
  snapshotRead(spans: readonly LaneSpan[]): void {
    this.update(spans);
    this.#cut = { ...this.#cut, B: this.#highest("B"), C: this.#highest("C") };
  }

  /** Told after every hint of the store. */
  update(spans: readonly LaneSpan[]): void {
    this.#spans = spans;
  }

  /** The next batch to send now, or `null` when there is nothing, no credit or no share left. */
  next(lanes: "all" | "evidence" = "all"): SendPlan | null {
    if (this.#flying.size >= this.#credits) return null;
    if (lanes === "evidence") return this.#evidence();
    return this.#evidence() ?? this.#live("B") ?? this.#live("C") ?? this.#history() ?? this.#diagnostics();
  }

  sent(plan: SendPlan, ranges: readonly SequenceRange[]): Ticket {
    const ticket = { plan, ranges };
    this.#flying.add(ticket);
    // What the store no longer has between the plan's start and the first entry is told by a declared gap.
    const first = ranges[0]?.first ?? plan.from;
    if (first > plan.from && plan.from === plan.within.first) {
      this.nothingThere(plan, { first: plan.from, count: first - plan.from });
    }
    return ticket;
  }

  /** The store has no entry that begins in `range`: never asked again in this session. */
  nothingThere(plan: Pick<SendPlan, "incarnation" | "lane">, range: SequenceRange): void {
    this.#mark(plan, range);
  }

  /** What the center now holds of the batch; all its outcomes are final. */
  answered(ticket: Ticket, outcomes: readonly RangeOutcome[], took: Millis): RangeSet {
    this.#flying.delete(ticket);
    if (ticket.plan.history === "live" && ticket.plan.lane !== "D") this.#noteAck(took);
    let ranges: RangeSet = [];
    for (const outcome of outcomes) {
      ranges = addRange(ranges, outcome);
      this.#mark(ticket.plan, outcome);
    }
    return ranges;
  }

  /** It may or may not have arrived; its ranges are sent again. */
  failed(ticket: Ticket): void {
    this.#flying.delete(ticket);
  }

  get inFlight(): number {
    return this.#flying.size;
  }

  /** Of this incarnation. */
  #highest(lane: Lane): number {
    const own = this.#spans.find((span) => span.incarnation === this.#incarnation && span.lane === lane);
    return own?.highestWritten ?? 0;
  }

  #evidence(): SendPlan | null {
    if (this.#count((ticket) => ticket.plan.lane === "A") > 0) return null;
    return this.#oldest("A", "all");
  }

  #live(lane: "B" | "C"): SendPlan | null {
    const flying = this.#count((ticket) => ticket.plan.lane === lane && ticket.plan.history === "live");
    if (flying >= LIVE_PER_LANE_MAX) return null;
    const plan = this.#oldest(lane, "live");
    // While one is on its way a small one waits for company.
    return plan !== null && (flying === 0 || plan.within.count >= BATCH_RECORDS_MAX) ? plan : null;
  }

  #history(): SendPlan | null {
    const slots = Math.max(1, Math.floor(this.#credits * HISTORY_SHARE));
    const flying = this.#count(
      (ticket) => ticket.plan.history === "history" && (ticket.plan.lane === "B" || ticket.plan.lane === "C"),
    );
    if (flying >= slots || this.#liveIsSlow()) return null;
    return this.#oldest("B", "history") ?? this.#newest("C");
  }

  #diagnostics(): SendPlan | null {
    const slots = Math.max(1, Math.floor(this.#credits * DIAGNOSTICS_SHARE));
    if (this.#count((ticket) => ticket.plan.lane === "D") >= slots) return null;
    return this.#oldest("D", "all");
  }

  #oldest(lane: Lane, part: "all" | "live" | "history"): SendPlan | null {
    for (const span of this.#spans) {
      if (span.lane !== lane) continue;
      const range = this.#missing(span, part)[0];
      if (range !== undefined) return this.#planOf(span, range, range.first);
    }
    return null;
  }

  #newest(lane: Lane): SendPlan | null {
    for (const span of this.#spans.toReversed()) {
      if (span.lane !== lane) continue;
      const range = this.#missing(span, "history").at(-1);
      if (range === undefined) continue;
      return this.#planOf(span, range, Math.max(range.first, range.first + range.count - BATCH_RECORDS_MAX));
    }
    return null;
  }

  #planOf(span: LaneSpan, within: SequenceRange, from: number): SendPlan {
    const live = span.incarnation === this.#incarnation && within.first > this.#cut[span.lane];
    return {
      incarnation: span.incarnation,
      lane: span.lane,
      from,
      within,
      maxRecords: BATCH_RECORDS_MAX,
      history: live ? "live" : "history",
    };
  }

  #missing(span: LaneSpan, part: "all" | "live" | "history"): RangeSet {
    const cut = span.incarnation === this.#incarnation ? this.#cut[span.lane] : span.highestWritten;
    const first = part === "live" ? Math.max(cut + 1, span.lowestRetained) : span.lowestRetained;
    const last = part === "history" ? cut : span.highestWritten;
    if (first < 1 || last < first) return [];
    return missingFrom(this.#taken(span), { first, count: last - first + 1 });
  }

  #taken(span: LaneSpan): RangeSet {
    let taken = this.#done.get(keyOf(span)) ?? [];
    for (const { plan, ranges } of this.#flying) {
      if (plan.lane !== span.lane || plan.incarnation !== span.incarnation) continue;
      for (const range of ranges) taken = addRange(taken, range);
    }
    return taken;
  }

  #mark(where: { readonly incarnation: string; readonly lane: Lane }, range: SequenceRange): void {
    this.#done.set(keyOf(where), addRange(this.#done.get(keyOf(where)) ?? [], range));
  }

  #count(matches: (ticket: Ticket) => boolean): number {
    let count = 0;
    for (const ticket of this.#flying) if (matches(ticket)) count += 1;
    return count;
  }

  #noteAck(took: Millis): void {
    this.#liveAcks.push(took);
    if (this.#liveAcks.length > LIVE_ACKS_KEPT) this.#liveAcks.shift();
  }

  #liveIsSlow(): boolean {
    const sorted = this.#liveAcks.toSorted((left, right) => left - right);
    return (sorted[Math.floor(sorted.length * 0.95)] ?? 0) > LIVE_ACK_LIMIT_MS;
  }
}

function keyOf(where: { readonly incarnation: string; readonly lane: Lane }): string {
  return `${where.incarnation}/${where.lane}`;
}
