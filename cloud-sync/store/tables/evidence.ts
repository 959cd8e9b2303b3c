import type { Instant } from "../../../domain/time.ts";
import type { EvidenceRecord } from "../../../domain/wire/record-kinds.ts";
import type { Transaction } from "../database.ts";
import type { CorrectedTime } from "./readings.ts";

export interface PlacedEvidence {
  readonly sequence: number;
  readonly record: EvidenceRecord;
  /** SHA-256 of its JSON as it came, hexadecimal: the next record names it. */
  readonly hash: string;
  readonly corrected: CorrectedTime | null;
}

export interface EvidenceRows {
  readonly gatewayNo: number;
  readonly incarnationNo: number;
  readonly evidence: readonly PlacedEvidence[];
  readonly at: Instant;
}

/** Stores lane A and checks its chain. Returns the sequences where it is broken: stored all the same (I13). */
export async function insertEvidence(tx: Transaction, rows: EvidenceRows): Promise<readonly number[]> {
  if (rows.evidence.length === 0) return [];
  const told = rows.evidence.map(({ sequence, record, hash, corrected }) => ({
    seq: sequence,
    kind: record.body.kind,
    command: record.body.kind === "command" ? record.body.commandId : null,
    body: record.body,
    wall: record.tWall,
    corrected: corrected?.at ?? null,
    error: corrected?.error ?? null,
    uptime: record.tMono,
    tq: record.tq,
    previous: record.previousHash,
    hash,
  }));
  await tx.query(
    {
      name: "evidence-insert",
      text: `insert into evidence (gateway_no, incarnation_no, received_at, seq, kind, command_id, body, gateway_at, corrected_at,
               time_error_ms, uptime_ms, time_quality, previous_hash, hash)
             select $1, $2, $3, e.seq, e.kind, e.command, e.body, to_timestamp(e.wall / 1000), to_timestamp(e.corrected / 1000),
               e.error, e.uptime, e.tq, e.previous, e.hash
             from jsonb_to_recordset($4::jsonb) as e(seq int8, kind text, command text, body jsonb, wall float8, corrected float8,
               error float4, uptime float8, tq text, previous text, hash text)`,
    },
    [rows.gatewayNo, rows.incarnationNo, new Date(rows.at), JSON.stringify(told)],
  );
  return checkChain(tx, rows);
}

/**
 * Judges each new record by the one before it, and the one after the new ones by them. The first of an incarnation
 * follows the last that its parent wrote; the first of a store follows nothing. A record whose predecessor is not
 * here stays unverified until that comes.
 */
async function checkChain(tx: Transaction, rows: EvidenceRows): Promise<readonly number[]> {
  const sequences = rows.evidence.map(({ sequence }) => sequence);
  const judged = await tx.query<{ seq: number; chain: string }>(
    {
      name: "evidence-chain",
      text: `with links as (
               select e.seq, e.previous_hash, case
                 when e.seq > 1 then (select p.hash from evidence p where p.incarnation_no = e.incarnation_no and p.seq = e.seq - 1)
                 when i.parent is null then repeat('0', 64)
                 else (select p.hash from incarnations pi join evidence p
                       on p.incarnation_no = pi.incarnation_no and p.seq = (i.parent_last->>'A')::int8
                       where pi.gateway_no = i.gateway_no and pi.incarnation = i.parent)
               end as before
               from evidence e join incarnations i using (incarnation_no)
               where e.incarnation_no = $1 and e.seq between $2 and $3 and e.chain = 'unverified')
             update evidence e set chain = case when links.before = links.previous_hash then 'good' else 'broken' end
             from links where e.incarnation_no = $1 and e.seq = links.seq and links.before is not null
             returning e.seq, e.chain`,
    },
    [rows.incarnationNo, Math.min(...sequences), Math.max(...sequences) + 1],
  );
  return judged.filter((row) => row.chain === "broken").map((row) => row.seq);
}
