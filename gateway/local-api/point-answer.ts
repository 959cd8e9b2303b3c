import type { PointNumber } from "../../domain/ids.ts";
import type { SitePoint } from "../../domain/point.ts";
import { QUALITIES, type Quality } from "../../domain/quality.ts";
import type { PointChange } from "../../domain/reading.ts";
import { since } from "../../domain/time.ts";
import type { DesiredAnswer, PointAnswer } from "./client/answers.ts";
import type { LocalApiParts } from "./local-api-parts.ts";

/** A reading stamped this much after now is from a clock that was set back: its age can not be told. */
const FUTURE_MAX_MS = 1_000;

type Knowing = Pick<LocalApiParts, "store" | "confirmedAt" | "clock">;

/** The point as last stored. */
export function pointAnswer(point: SitePoint, parts: Knowing): PointAnswer {
  return readingAnswer(point, parts.store.telemetry.latest(point.number), parts);
}

/** The point as this reading says it is, e.g. one just made on the bus; `undefined`: it was never read. */
export function readingAnswer(
  point: SitePoint,
  reading: PointChange | undefined,
  parts: Knowing,
): PointAnswer {
  const { definition } = point;
  const ageMs = reading === undefined ? null : ageOf(point.number, reading, parts);
  return {
    pointId: point.id,
    name: definition.name,
    type: definition.type,
    unit: definition.unit,
    access: definition.access,
    range: definition.range ?? null,
    args: definition.args ?? [],
    oneOf: definition.oneOf ?? null,
    commandClass: definition.commandClass ?? null,
    value: reading?.value ?? null,
    quality: reading?.quality ?? "bad/waiting-for-initial-data",
    cause: reading?.cause ?? "none",
    ageMs,
    maxAgeMs: definition.maxAge,
    isOld: ageMs === null || ageMs > definition.maxAge,
    gatewayTimestamp: reading === undefined ? null : new Date(reading.gatewayTimestamp).toISOString(),
    desired: desiredAnswer(point, parts),
  };
}

/** Unchanged values are not told again, so the sweep may know of them later than their reading does. */
function ageOf(number: PointNumber, reading: PointChange, parts: Knowing): number | null {
  const confirmed = parts.confirmedAt(number);
  const told = parts.clock.now() - reading.gatewayTimestamp;
  const ages = [
    ...(told < -FUTURE_MAX_MS ? [] : [told]),
    ...(confirmed === undefined ? [] : [since(confirmed, parts.clock.uptime())]),
  ];
  return ages.length === 0 ? null : Math.max(0, Math.round(Math.min(...ages)));
}

function desiredAnswer(point: SitePoint, { store }: Knowing): DesiredAnswer | null {
  const desired = store.desired.find(point.id);
  if (desired === undefined) return null;
  const { value, issuedBy, commandId, at } = desired;
  return { value, issuedBy, commandId, at: new Date(at).toISOString() };
}

/** Whether a poll or a person can read it. */
export function isReadable({ definition }: SitePoint): boolean {
  return definition.access !== "write" && definition.type !== "action";
}

/** Worse is higher; what was never read is less bad than what is known to fail. */
const RANK: ReadonlyMap<Quality, number> = new Map(
  QUALITIES.map((quality, index) => [quality, quality === "bad/waiting-for-initial-data" ? 3.5 : index]),
);

/** `null` for no qualities at all. */
export function worstOf(qualities: Iterable<Quality>): Quality | null {
  let worst: Quality | null = null;
  for (const quality of qualities) {
    if (worst === null || (RANK.get(quality) ?? 0) > (RANK.get(worst) ?? 0)) worst = quality;
  }
  return worst;
}
