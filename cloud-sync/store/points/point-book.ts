import type { GatewayId } from "../../../domain/ids.ts";
import { type Clock, type Instant, Minutes, since, type Uptime } from "../../../domain/time.ts";
import type { Database, Queryable } from "../database.ts";
import type { PlacedReading } from "../tables/readings.ts";
import { lockLink } from "../tables/sync-sessions.ts";
import { toColumns } from "../tables/value-columns.ts";
import type { GatewayPoints, PointCounts } from "./gateway-points.ts";
import { loadPoints } from "./load-points.ts";

interface HeldPoints {
  readonly hash: string;
  readonly points: GatewayPoints;
  readonly readAt: Uptime;
  /** `doubtful`: a transaction ended in a way that nobody knows. The points are right, what was told of them may be old. */
  states: "followed" | "doubtful";
}

export interface GatewayCounts {
  readonly gatewayId: GatewayId;
  readonly counts: readonly PointCounts[];
}

/** What another replica took is seen after so long. */
const REREAD = Minutes(5);

/**
 * The points of every gateway as this process needs them at each record and each look: read once a catalogue, their
 * states followed as they are committed, so that counting a city does not ask its database for 247,000 rows.
 */
export class PointBook {
  readonly #database: Database;
  readonly #clock: Clock;
  /** By the center's number of the gateway; one each. */
  readonly #held = new Map<number, HeldPoints>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** To be called within the gateway's lock. `hash`: of the catalogue that the database holds; null: none. */
  async pointsOf(db: Queryable, gatewayNo: number, hash: string | null): Promise<GatewayPoints> {
    const held = this.#held.get(gatewayNo);
    return held !== undefined && held.hash === hash ? held.points : await this.#load(db, gatewayNo, hash);
  }

  /** After the commit, in the order of the commits. */
  moved(gatewayNo: number, readings: readonly PlacedReading[]): void {
    const points = this.#held.get(gatewayNo)?.points;
    for (const { reading, corrected } of readings)
      points?.move(reading.point, toColumns(reading).quality, corrected?.at ?? null);
  }

  /** A transaction failed: nobody knows whether the database took it. */
  doubt(gatewayNo: number): void {
    const held = this.#held.get(gatewayNo);
    if (held !== undefined) held.states = "doubtful";
  }

  /** Of every gateway that told its catalogue. */
  async counts(now: Instant): Promise<readonly GatewayCounts[]> {
    const rows = await this.#database.query<GatewayRow>(
      {
        name: "book-gateways",
        text: "select gateway_id, gateway_no, catalogue_hash from gateways where catalogue_hash is not null order by gateway_id",
      },
      [],
    );
    const counts: GatewayCounts[] = [];
    for (const row of rows) {
      const points = this.#fresh(row) ?? (await this.#reread(row.gateway_id));
      if (points !== undefined) counts.push({ gatewayId: row.gateway_id, counts: points.count(now) });
    }
    return counts;
  }

  #fresh({ gateway_no, catalogue_hash }: GatewayRow): GatewayPoints | undefined {
    const held = this.#held.get(gateway_no);
    const isFresh =
      held !== undefined &&
      held.hash === catalogue_hash &&
      held.states === "followed" &&
      since(held.readAt, this.#clock.uptime()) < REREAD;
    return isFresh ? held.points : undefined;
  }

  /** Within the lock, so that no commit falls between what was read and what is followed. */
  #reread(gatewayId: GatewayId): Promise<GatewayPoints | undefined> {
    return this.#database.transaction(async (tx) => {
      const link = await lockLink(tx, gatewayId);
      if (link === undefined) return undefined;
      const row = { ...link, gateway_id: gatewayId };
      return this.#fresh(row) ?? (await this.#load(tx, link.gateway_no, link.catalogue_hash));
    });
  }

  async #load(db: Queryable, gatewayNo: number, hash: string | null): Promise<GatewayPoints> {
    const points = await loadPoints(db, gatewayNo);
    if (hash !== null)
      this.#held.set(gatewayNo, { hash, points, readAt: this.#clock.uptime(), states: "followed" });
    return points;
  }
}

interface GatewayRow {
  readonly gateway_id: GatewayId;
  readonly gateway_no: number;
  readonly catalogue_hash: string | null;
}
