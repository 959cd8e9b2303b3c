import type { GatewayId, PointId } from "../../domain/ids.ts";
import { type BatchAnswer, decodeSnapshotPart } from "../../domain/wire/batch.ts";
import { decodePointsBlock, type PointsBlock } from "../../domain/wire/points-block.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import type { PlacedReading } from "../store/tables/readings.ts";
import { admit, fenced, type IngestParts } from "./ingest.ts";
import type { IngestTransaction } from "./ingest-ledger.ts";
import { faultOfReading } from "./ingest-plan.ts";
import { correctBlock } from "./time-map.ts";

export type SnapshotAnswer =
  | {
      readonly taken: number /** Points that the catalogue lacks or values that can not be held. */;
      readonly skipped: number;
    }
  | Extract<BatchAnswer, { refusal: unknown }>;

/** A part of the state snapshot: moves current state by (lineage order, state version), nothing else (PROTOCOL §3). */
export async function takeSnapshot(
  parts: IngestParts,
  gatewayId: GatewayId,
  bytes: Uint8Array,
): Promise<SnapshotAnswer> {
  const decoded = decode(bytes);
  if ("refusal" in decoded) return decoded;
  const { header, block } = decoded;
  if ((await parts.sessions.enter(gatewayId, header.session)) === "fence") return fenced(header.session);
  const at = parts.clock.now();
  const result = await parts.ledger.transaction(gatewayId, async (tx) => {
    const incarnation = await admit(tx, header);
    if ("refusal" in incarnation) return incarnation;
    if (!(await tx.hasCatalogue())) {
      return { refusal: "unknown-catalogue", detail: "send the CATALOGUE first" } as const;
    }
    const samples = await tx.findTimeSamples(incarnation, [block.storedAt]);
    const placed = await placeStates(tx, block, correctBlock(withWalls(block), samples));
    const moved = await tx.applySnapshot(incarnation, [...placed.readings.values()], at);
    return { placed, moved };
  });
  if ("refusal" in result) return result;
  const { ids, readings } = result.placed;
  const pointIds = result.moved.flatMap((number) => ids.get(number) ?? []);
  const isTrue = (number: number): boolean => readings.get(number)?.reading.value === true;
  const trueIds = result.moved.filter(isTrue).flatMap((number) => ids.get(number) ?? []);
  if (pointIds.length > 0) parts.events.tell("state-changed", { gatewayId, pointIds, trueIds });
  const { skipped } = result.placed;
  if (skipped > 0)
    parts.logger.warn({ gatewayId, skipped }, "a state snapshot tells of points that can not be taken");
  return { taken: block.readings.length - skipped, skipped };
}

interface PlacedStates {
  readonly readings: ReadonlyMap<number, PlacedReading>;
  readonly ids: ReadonlyMap<number, PointId>;
  readonly skipped: number;
}

async function placeStates(
  tx: IngestTransaction,
  block: PointsBlock,
  correct: ReturnType<typeof correctBlock>,
): Promise<PlacedStates> {
  const points = await tx.points();
  const readings = new Map<number, PlacedReading>();
  const ids = new Map<number, PointId>();
  let skipped = 0;
  for (const reading of block.readings) {
    const point = points.find(reading.point);
    if (point === undefined || faultOfReading(reading, point) !== null) {
      skipped += 1;
      continue;
    }
    const { pointNo } = point;
    if ((readings.get(pointNo)?.reading.stateVersion ?? -1) > reading.stateVersion) continue;
    readings.set(pointNo, { pointNo, sequence: 0, reading, corrected: correct(reading.gatewayTimestamp) });
    ids.set(pointNo, point.pointId);
  }
  return { readings, ids, skipped };
}

function withWalls(block: PointsBlock): Parameters<typeof correctBlock>[0] {
  return { ...block, walls: block.readings.map((reading) => reading.gatewayTimestamp) };
}

function decode(
  bytes: Uint8Array,
):
  | { readonly header: ReturnType<typeof decodeSnapshotPart>["header"]; readonly block: PointsBlock }
  | Extract<BatchAnswer, { refusal: unknown }> {
  try {
    const { header, block } = decodeSnapshotPart(bytes);
    return { header, block: decodePointsBlock(block) };
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    return { refusal: cause.code === "too-large" ? "size" : "codec", detail: cause.message };
  }
}
