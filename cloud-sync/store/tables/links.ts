import type { GatewayId } from "../../../domain/ids.ts";
import type { SyncSession } from "../../../domain/session-id.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Heartbeat } from "../../../domain/wire/heartbeat.ts";
import type { Queryable } from "../database.ts";

export type LinkStateName = "up" | "degraded" | "down";

/** Latest word of each gateway, for those who look. */
export interface LinkRow {
  readonly gateway_id: GatewayId;
  readonly state: LinkStateName;
  readonly changed_at: Instant | null;
  readonly last_heard_at: Instant | null;
  readonly session: string | null;
  readonly gateway_now: Instant | null;
  readonly time_quality: string | null;
  readonly backlog: Readonly<Record<"A" | "B" | "C" | "D", number>> | null;
}

export function listLinks(db: Queryable): Promise<readonly LinkRow[]> {
  const text = `select g.gateway_id, l.state, l.changed_at, l.last_heard_at, l.current_generation || '.' || l.current_counter as session,
                  l.gateway_now, l.time_quality, l.backlog
                from gateway_links l join gateways g using (gateway_no) order by g.gateway_id`;
  return db.query<LinkRow>({ name: "link-list", text }, []);
}

/** No link is up before it was heard in this process: tokens and uptimes of another one mean nothing. */
export async function takeAllLinksDown(db: Queryable, at: Instant): Promise<void> {
  await db.query(
    {
      name: "link-reset",
      text: "update gateway_links set state = 'down', changed_at = $1 where state <> 'down'",
    },
    [new Date(at)],
  );
}

export async function setLinkState(
  db: Queryable,
  change: { readonly gatewayNo: number; readonly state: LinkStateName; readonly at: Instant },
): Promise<void> {
  await db.query(
    {
      name: "link-state",
      text: "update gateway_links set state = $2, changed_at = $3 where gateway_no = $1 and state <> $2",
    },
    [change.gatewayNo, change.state, new Date(change.at)],
  );
}

/** False: the session is not current any more; nothing was written. */
export async function writeHeartbeat(
  db: Queryable,
  heard: {
    readonly gatewayNo: number;
    readonly session: SyncSession;
    readonly heartbeat: Heartbeat;
    readonly at: Instant;
  },
): Promise<boolean> {
  const { heartbeat, session } = heard;
  const rows = await db.query<{ gateway_no: number }>(
    {
      name: "link-heartbeat",
      text: `update gateway_links set last_heard_at = $4, gateway_now = to_timestamp($5::float8 / 1000), gateway_uptime_ms = $6,
               time_quality = $7, heads = $8, backlog = $9, sweeps = $10
             where gateway_no = $1 and current_generation = $2 and current_counter = $3 returning gateway_no`,
    },
    [
      heard.gatewayNo,
      session.generation,
      session.counter,
      new Date(heard.at),
      heartbeat.nowMs,
      heartbeat.uptimeMs,
      heartbeat.timeQuality,
      JSON.stringify(heartbeat.heads),
      JSON.stringify(heartbeat.backlog),
      JSON.stringify(heartbeat.sweeps),
    ],
  );
  return rows.length > 0;
}
