import type { GatewayId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable, Transaction } from "../database.ts";

export interface ClaimRow {
  readonly gateway_no: number;
  readonly gateway_id: GatewayId;
  readonly expires_at: Instant;
  readonly used_at: Instant | null;
  readonly used_by_key: string | null;
}

export interface NewClaim {
  /** SHA-256 of the code, hexadecimal. */
  readonly codeHash: string;
  readonly gatewayNo: number;
  readonly createdBy: string;
  readonly at: Instant;
  readonly expiresAt: Instant;
}

export async function addClaim(db: Queryable, claim: NewClaim): Promise<void> {
  await db.query(
    {
      name: "claim-add",
      text: "insert into claims (code_hash, gateway_no, created_at, created_by, expires_at) values ($1, $2, $3, $4, $5)",
    },
    [claim.codeHash, claim.gatewayNo, new Date(claim.at), claim.createdBy, new Date(claim.expiresAt)],
  );
}

/** The claim of this code, locked: two that redeem it at once are served one after the other. */
export async function lockClaim(tx: Transaction, codeHash: string): Promise<ClaimRow | undefined> {
  const [row] = await tx.query<ClaimRow>(
    {
      name: "claim-lock",
      text: `select c.gateway_no, g.gateway_id, c.expires_at, c.used_at, c.used_by_key
             from claims c join gateways g using (gateway_no) where c.code_hash = $1 for update of c`,
    },
    [codeHash],
  );
  return row;
}

export async function useClaim(
  tx: Transaction,
  use: { readonly codeHash: string; readonly keyFingerprint: string; readonly at: Instant },
): Promise<void> {
  await tx.query(
    { name: "claim-use", text: "update claims set used_at = $2, used_by_key = $3 where code_hash = $1" },
    [use.codeHash, new Date(use.at), use.keyFingerprint],
  );
}
