import type { GatewayId } from "../../../domain/ids.ts";
import type { SyncSession } from "../../../domain/session-id.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Hello } from "../../../domain/wire/hello.ts";
import type { Queryable, Transaction } from "../database.ts";

/**
 * How a gateway stands, its own row locked: all that writes its records goes one after the other. The link's row is
 * left free, so that a heartbeat never waits for a batch or a catalogue.
 */
export interface LockedLink {
  readonly gateway_no: number;
  readonly revoked: boolean;
  readonly issued_generation: number;
  readonly issued_counter: number;
  readonly current_generation: number | null;
  readonly current_counter: number | null;
  /** What the center holds. */
  readonly catalogue_hash: string | null;
}

export async function lockLink(tx: Transaction, id: GatewayId): Promise<LockedLink | undefined> {
  const [row] = await tx.query<LockedLink>(
    {
      name: "link-lock",
      text: `select g.gateway_no, g.revoked_at is not null as revoked, l.issued_generation, l.issued_counter,
               l.current_generation, l.current_counter, g.catalogue_hash
             from gateways g join gateway_links l using (gateway_no) where g.gateway_id = $1 for no key update of g`,
    },
    [id],
  );
  return row;
}

/** The current session of a locked link; undefined: there never was one. */
export function currentSession(link: LockedLink): SyncSession | undefined {
  if (link.current_generation === null || link.current_counter === null) return undefined;
  return { generation: link.current_generation, counter: link.current_counter };
}

export interface OfferedSession {
  readonly incarnation_no: number;
  readonly incarnation: string;
  /** What the gateway has now, by its HELLO or a later CATALOGUE. */
  readonly catalogue_hash: string;
}

export async function findSession(
  db: Queryable,
  gatewayNo: number,
  session: SyncSession,
): Promise<OfferedSession | undefined> {
  const [row] = await db.query<OfferedSession>(
    {
      name: "session-find",
      text: `select s.incarnation_no, i.incarnation, s.catalogue_hash
             from sync_sessions s join incarnations i using (incarnation_no)
             where s.gateway_no = $1 and s.generation = $2 and s.counter = $3`,
    },
    [gatewayNo, session.generation, session.counter],
  );
  return row;
}

export interface SessionOffer {
  readonly gatewayNo: number;
  readonly session: SyncSession;
  readonly incarnationNo: number;
  readonly hello: Hello;
  readonly at: Instant;
}

/** Sessions of one gateway that are remembered. */
const SESSIONS_KEPT = 100;

/** Writes the offer down before WELCOME leaves. The session is not current yet. */
export async function offerSession(tx: Transaction, offer: SessionOffer): Promise<void> {
  const { gatewayNo, session, hello } = offer;
  const at = new Date(offer.at);
  await tx.query(
    {
      name: "session-offer",
      text: `insert into sync_sessions (gateway_no, generation, counter, incarnation_no, catalogue_hash, software, offered_at)
             values ($1, $2, $3, $4, $5, $6, $7)`,
    },
    [
      gatewayNo,
      session.generation,
      session.counter,
      offer.incarnationNo,
      hello.catalogueHash,
      hello.software,
      at,
    ],
  );
  await tx.query(
    {
      name: "link-issued",
      text: "update gateway_links set issued_generation = $2, issued_counter = $3, disk = $4 where gateway_no = $1",
    },
    [gatewayNo, session.generation, session.counter, JSON.stringify(hello.disk)],
  );
  await tx.query(
    {
      name: "gateway-software",
      text: "update gateways set software = $2, capabilities = $3 where gateway_no = $1",
    },
    [gatewayNo, hello.software, JSON.stringify(hello.capabilities)],
  );
  await tx.query(
    {
      name: "session-prune",
      text: `delete from sync_sessions s using gateway_links l
             where s.gateway_no = $1 and l.gateway_no = $1 and (s.generation, s.counter) is distinct from (l.current_generation, l.current_counter)
               and s.counter <= $2`,
    },
    [gatewayNo, session.counter - SESSIONS_KEPT],
  );
}

/** Kinds of orders that the gateway announced in its last HELLO (PROTOCOL §7). */
export async function announcedActions(db: Queryable, gatewayNo: number): Promise<readonly string[]> {
  const [row] = await db.query<{ commands: readonly string[] | null }>(
    {
      name: "gateway-actions",
      text: "select capabilities->'commands' as commands from gateways where gateway_no = $1",
    },
    [gatewayNo],
  );
  return row?.commands ?? [];
}

/** The session is current from this commit on. */
export async function activateSession(
  tx: Transaction,
  gatewayNo: number,
  session: SyncSession,
  at: Instant,
): Promise<void> {
  await tx.query(
    {
      name: "session-activate",
      text: "update sync_sessions set activated_at = $4 where gateway_no = $1 and generation = $2 and counter = $3",
    },
    [gatewayNo, session.generation, session.counter, new Date(at)],
  );
  await tx.query(
    {
      name: "link-activate",
      text: `update gateway_links set current_generation = $2, current_counter = $3, state = 'up',
               changed_at = case when state = 'up' then changed_at else $4 end, last_heard_at = $4 where gateway_no = $1`,
    },
    [gatewayNo, session.generation, session.counter, new Date(at)],
  );
}

export async function announceCatalogue(
  tx: Transaction,
  announced: { readonly gatewayNo: number; readonly session: SyncSession; readonly hash: string },
): Promise<void> {
  const { gatewayNo, session } = announced;
  await tx.query(
    {
      name: "session-catalogue",
      text: "update sync_sessions set catalogue_hash = $4 where gateway_no = $1 and generation = $2 and counter = $3",
    },
    [gatewayNo, session.generation, session.counter, announced.hash],
  );
}
