import type { GatewayId } from "../../../domain/ids.ts";
import { QUALITIES } from "../../../domain/quality.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable } from "../database.ts";

/** How many points of one poll sweep were told, and how well. */
export interface PointCountRow {
  readonly gateway_id: GatewayId;
  readonly class: string;
  readonly profile_id: string;
  readonly poll_class: string;
  readonly sweep: number;
  /** ms; the least of the sweep's points. */
  readonly max_age_ms: number;
  readonly points: number;
  readonly told: number;
  /** Told as good, however long ago. */
  readonly good: number;
  /** Of these, told so lately that they need no sweep to confirm them. */
  readonly good_young: number;
}

/** Points that are polled, by gateway, profile and sweep: some 4,000 rows for the city. */
export function listPointCounts(db: Queryable, now: Instant): Promise<readonly PointCountRow[]> {
  const text = `select g.gateway_id, d.class, d.profile_id, p.poll_class, p.sweep, min(p.max_age_ms) as max_age_ms, count(*) as points,
      count(s.point_no) as told, count(*) filter (where s.quality <= $2) as good,
      count(*) filter (where s.quality <= $2 and s.corrected_at >= $1::timestamptz - p.max_age_ms * interval '1 ms') as good_young
    from points p join gateways g using (gateway_no)
      join devices d on d.gateway_no = p.gateway_no and d.device_id = p.device_id
      left join point_states s using (point_no)
    where not p.retired and p.sweep is not null
    group by g.gateway_id, d.class, d.profile_id, p.poll_class, p.sweep`;
  const good = QUALITIES.indexOf("good/local-override");
  return db.query<PointCountRow>({ name: "point-counts", text }, [new Date(now), good]);
}
