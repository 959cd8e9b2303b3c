import type { Logger } from "pino";
import type { GatewayId } from "../../domain/ids.ts";
import { missingFrom, type RangeSet, type SequenceRange } from "../../domain/lane.ts";
import { compareSessions, parseSession } from "../../domain/session-id.ts";
import type { Clock, Instant } from "../../domain/time.ts";
import { type BatchAnswer, type BatchHeader, decodeBatch, type Refusal } from "../../domain/wire/batch.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import type { CenterEvents } from "../store/center-events.ts";
import { type BatchEntry, decodeEntries } from "./decode-entries.ts";
import { GatewayQueue } from "./gateway-queue.ts";
import type { HistoryAdmission } from "./history-admission.ts";
import type { AppliedEffects, IngestLedger, IngestTransaction, KnownIncarnation } from "./ingest-ledger.ts";
import { type IngestPlan, planIngest } from "./ingest-plan.ts";

/** Knows the current session of each gateway; its first use makes an offered one current. */
export interface SessionGate {
  enter(gatewayId: GatewayId, session: string): Promise<"current" | "fence">;
}

export interface IngestParts {
  readonly ledger: IngestLedger;
  readonly sessions: SessionGate;
  readonly admission: HistoryAdmission;
  readonly clock: Clock;
  readonly events: CenterEvents;
  readonly logger: Logger;
}

interface Applied {
  readonly plan: IngestPlan;
  readonly effects: AppliedEffects;
}
interface Decoded {
  readonly header: BatchHeader;
  readonly entries: readonly BatchEntry[];
}
type Refused = { readonly refusal: Refusal; readonly detail: string };

/** Takes the gateways' batches: PROTOCOL §4. Answers only after the commit (I4). */
export class Ingest {
  readonly #parts: IngestParts;
  readonly #queue = new GatewayQueue();

  constructor(parts: IngestParts) {
    this.#parts = parts;
  }

  /** Rejects only when the database fails: then nothing is promised, and the gateway sends again. */
  async batch(gatewayId: GatewayId, bytes: Uint8Array): Promise<BatchAnswer> {
    const decoded = decode(bytes);
    if ("refusal" in decoded) return decoded;
    const { session } = decoded.header;
    const { sessions, admission } = this.#parts;
    if ((await sessions.enter(gatewayId, session)) === "fence") return fenced(session);
    const take = (): Promise<BatchAnswer> => this.#inTurn(gatewayId, decoded);
    return decoded.header.history ? await admission.history(take) : await admission.current(take);
  }

  async #inTurn(gatewayId: GatewayId, { header, entries }: Decoded): Promise<BatchAnswer> {
    const turn = this.#queue.run(gatewayId, () => this.#take(gatewayId, header, entries));
    return (
      (await turn) ?? {
        refusal: "overloaded",
        detail: "too many batches of this gateway wait: send fewer at once",
      }
    );
  }

  async #take(
    gatewayId: GatewayId,
    header: BatchHeader,
    entries: readonly BatchEntry[],
  ): Promise<BatchAnswer> {
    const { ledger, clock, logger } = this.#parts;
    await ledger.prepareDays(timesOf(entries), clock.now());
    try {
      const applied = await this.#apply(gatewayId, header, entries);
      return "refusal" in applied ? applied : { outcomes: applied.plan.outcomes };
    } catch (cause) {
      if (!ledger.isDataRefusal(cause)) throw cause;
      logger.error(
        { gatewayId, lane: header.lane, err: cause },
        "the database refused a batch: trying its entries one by one",
      );
    }
    return this.#takeOneByOne(gatewayId, header, entries);
  }

  /** What passed our checks and not the database's costs only its own records (I12). */
  async #takeOneByOne(
    gatewayId: GatewayId,
    header: BatchHeader,
    entries: readonly BatchEntry[],
  ): Promise<BatchAnswer> {
    const outcomes: IngestPlan["outcomes"][number][] = [];
    for (const entry of entries) {
      const applied = await this.#apply(gatewayId, header, [entry]).catch((cause: unknown) => {
        if (!this.#parts.ledger.isDataRefusal(cause)) throw cause;
        const detail = cause instanceof Error ? cause.message : "refused by the database";
        const content = { kind: "fault", cause: "not-storable", detail } as const;
        return this.#apply(gatewayId, header, [{ ...entry, content }]);
      });
      if ("refusal" in applied) return applied;
      outcomes.push(...applied.plan.outcomes);
    }
    return { outcomes };
  }

  async #apply(
    gatewayId: GatewayId,
    header: BatchHeader,
    entries: readonly BatchEntry[],
  ): Promise<Applied | Refused> {
    const at = this.#parts.clock.now();
    const applied = await this.#parts.ledger.transaction(
      gatewayId,
      async (tx): Promise<Applied | Refused> => {
        const admitted = await admit(tx, header);
        if ("refusal" in admitted) return admitted;
        if (entries.some((entry) => entry.content.kind === "points") && !(await tx.hasCatalogue())) {
          return { refusal: "unknown-catalogue", detail: "send the CATALOGUE first" };
        }
        const history = header.history ? "history" : "live";
        const plan = await planWithin(tx, { header, entries, incarnation: admitted, history });
        const effects = await tx.apply({ incarnation: admitted, lane: header.lane, history, plan, at });
        return { plan, effects };
      },
    );
    if (!("refusal" in applied)) this.#tell(gatewayId, applied);
    return applied;
  }

  #tell(gatewayId: GatewayId, { plan, effects }: Applied): void {
    const { events } = this.#parts;
    const moved = new Set(effects.movedPoints);
    const changed = plan.states.filter(({ point }) => moved.has(point.pointNo));
    const pointIds = changed.map(({ point }) => point.pointId);
    const trueIds = changed.flatMap(({ point, placed }) =>
      placed.reading.value === true ? [point.pointId] : [],
    );
    if (pointIds.length > 0) events.tell("state-changed", { gatewayId, pointIds, trueIds });
    if (plan.events.length > 0) events.tell("events-arrived", { gatewayId });
    if (plan.evidence.length === 0) return;
    const commandIds = plan.evidence.flatMap(({ record: { body } }) =>
      body.kind === "command" ? [body.commandId] : [],
    );
    events.tell("evidence-arrived", { gatewayId, commandIds });
  }
}

