import { createHash } from "node:crypto";
import type { PointValue } from "../reading.ts";

/**
 * What a person sees and confirms before a hazardous point is operated: the point, what proves it, and its interlock
 * points (PROTOCOL §8, select before operate). Only points that were known; one that was not has no place here.
 */
export type Preview = readonly PreviewedPoint[];

export interface PreviewedPoint {
  readonly pointId: string;
  readonly value: PointValue;
  /** As a quality is told, e.g. `good`. */
  readonly quality: string;
  /** Ms since it was read; at most. */
  readonly ageMs: number;
}

/** Stands for the values of a preview, whatever their order, ages and qualities: SHA-256, hexadecimal. */
export function previewHash(preview: Preview): string {
  const values = preview.map(({ pointId, value }) => [pointId, value]).toSorted(byPoint);
  return createHash("sha256").update(JSON.stringify(values)).digest("hex");
}

/** Why `now` is not what was confirmed, for people; `undefined` when it is. */
export function findPreviewChange(confirmed: Preview, now: Preview): string | undefined {
  const found = new Map(now.map(({ pointId, value }) => [pointId, value]));
  for (const { pointId, value } of confirmed) {
    if (!found.has(pointId)) return `${pointId} was ${value}, and the gateway did not tell it`;
    if (found.get(pointId) !== value) return `${pointId} was ${value} and is ${found.get(pointId)}`;
  }
  const more = now.find(({ pointId }) => !confirmed.some((each) => each.pointId === pointId));
  return more === undefined ? undefined : `${more.pointId} is ${more.value}, and nobody has confirmed it`;
}

function byPoint(left: readonly unknown[], right: readonly unknown[]): number {
  return String(left[0]) < String(right[0]) ? -1 : 1;
}
