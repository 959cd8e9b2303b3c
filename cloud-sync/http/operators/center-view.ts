import { z } from "zod";
import type { GatewayId } from "../../../domain/ids.ts";
import { type Clock, since } from "../../../domain/time.ts";
import { HEARTBEAT_LATE } from "../../../domain/wire/heartbeat.ts";
import type { FreshReads } from "../../dispatch/fresh-reads.ts";
import type { LiveLink, LiveLinks } from "../../registry/live-links.ts";
import type { Database } from "../../store/database.ts";
import type { PointCounts } from "../../store/points/gateway-points.ts";
import type { PointBook } from "../../store/points/point-book.ts";
import { type GatewayRow, listGateways } from "../../store/tables/gateways.ts";
import { type LinkRow, type LinkStateName, listLinks } from "../../store/tables/links.ts";
import { type ChosenStates, listStates } from "../../store/tables/point-states.ts";
import { type LinkKnowledge, type StateView, viewState, withFreshFinding } from "./state-view.ts";

const linkView = z.object({
  state: z.enum(["up", "degraded", "down"]),
  sinceMs: z.number().nullable(),
  lastHeardAtMs: z.number().nullable(),
  session: z.string().nullable(),
  timeQuality: z.string().nullable(),
  /** Records that the gateway has still to tell, by lane. */
  backlog: z.record(z.string(), z.number()).nullable(),
});
export const gatewayView = z.object({
  id: z.string(),
  name: z.string(),
  siteId: z.string().nullable(),
  siteName: z.string().nullable(),
  registeredAtMs: z.number(),
  enrolledAtMs: z.number().nullable(),
  revokedAtMs: z.number().nullable(),
  software: z.string().nullable(),
  link: linkView,
});
export type GatewayView = z.infer<typeof gatewayView>;

/** What operators see of gateways and their points, judged at the moment of looking. */
export class CenterView {
  readonly #database: Database;
  readonly #links: LiveLinks;
  readonly #clock: Clock;
  readonly #book: PointBook;
  readonly #reads: Pick<FreshReads, "find">;

  constructor(
    database: Database,
    parts: {
      readonly links: LiveLinks;
      readonly book: PointBook;
      readonly clock: Clock;
      readonly reads: Pick<FreshReads, "find">;
    },
  ) {
    this.#database = database;
    this.#links = parts.links;
    this.#clock = parts.clock;
    this.#book = parts.book;
    this.#reads = parts.reads;
  }

  async gateways(): Promise<readonly GatewayView[]> {
    const links = new Map((await listLinks(this.#database)).map((row) => [row.gateway_id, row]));
    return (await listGateways(this.#database)).map((row) =>
      gatewayOf(row, links.get(row.gateway_id), this.#links.find(row.gateway_id)),
    );
  }

  async gateway(id: GatewayId): Promise<GatewayView | undefined> {
    return (await this.gateways()).find((gateway) => gateway.id === id);
  }

  /** Of one gateway, the chosen only if given. */
  async states(id: GatewayId, chosen?: ChosenStates): Promise<readonly StateView[]> {
    const states = await listStates(this.#database, id, chosen);
    const row = (await listLinks(this.#database)).find((link) => link.gateway_id === id);
    const knowledge = this.#knowledge(id, row);
    const at = { now: this.#clock.now(), uptime: this.#clock.uptime() };
    return states.map((state) =>
      withFreshFinding(viewState(state, knowledge, at), this.#reads.find(id, state.pointId)),
    );
  }

  /** Every gateway that told of points, with how many of them are good at this moment. */
  async completeness() {
    const gateways = await this.#book.counts(this.#clock.now());
    return gateways.map(({ gatewayId, counts: of }) => {
      const groups = Map.groupBy(of, (row) => `${row.profileId} ${row.pollClass} ${row.isControl}`);
      const counts = [...groups.values()].map((group) => this.#count(gatewayId, group));
      return { gatewayId, link: this.#links.find(gatewayId)?.state ?? ("down" as const), counts };
    });
  }

  #count(gatewayId: GatewayId, rows: readonly PointCounts[]) {
    const link = this.#links.find(gatewayId);
    const isDown = (link?.state ?? "down") === "down";
    const now = this.#clock.uptime();
    const sum = (of: (row: PointCounts) => number): number => rows.reduce((all, row) => all + of(row), 0);
    const isSwept = ({ sweep, maxAgeMs }: PointCounts): boolean => {
      const at = link?.sweeps.get(sweep);
      return at !== undefined && since(at, now) <= maxAgeMs + HEARTBEAT_LATE;
    };
    return {
      class: rows[0]?.class ?? "",
      profileId: rows[0]?.profileId ?? "",
      pollClass: rows[0]?.pollClass ?? "",
      isControl: rows[0]?.isControl ?? false,
      points: sum((row) => row.points),
      told: sum((row) => row.told),
      good: isDown ? 0 : sum((row) => (isSwept(row) ? row.good : row.goodYoung)),
    };
  }

  linkState(id: GatewayId): "up" | "degraded" | "down" {
    return this.#links.find(id)?.state ?? "down";
  }

  /** Ms since each poll sweep of the gateway was last complete. */
  sweepAges(id: GatewayId): Readonly<Record<string, number>> {
    const now = this.#clock.uptime();
    const sweeps = this.#links.find(id)?.sweeps ?? new Map();
    return Object.fromEntries([...sweeps].map(([sweep, at]) => [sweep, Math.round(now - at)]));
  }

  #knowledge(id: GatewayId, row: LinkRow | undefined): LinkKnowledge {
    const live = this.#links.find(id);
    // Both are of one heartbeat only once this session has brought one.
    const clock =
      live?.token == null || row?.gateway_now == null || row.last_heard_at === null
        ? null
        : { gatewayNow: row.gateway_now, heardAt: row.last_heard_at };
    return { state: live?.state ?? "down", sweeps: live?.sweeps ?? new Map(), clock };
  }
}

/** This process hears the link itself, at this moment; where another replica does, its row says how it is. */
export function linkStateOf(
  row: { readonly state: LinkStateName; readonly session: string | null } | undefined,
  live: Pick<LiveLink, "state" | "session"> | undefined,
): LinkStateName {
  return live !== undefined && live.session === row?.session ? live.state : (row?.state ?? "down");
}

function gatewayOf(row: GatewayRow, link: LinkRow | undefined, live: LiveLink | undefined): GatewayView {
  return {
    id: row.gateway_id,
    name: row.name,
    siteId: row.site_id,
    siteName: row.site_name,
    registeredAtMs: row.registered_at,
    enrolledAtMs: row.enrolled_at,
    revokedAtMs: row.revoked_at,
    software: row.software,
    link: {
      state: linkStateOf(link, live),
      sinceMs: link?.changed_at ?? null,
      lastHeardAtMs: link?.last_heard_at ?? null,
      session: link?.session ?? null,
      timeQuality: link?.time_quality ?? null,
      backlog: link?.backlog ?? null,
    },
  };
}
