import type { SyncSession } from "../../domain/session-id.ts";
import type { Transaction } from "../store/database.ts";
import { listIncarnations } from "../store/tables/incarnations.ts";
import { findSession, type OfferedSession } from "../store/tables/sync-sessions.ts";

/**
 * Whether a fenced session speaks from a store that is not the current one's past: then two gateways live with one
 * identity (I7). A late request of the same process, or of one that the current store grew from, is no rival.
 * Returns how they differ, for people.
 */
export async function describeRival(
  tx: Transaction,
  gatewayNo: number,
  sessions: { readonly offered: OfferedSession; readonly current: SyncSession },
): Promise<string | null> {
  const current = await findSession(tx, gatewayNo, sessions.current);
  if (current === undefined) return null;
  const rows = await listIncarnations(tx, gatewayNo);
  const parents = new Map(rows.map((row) => [row.incarnation, row.parent]));
  let ancestor: string | null | undefined = current.incarnation;
  for (let steps = 0; ancestor !== null && ancestor !== undefined && steps <= rows.length; steps += 1) {
    if (ancestor === sessions.offered.incarnation) return null;
    ancestor = parents.get(ancestor);
  }
  return `incarnation ${sessions.offered.incarnation} still speaks while ${current.incarnation} is current, and is none of its past`;
}
