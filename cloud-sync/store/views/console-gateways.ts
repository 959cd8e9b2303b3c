import type { GatewayId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable } from "../database.ts";

export type LaneCounts = Readonly<Partial<Record<"A" | "B" | "C" | "D", number>>>;

export interface ConsoleGatewayRow {
  readonly gateway_id: GatewayId;
  readonly name: string;
  readonly software: string | null;
  readonly enrolled_at: Instant | null;
  readonly revoked_at: Instant | null;
  readonly state: "up" | "degraded" | "down";
  /** The current one. */
  readonly session: string | null;
  readonly changed_at: Instant | null;
  readonly last_heard_at: Instant | null;
  readonly time_quality: string | null;
  readonly heads: LaneCounts | null;
  readonly backlog: LaneCounts | null;
  readonly quarantined: number;
}

export function listConsoleGateways(db: Queryable): Promise<readonly ConsoleGatewayRow[]> {
  const text = `select g.gateway_id, g.name, g.software, g.enrolled_at, g.revoked_at, coalesce(l.state, 'down') as state,
      l.current_generation || '.' || l.current_counter as session,
      l.changed_at, l.last_heard_at, l.time_quality, l.heads, l.backlog,
      (select coalesce(sum(records), 0)::int8 from quarantine_counts q where q.gateway_no = g.gateway_no) as quarantined
    from gateways g left join gateway_links l using (gateway_no) order by g.gateway_id`;
  return db.query<ConsoleGatewayRow>({ name: "console-gateways", text }, []);
}

/** What is durable here of one lane of one incarnation. */
export interface LaneCoverRow {
  readonly gateway_id: GatewayId;
  readonly lane: "A" | "B" | "C" | "D";
  readonly lineage_order: number;
  /** Of the incarnation that came after; null: it is the present one. */
  readonly end_last: LaneCounts | null;
  readonly held: number;
}

export function listLaneCover(db: Queryable): Promise<readonly LaneCoverRow[]> {
  const text = `select g.gateway_id, c.lane::text as lane, i.lineage_order,
      (select n.parent_last from incarnations n where n.gateway_no = i.gateway_no and n.parent = i.incarnation
       order by n.lineage_order desc limit 1) as end_last,
      (select coalesce(sum(upper(r) - lower(r)), 0)::int8 from unnest(c.ranges) as r) as held
    from cursors c join incarnations i using (incarnation_no) join gateways g on g.gateway_no = i.gateway_no`;
  return db.query<LaneCoverRow>({ name: "console-lane-cover", text }, []);
}

/** Records that will never come, by the word of gateway or center. `records` leaves out the open-ended ones. */
export function listDeclaredGaps(db: Queryable): Promise<
  readonly {
    readonly gateway_id: GatewayId;
    readonly lane: string;
    readonly gaps: number;
    readonly records: number;
  }[]
> {
  const text = `select g.gateway_id, d.lane::text as lane, count(*) as gaps, coalesce(sum(d.record_count), 0)::int8 as records
    from declared_gaps d join gateways g using (gateway_no) group by g.gateway_id, d.lane`;
  return db.query({ name: "console-declared-gaps", text }, []);
}
