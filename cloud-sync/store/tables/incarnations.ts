import type { Instant } from "../../../domain/time.ts";
import type { LineageEntry } from "../../../domain/wire/hello.ts";
import type { Queryable, Transaction } from "../database.ts";

export interface IncarnationRow {
  readonly incarnation_no: number;
  readonly incarnation: string;
  readonly parent: string | null;
  readonly lineage_order: number;
}

/** All incarnations of a gateway, oldest first. */
export function listIncarnations(db: Queryable, gatewayNo: number): Promise<readonly IncarnationRow[]> {
  const text =
    "select incarnation_no, incarnation, parent, lineage_order from incarnations where gateway_no = $1 order by lineage_order";
  return db.query<IncarnationRow>({ name: "incarnation-list", text }, [gatewayNo]);
}

export async function findIncarnation(
  db: Queryable,
  gatewayNo: number,
  incarnation: string,
): Promise<IncarnationRow | undefined> {
  const text =
    "select incarnation_no, incarnation, parent, lineage_order from incarnations where gateway_no = $1 and incarnation = $2";
  const [row] = await db.query<IncarnationRow>({ name: "incarnation-find", text }, [gatewayNo, incarnation]);
  return row;
}

/** New entries of a lineage, in order; the first gets `fromOrder`. */
export async function addIncarnations(
  tx: Transaction,
  added: {
    readonly gatewayNo: number;
    readonly entries: readonly LineageEntry[];
    readonly fromOrder: number;
    readonly at: Instant;
  },
): Promise<void> {
  for (const [index, entry] of added.entries.entries()) {
    await tx.query(
      {
        name: "incarnation-add",
        text: `insert into incarnations (gateway_no, incarnation, parent, parent_last, lineage_order, opened_at, first_seen_at)
               values ($1, $2, $3, $4, $5, $6, $7)`,
      },
      [
        added.gatewayNo,
        entry.incarnation,
        entry.parent,
        JSON.stringify(entry.parentLast),
        added.fromOrder + index,
        storableTime(entry.openedAt),
        new Date(added.at),
      ],
    );
  }
}

/** A gateway's clock may say anything; what PostgreSQL can not hold is not held. */
function storableTime(epochMs: number): Date | null {
  return Math.abs(epochMs) < 253_402_300_800_000 && epochMs > -62_135_596_800_000 ? new Date(epochMs) : null;
}
