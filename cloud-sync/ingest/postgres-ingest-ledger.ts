import type { GatewayId } from "../../domain/ids.ts";
import type { Lane, SequenceRange } from "../../domain/lane.ts";
import type { Instant } from "../../domain/time.ts";
import { type Database, isDataRefusal, type Transaction } from "../store/database.ts";
import type { PointBook } from "../store/points/point-book.ts";
import { raiseAlarm } from "../store/tables/alarms.ts";
import { growCursor, readCursor } from "../store/tables/cursors.ts";
import { DayPartitions } from "../store/tables/day-partitions.ts";
import { addDigests, findDigests } from "../store/tables/entry-digests.ts";
import { insertEvents } from "../store/tables/events.ts";
import { insertEvidence } from "../store/tables/evidence.ts";
import { findIncarnation } from "../store/tables/incarnations.ts";
import { moveStates, takeReadings } from "../store/tables/point-states.ts";
import { insertQuarantine } from "../store/tables/quarantine.ts";
import type { PlacedReading } from "../store/tables/readings.ts";
import { currentSession, findSession, type LockedLink, lockLink } from "../store/tables/sync-sessions.ts";
import { findTimeSamples } from "../store/tables/time-samples.ts";
import type { CommandEvidence, VerdictSink } from "../store/verdict-sink.ts";
import { GatewayQueue } from "./gateway-queue.ts";
import type {
  AppliedBatch,
  AppliedEffects,
  IngestLedger,
  IngestTransaction,
  KnownIncarnation,
} from "./ingest-ledger.ts";

/** Ingest into PostgreSQL. */
export class PostgresIngestLedger implements IngestLedger {
  readonly #database: Database;
  readonly #verdicts: VerdictSink;
  readonly #partitions: DayPartitions;
  readonly #book: PointBook;
  readonly #queue = new GatewayQueue();

  constructor(database: Database, verdicts: VerdictSink, book: PointBook) {
    this.#database = database;
    this.#verdicts = verdicts;
    this.#book = book;
    this.#partitions = new DayPartitions(database);
  }

  prepareDays(times: Iterable<Instant>, now: Instant): Promise<void> {
    return this.#partitions.ensure(times, now);
  }

  /** Whoever waits for the gateway's lock waits here, where it holds no connection that another gateway needs. */
  async transaction<Result>(
    id: GatewayId,
    work: (tx: IngestTransaction) => Promise<Result>,
  ): Promise<Result> {
    const turn = this.#queue.run(id, () => this.#take(id, work));
    if (turn === undefined) throw new Error(`too much of ${id} waits to be stored`);
    return await turn;
  }

  async #take<Result>(id: GatewayId, work: (tx: IngestTransaction) => Promise<Result>): Promise<Result> {
    const moves: PlacedReading[] = [];
    let gatewayNo = 0;
    try {
      const result = await this.#database.transaction(async (tx) => {
        const link = await lockLink(tx, id);
        gatewayNo = link?.gateway_no ?? 0;
        return work(this.#transactionOf(tx, { id, link, moves }));
      });
      this.#book.moved(gatewayNo, moves);
      return result;
    } catch (cause) {
      this.#book.doubt(gatewayNo);
      throw cause;
    }
  }

  isDataRefusal(cause: unknown): boolean {
    return isDataRefusal(cause);
  }

  #transactionOf(tx: Transaction, { id, link, moves }: Turn): IngestTransaction {
    const current = link === undefined || link.revoked ? undefined : currentSession(link);
    const gatewayNo = link?.gateway_no ?? 0;
    const note = (numbers: readonly number[], placed: readonly PlacedReading[]): void => {
      const moved = new Set(numbers);
      for (const each of placed) if (moved.has(each.pointNo)) moves.push(each);
    };
    return {
      current,
      hasCatalogue: async () => {
        if (current === undefined) return false;
        const session = await findSession(tx, gatewayNo, current);
        return session !== undefined && session.catalogue_hash === link?.catalogue_hash;
      },
      findIncarnation: (incarnation) => knownIncarnation(tx, gatewayNo, incarnation),
      points: () => this.#book.pointsOf(tx, gatewayNo, link?.catalogue_hash ?? null),
      readCursor: (incarnation, lane) => readCursor(tx, incarnation.number, lane),
      findDigests: (incarnation, lane: Lane, ranges: readonly SequenceRange[]) =>
        findDigests(tx, { incarnationNo: incarnation.number, lane, ranges }),
      findTimeSamples: (incarnation, uptimes) => findTimeSamples(tx, incarnation.number, uptimes),
      apply: async (batch) => {
        const effects = await apply(tx, { batch, gatewayId: id, gatewayNo, verdicts: this.#verdicts });
        const placed = batch.plan.states.map((state) => state.placed);
        note(effects.movedPoints, placed);
        return effects;
      },
      applySnapshot: async ({ lineageOrder }, readings: readonly PlacedReading[], at) => {
        const moved = await moveStates(tx, { gatewayNo, lineageOrder, readings, at });
        note(moved, readings);
        return moved;
      },
    };
  }
}

