import type { GatewayId } from "../../domain/ids.ts";
import type { Lane, RangeSet, SequenceRange } from "../../domain/lane.ts";
import type { SyncSession } from "../../domain/session-id.ts";
import type { Instant } from "../../domain/time.ts";
import type { GatewayPoints } from "../store/points/gateway-points.ts";
import type { EntryDigest } from "../store/tables/entry-digests.ts";
import type { PlacedReading } from "../store/tables/readings.ts";
import type { TimeSample } from "../store/tables/time-samples.ts";
import type { IngestPlan } from "./ingest-plan.ts";

/** Where ingest stores: PostgreSQL, or a simulated one. */
export interface IngestLedger {
  /** Makes room for readings of these times; outside of any transaction. */
  prepareDays(times: Iterable<Instant>, now: Instant): Promise<void>;
  /**
   * One transaction for one gateway. All of one gateway go one after the other; it is durable when this resolves,
   * and has not happened when it rejects, or may have (a connection lost at the commit): then the batch comes again.
   */
  transaction<Result>(id: GatewayId, work: (tx: IngestTransaction) => Promise<Result>): Promise<Result>;
  /** Whether the store refused the values themselves, so that the same again would fail again. */
  isDataRefusal(cause: unknown): boolean;
}

export interface IngestTransaction {
  /** The current session; undefined: there is none, or the gateway is unknown or revoked. */
  readonly current: SyncSession | undefined;
  /** Whether the center holds the catalogue that the current session's gateway has. */
  hasCatalogue(): Promise<boolean>;
  findIncarnation(incarnation: string): Promise<KnownIncarnation | undefined>;
  /** The gateway's points by its numbers. */
  points(): Promise<Pick<GatewayPoints, "find">>;
  readCursor(incarnation: KnownIncarnation, lane: Lane): Promise<RangeSet>;
  findDigests(
    incarnation: KnownIncarnation,
    lane: Lane,
    ranges: readonly SequenceRange[],
  ): Promise<readonly EntryDigest[]>;
  findTimeSamples(incarnation: KnownIncarnation, uptimes: readonly number[]): Promise<readonly TimeSample[]>;
  apply(batch: AppliedBatch): Promise<AppliedEffects>;
  applySnapshot(
    incarnation: KnownIncarnation,
    states: readonly PlacedReading[],
    at: Instant,
  ): Promise<readonly number[]>;
}

export interface KnownIncarnation {
  readonly number: number;
  readonly incarnation: string;
  readonly lineageOrder: number;
}

export interface AppliedBatch {
  readonly incarnation: KnownIncarnation;
  readonly lane: Lane;
  readonly history: "history" | "live";
  readonly plan: IngestPlan;
  readonly at: Instant;
}

export interface AppliedEffects {
  /** The center's numbers of the points whose current state moved. */
  readonly movedPoints: readonly number[];
  /** Sequences of lane A whose chain is broken. */
  readonly brokenChain: readonly number[];
}
