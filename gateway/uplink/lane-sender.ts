import type { IncarnationId } from "../../domain/ids.ts";
import { addRange, coversRange, type RangeSet, type SequenceRange } from "../../domain/lane.ts";
import { type Clock, since } from "../../domain/time.ts";
import { BATCH_BODY_MAX_BYTES, type Codec, encodeBatch } from "../../domain/wire/batch.ts";
import { type Store, type StoredEntry, StoreError } from "../store/store.ts";
import { type CenterTransport, TransportError } from "./center-transport.ts";
import type { LaneSchedule, SendPlan } from "./lane-schedule.ts";

/** What one sync session sends with; thrown away with it. */
export interface LaneSenderParts {
  readonly session: string;
  readonly codec: Codec;
  readonly schedule: LaneSchedule;
  readonly store: Pick<Store, "sync">;
  readonly transport: CenterTransport;
  readonly clock: Clock;
  /** Told once with what went wrong; the session is over then. */
  readonly onBroken: (error: TransportError) => void;
  readonly signal: AbortSignal;
}

/** Carries out what the schedule says: reads whole entries, sends them, stores what the center holds of them. */
export class LaneSender {
  readonly #parts: LaneSenderParts;
  #lanes: "evidence" | "all" = "evidence";

  constructor(parts: LaneSenderParts) {
    this.#parts = parts;
  }

  /** To be called in one turn with the read of the snapshot. */
  snapshotRead(): void {
    const { schedule, store } = this.#parts;
    schedule.snapshotRead(store.sync.heads());
  }

  /** Current state is told: until now nothing but lane A was sent (PROTOCOL §3). */
  goLive(): void {
    this.#lanes = "all";
  }

  /** Sends as much as credits and shares allow; called after each hint and each answer. Never blocks. */
  pump(): void {
    const { schedule, store, signal } = this.#parts;
    if (signal.aborted) return;
    schedule.update(store.sync.heads());
    const next = (): SendPlan | null => schedule.next(this.#lanes);
    for (let plan = next(); plan !== null; plan = next()) {
      const entries = this.#entriesOf(plan);
      const end = plan.within.first + plan.within.count;
      if (entries.length === 0) schedule.nothingThere(plan, { first: plan.from, count: end - plan.from });
      else void this.#send(plan, entries);
    }
  }

  #entriesOf(plan: SendPlan): readonly StoredEntry[] {
    const end = plan.within.first + plan.within.count;
    const found = this.#parts.store.sync.readEntries({
      incarnation: plan.incarnation as IncarnationId,
      lane: plan.lane,
      from: plan.from,
      maxRecords: plan.maxRecords,
    });
    const entries: StoredEntry[] = [];
    let bytes = 0;
    for (const entry of found) {
      bytes += entry.frame.length;
      if (entry.range.first >= end || (bytes > BATCH_BODY_MAX_BYTES && entries.length > 0)) break;
      entries.push(entry);
    }
    return entries;
  }

  async #send(plan: SendPlan, entries: readonly StoredEntry[]): Promise<void> {
    const { session, codec, schedule, transport, clock, signal, store } = this.#parts;
    const ranges = entries.map((entry) => entry.range);
    const ticket = schedule.sent(plan, ranges);
    const start = clock.uptime();
    try {
      const header = {
        session,
        lane: plan.lane,
        incarnation: plan.incarnation,
        ranges,
        history: plan.history === "history",
      };
      const batch = encodeBatch(
        header,
        entries.map((entry) => entry.frame),
        codec,
      );
      const answer = await transport.sendBatch(batch, signal);
      if ("refusal" in answer) throw refused(answer);
      assertAnswers(answer.outcomes, ranges);
      const held = schedule.answered(ticket, answer.outcomes, since(start, clock.uptime()));
      store.sync.acknowledge(plan.incarnation as IncarnationId, plan.lane, held, session);
      this.pump();
    } catch (error) {
      schedule.failed(ticket);
      if (!signal.aborted) this.#parts.onBroken(asTransportError(error));
    }
  }
}

function refused(answer: { readonly refusal: string; readonly detail: string }): TransportError {
  const message = `send a batch: ${answer.detail}`;
  switch (answer.refusal) {
    case "fence":
      return new TransportError("fence", message);
    case "rehello":
    case "unknown-catalogue":
      return new TransportError("rehello", message);
    case "authentication":
      return new TransportError("refused", message);
    case "overloaded":
      return new TransportError("overloaded", message);
    default:
      return new TransportError("malformed", message);
  }
}

/** What was not sent is not held, and what has no outcome would be sent for ever. @throws {TransportError} */
function assertAnswers(outcomes: readonly SequenceRange[], sent: readonly SequenceRange[]): void {
  const answered = unionOf(outcomes);
  const asked = unionOf(sent);
  if (sent.every((range) => coversRange(answered, range)) && answered.every((r) => coversRange(asked, r))) {
    return;
  }
  throw new TransportError("malformed", "send a batch: the answer is not about its records");
}

function unionOf(ranges: readonly SequenceRange[]): RangeSet {
  let union: RangeSet = [];
  for (const range of ranges) union = addRange(union, range);
  return union;
}

/** A fault of the store while sending is no fault of the link, but ends the session all the same: it is opened anew. */
export function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  if (error instanceof StoreError)
    return new TransportError("store-failing", "carry on a sync session", { cause: error });
  return new TransportError("malformed", "carry on a sync session", { cause: error });
}