/** One transaction of one gateway. */
interface Turn {
  readonly id: GatewayId;
  readonly link: LockedLink | undefined;
  /** Gathers the readings that moved current state. */
  readonly moves: PlacedReading[];
}

async function knownIncarnation(
  tx: Transaction,
  gatewayNo: number,
  incarnation: string,
): Promise<KnownIncarnation | undefined> {
  const row = await findIncarnation(tx, gatewayNo, incarnation);
  if (row === undefined) return undefined;
  return { number: row.incarnation_no, incarnation, lineageOrder: row.lineage_order };
}

interface Application {
  readonly batch: AppliedBatch;
  readonly gatewayId: GatewayId;
  readonly gatewayNo: number;
  readonly verdicts: VerdictSink;
}

async function apply(tx: Transaction, application: Application): Promise<AppliedEffects> {
  const { batch, gatewayNo } = application;
  const { incarnation, lane, plan, at } = batch;
  const rows = { gatewayNo, incarnationNo: incarnation.number, lane, at };
  const movedPoints = await takeReadings(tx, {
    ...rows,
    lineageOrder: incarnation.lineageOrder,
    readings: plan.readings,
    newest: new Set(plan.states.map((state) => state.placed)),
  });
  await insertEvents(tx, { ...rows, history: batch.history, events: plan.events });
  const brokenChain = await insertEvidence(tx, { ...rows, evidence: plan.evidence });
  const commands = commandsOf(application);
  if (commands.length > 0) await application.verdicts.take(tx, commands);
  await insertQuarantine(tx, {
    ...rows,
    incarnation: incarnation.incarnation,
    quarantined: plan.quarantined,
  });
  await addDigests(tx, { ...rows, digests: plan.digests });
  if (plan.gained.length > 0) await growCursor(tx, { ...rows, added: plan.gained });
  await raiseAlarms(tx, application, brokenChain);
  return { movedPoints, brokenChain };
}

function commandsOf({ batch, gatewayId }: Application): readonly CommandEvidence[] {
  return batch.plan.evidence.flatMap(({ record, sequence }) => {
    const { body, tWall } = record;
    if (body.kind !== "command") return [];
    const recordId = `${gatewayId}/${batch.incarnation.incarnation}/A/${sequence}`;
    const { kind: _, ...command } = body;
    return [{ ...command, gatewayId, tWall, recordId }];
  });
}

async function raiseAlarms(
  tx: Transaction,
  { batch, gatewayNo }: Application,
  brokenChain: readonly number[],
): Promise<void> {
  const { plan, lane, at, incarnation } = batch;
  const place = `lane ${lane} of incarnation ${incarnation.incarnation}`;
  const [conflict] = plan.conflicts;
  if (conflict !== undefined) {
    const detail = `from sequence ${conflict.first}: see the quarantine, and find the second gateway with this identity or the store that was put back`;
    await raiseAlarm(tx, { gatewayNo, name: "record-content-differs", subject: place, detail, at });
  }
  const [broken] = brokenChain;
  if (broken !== undefined) {
    const detail = `sequence ${broken} does not name the hash of the record before it: compare with the gateway's own copy`;
    await raiseAlarm(tx, { gatewayNo, name: "evidence-chain-broken", subject: place, detail, at });
  }
  for (const cause of new Set(plan.quarantined.map((each) => each.cause))) {
    const detail = `records of ${place} could not be taken: see the quarantine`;
    await raiseAlarm(tx, { gatewayNo, name: "records-quarantined", subject: cause, detail, at });
  }
}
