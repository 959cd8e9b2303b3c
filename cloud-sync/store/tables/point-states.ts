import type { GatewayId, PointId } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Queryable, Transaction } from "../database.ts";
import { NAMED_POINTS, namedColumns } from "../points/named-points.ts";
import {
  INSERT_READINGS,
  insertReadings,
  type PlacedReading,
  READING_COLUMNS,
  READING_VALUES,
  type ReadingRows,
  readingArrays,
  readingParameters,
} from "./readings.ts";
import { fromColumns, type QualifiedValue, type ValueColumns } from "./value-columns.ts";

/**
 * Moves current state where (lineage order, state version) is greater, and only there (I8). Wants gateway, lineage order and
 * time of receipt as $`first`, …; rows are taken in one order by all, so that two transactions never wait for each other.
 */
function moveFrom(relation: string, first: number): string {
  return `insert into point_states as s (gateway_no, lineage_order, received_at, point_no, gateway_at, source_at, corrected_at,
               time_error_ms, state_version, value_kind, value_number, value_text, quality, cause)
             select $${first}, $${first + 1}, $${first + 2}, r.point_no, ${READING_VALUES} from ${relation} order by r.point_no
             on conflict (point_no) do update set lineage_order = excluded.lineage_order, received_at = excluded.received_at,
               gateway_at = excluded.gateway_at, source_at = excluded.source_at, corrected_at = excluded.corrected_at,
               time_error_ms = excluded.time_error_ms, state_version = excluded.state_version, value_kind = excluded.value_kind,
               value_number = excluded.value_number, value_text = excluded.value_text, quality = excluded.quality,
               cause = excluded.cause
             where (excluded.lineage_order, excluded.state_version) > (s.lineage_order, s.state_version)
             returning point_no`;
}

/** Whose state moves, and when that came. */
interface Moved {
  readonly gatewayNo: number;
  readonly lineageOrder: number;
  readonly at: Instant;
}

/** One reading a point: the newest of its snapshot. Returns the points that moved. */
export async function moveStates(
  tx: Transaction,
  moved: Moved & { readonly readings: readonly PlacedReading[] },
): Promise<readonly number[]> {
  if (moved.readings.length === 0) return [];
  const relation = `unnest(${readingParameters(4)}) as r(${READING_COLUMNS})`;
  const { gatewayNo, lineageOrder, at, readings } = moved;
  const rows = await tx.query<{ point_no: number }>({ name: "state-move", text: moveFrom(relation, 1) }, [
    gatewayNo,
    lineageOrder,
    new Date(at),
    ...readingArrays(readings),
  ]);
  return rows.map((row) => row.point_no);
}

/**
 * Stores readings and moves the state of their points, in one statement: so their columns are made, sent and taken apart once.
 * `newest`: those of the readings that may move a state, one a point. Returns the points that moved.
 */
export async function takeReadings(
  tx: Transaction,
  taken: Moved & ReadingRows & { readonly newest: ReadonlySet<PlacedReading> },
): Promise<readonly number[]> {
  const { newest, readings, incarnationNo, lane, gatewayNo, lineageOrder, at } = taken;
  if (newest.size === 0) {
    await insertReadings(tx, taken);
    return [];
  }
  const rows = await tx.query<{ point_no: number }>(
    {
      name: "reading-take",
      text: `with r as materialized (
               select * from unnest(${readingParameters(6)}, $18::bool[]) as r(${READING_COLUMNS}, newest)
             ), kept as (${INSERT_READINGS})
             ${moveFrom("r where r.newest", 3)}`,
    },
    [
      ...[incarnationNo, lane, gatewayNo, lineageOrder, new Date(at)],
      ...readingArrays(readings),
      `{${readings.map((reading) => (newest.has(reading) ? "t" : "f")).join(",")}}`,
    ],
  );
  return rows.map((row) => row.point_no);
}

/** A point as it is by the center's knowledge. Its age is for the reader to judge, with `sweep` and `maxAgeMs`. */
export interface PointState extends QualifiedValue {
  readonly gatewayId: GatewayId;
  readonly pointId: PointId;
  readonly unit: string | null;
  readonly gatewayAt: Instant;
  /** Null: the device keeps no time. */
  readonly sourceAt: Instant | null;
  readonly correctedAt: Instant | null;
  readonly receivedAt: Instant;
  readonly maxAgeMs: number | null;
  readonly sweep: number | null;
}

type StateRow = ValueColumns & {
  readonly gateway_id: GatewayId;
  readonly point_id: PointId;
  readonly unit: string | null;
  readonly gateway_at: Instant;
  readonly source_at: Instant | null;
  readonly corrected_at: Instant | null;
  readonly received_at: Instant;
  readonly max_age_ms: number | null;
  readonly sweep: number | null;
};

const SELECT = `select g.gateway_id, p.point_id, p.unit, p.max_age_ms, p.sweep, s.gateway_at, s.source_at, s.corrected_at, s.received_at,
  s.value_kind, s.value_number, s.value_text, s.quality, s.cause`;
const GATEWAY = "join gateways g on g.gateway_no = p.gateway_no";

/** These points, or those of this name of all devices. */
export type ChosenStates = readonly PointId[] | { readonly name: string };

/** Current state of a gateway's points, the chosen only if given. Points never told have no row. */
export async function listStates(
  db: Queryable,
  gatewayId: GatewayId,
  chosen?: ChosenStates,
): Promise<readonly PointState[]> {
  return (await rowsOf(db, gatewayId, chosen)).map(toState);
}

function rowsOf(
  db: Queryable,
  gatewayId: GatewayId,
  chosen: ChosenStates | undefined,
): Promise<readonly StateRow[]> {
  const all = `${SELECT} from point_states s join points p using (point_no) ${GATEWAY} where g.gateway_id = $1 and not p.retired`;
  const order = "order by p.point_id";
  if (chosen === undefined) return db.query({ name: "state-list", text: `${all} ${order}` }, [gatewayId]);
  if ("name" in chosen) {
    const text = `${all} and p.name = $2 ${order}`;
    return db.query({ name: "state-list-named", text }, [gatewayId, chosen.name]);
  }
  const some = `${SELECT} from ${NAMED_POINTS} join point_states s using (point_no) ${GATEWAY}`;
  return db.query({ name: "state-list-some", text: some }, [gatewayId, ...namedColumns(chosen)]);
}

function toState(row: StateRow): PointState {
  return {
    ...fromColumns(row),
    gatewayId: row.gateway_id,
    pointId: row.point_id,
    unit: row.unit,
    gatewayAt: row.gateway_at,
    sourceAt: row.source_at,
    correctedAt: row.corrected_at,
    receivedAt: row.received_at,
    maxAgeMs: row.max_age_ms,
    sweep: row.sweep,
  };
}