/** PROTOCOL §4 (a) and (b). */
export async function admit(
  tx: IngestTransaction,
  header: { readonly session: string; readonly incarnation: string },
): Promise<KnownIncarnation | Refused> {
  if (!isCurrent(tx, header.session)) {
    return fenced(header.session);
  }
  const incarnation = await tx.findIncarnation(header.incarnation);
  return (
    incarnation ?? {
      refusal: "rehello",
      detail: `incarnation ${header.incarnation} was never told in a HELLO`,
    }
  );
}

export function fenced(session: string): Refused {
  return { refusal: "fence", detail: `sync session ${session} is not the current one` };
}

function isCurrent(tx: IngestTransaction, session: string): boolean {
  try {
    return tx.current !== undefined && compareSessions(tx.current, parseSession(session)) === 0;
  } catch {
    return false;
  }
}

async function planWithin(
  tx: IngestTransaction,
  batch: {
    readonly header: BatchHeader;
    readonly entries: readonly BatchEntry[];
    readonly incarnation: KnownIncarnation;
    readonly history: "history" | "live";
  },
): Promise<IngestPlan> {
  const { entries, incarnation, header, history } = batch;
  const held = await tx.readCursor(incarnation, header.lane);
  const ranges = entries.flatMap((entry) => entry.ranges);
  const known = ranges.filter((range) => !isSame(missingFrom(held, range), range));
  const stored = known.length === 0 ? [] : await tx.findDigests(incarnation, header.lane, known);
  const points = await tx.points();
  return planIngest(entries, {
    history,
    held,
    stored,
    findPoint: (number) => points.find(number),
    timeSamples: await tx.findTimeSamples(incarnation, uptimesOf(entries)),
  });
}

/** Nothing of it is held. */
function isSame(missing: RangeSet, range: SequenceRange): boolean {
  return missing.length === 1 && missing[0]?.count === range.count;
}

function uptimesOf(entries: readonly BatchEntry[]): readonly number[] {
  const uptimes = entries.flatMap(({ content }): readonly number[] => {
    if (content.kind === "points") return [content.block.storedAt];
    return content.kind === "fault" ? [] : [content.record.tMono];
  });
  return [...new Set(uptimes)];
}

function* timesOf(entries: readonly BatchEntry[]): Generator<Instant> {
  for (const { content } of entries) {
    if (content.kind !== "points") continue;
    for (const reading of content.block.readings) yield reading.gatewayTimestamp;
  }
}

function decode(bytes: Uint8Array): Decoded | Refused {
  try {
    const { header, frames } = decodeBatch(bytes);
    return { header, entries: decodeEntries(header, frames) };
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    return { refusal: cause.code === "too-large" ? "size" : "codec", detail: cause.message };
  }
}
