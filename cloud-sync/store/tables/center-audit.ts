import { createHash } from "node:crypto";
import type { Instant } from "../../../domain/time.ts";
import type { Transaction } from "../database.ts";

export interface AuditEntry {
  readonly at: Instant;
  /** `operator/anna`, `gateway/gw-dijon`, `center`. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

const AUDIT_LOCK = 4_170_326_002;
const NOTHING_BEFORE = "0".repeat(64);

/** One link of the center's chain (I38). Writers go one after the other until their transactions end. */
export async function appendAudit(tx: Transaction, entry: AuditEntry): Promise<void> {
  await tx.query({ name: "audit-lock", text: "select pg_advisory_xact_lock($1)" }, [AUDIT_LOCK]);
  const [last] = await tx.query<{ audit_no: number; hash: string }>(
    { name: "audit-last", text: "select audit_no, hash from center_audit order by audit_no desc limit 1" },
    [],
  );
  const number = (last?.audit_no ?? 0) + 1;
  const previous = last?.hash ?? NOTHING_BEFORE;
  await tx.query(
    {
      name: "audit-append",
      text: `insert into center_audit (audit_no, at, actor, action, subject, detail, previous_hash, hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    },
    [
      number,
      new Date(entry.at),
      entry.actor,
      entry.action,
      entry.subject,
      JSON.stringify(entry.detail),
      previous,
      auditHash(number, entry, previous),
    ],
  );
}

/** SHA-256 over all of the row, the hash before it included. */
export function auditHash(number: number, entry: AuditEntry, previous: string): string {
  const content = [
    "nerve-audit:v1",
    number,
    entry.at,
    entry.actor,
    entry.action,
    entry.subject,
    canonical(entry.detail),
    previous,
  ];
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** Keys in order, because jsonb does not keep theirs. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, each]) => [key, canonical(each)]);
}
