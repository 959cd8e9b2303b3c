import type { Lane } from "../../../domain/lane.ts";
import type { Instant } from "../../../domain/time.ts";
import type { EventRecord } from "../../../domain/wire/record-kinds.ts";
import type { Transaction } from "../database.ts";
import type { CorrectedTime } from "./readings.ts";

export interface PlacedEvent {
  readonly sequence: number;
  readonly record: EventRecord;
  readonly corrected: CorrectedTime | null;
}

export interface EventRows {
  readonly gatewayNo: number;
  readonly incarnationNo: number;
  readonly lane: Lane;
  readonly history: "history" | "live";
  readonly events: readonly PlacedEvent[];
  readonly at: Instant;
}

/** Events, and the gaps that they declare (I2, I14). */
export async function insertEvents(tx: Transaction, rows: EventRows): Promise<void> {
  if (rows.events.length === 0) return;
  const told = rows.events.map(({ sequence, record, corrected }) => ({
    seq: sequence,
    kind: record.body.kind,
    body: record.body,
    wall: record.tWall,
    corrected: corrected?.at ?? null,
    error: corrected?.error ?? null,
    uptime: record.tMono,
    tq: record.tq,
  }));
  await tx.query(
    {
      name: "event-insert",
      text: `insert into events (gateway_no, incarnation_no, lane, history, received_at, seq, kind, body, gateway_at, corrected_at,
               time_error_ms, uptime_ms, time_quality)
             select $1, $2, $3, $4, $5, e.seq, e.kind, e.body, to_timestamp(e.wall / 1000), to_timestamp(e.corrected / 1000),
               e.error, e.uptime, e.tq
             from jsonb_to_recordset($6::jsonb) as e(seq int8, kind text, body jsonb, wall float8, corrected float8, error float4,
               uptime float8, tq text)`,
    },
    [
      rows.gatewayNo,
      rows.incarnationNo,
      rows.lane,
      rows.history === "history",
      new Date(rows.at),
      JSON.stringify(told),
    ],
  );
  for (const { record } of rows.events) {
    if (record.body.kind !== "gap") continue;
    await declareGap(tx, { ...record.body, gatewayNo: rows.gatewayNo, declaredBy: "gateway", at: rows.at });
  }
}

export interface DeclaredGap {
  readonly gatewayNo: number;
  readonly incarnation: string;
  readonly lane: Lane;
  readonly first: number;
  /** Null: open-ended. */
  readonly count: number | null;
  readonly reason: string;
  readonly declaredBy: "gateway" | "center";
  readonly at: Instant;
}

export async function declareGap(tx: Transaction, gap: DeclaredGap): Promise<void> {
  await tx.query(
    {
      name: "gap-declare",
      text: `insert into declared_gaps (gateway_no, incarnation, lane, first_seq, record_count, reason, declared_by, declared_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    },
    [
      gap.gatewayNo,
      gap.incarnation,
      gap.lane,
      gap.first,
      gap.count,
      gap.reason,
      gap.declaredBy,
      new Date(gap.at),
    ],
  );
}
