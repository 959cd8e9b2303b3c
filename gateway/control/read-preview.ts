import type { PointNumber } from "../../domain/ids.ts";
import type { PointChange, PointValue } from "../../domain/reading.ts";
import { type Finding, findUnmet } from "../../domain/safety/interlock.ts";
import type { Preview } from "../../domain/safety/preview.ts";
import { type Clock, since } from "../../domain/time.ts";
import type { PointIndex, PointOfDevice } from "../site/site.ts";
import type { OperationRunner } from "./field-operation.ts";
import { compileInterlock, interlockPoints, provingPoints } from "./operation-compiler.ts";

/** How a hazardous point stands, or why it can not be selected. */
export type Look = { readonly preview: Preview } | { readonly blocked: string };

/**
 * Reads the point, what proves it and its interlock points on the bus, now, and judges the interlock. What can not be
 * read with quality good blocks: nobody could confirm it.
 */
export async function readPreview(
  target: PointOfDevice,
  value: PointValue,
  parts: {
    readonly points: PointIndex;
    readonly runner: Pick<OperationRunner, "readNow">;
    readonly clock: Pick<Clock, "uptime">;
  },
  signal: AbortSignal,
): Promise<Look> {
  const { points, runner, clock } = parts;
  const shown = shownPoints(target, points);
  const { busId, unitAddress } = target.device;
  const asked = clock.uptime();
  const numbers = shown.map(({ point }) => point.number);
  const result = await runner.readNow({ busId, unitAddress, points: numbers }, signal);
  if (result.outcome === "fault") return { blocked: `its state can not be read (${result.detail})` };
  const ageMs = Math.round(since(asked, clock.uptime()));
  const found = new Map(result.changes.map((change) => [change.point, findingOf(change)]));
  const lookUp = (number: PointNumber): Finding => found.get(number) ?? { fault: "not-read" };
  const preview = shown.flatMap(({ point }) => {
    const finding = lookUp(point.number);
    return "value" in finding ? [{ pointId: point.id, value: finding.value, quality: "good", ageMs }] : [];
  });
  const unread = shown.find(({ point }) => "fault" in lookUp(point.number));
  if (unread !== undefined) return { blocked: `${unread.point.id} can not be read` };
  const interlock = compileInterlock(target, value, points);
  const unmet = findUnmet(interlock?.conditions ?? [], ({ number, pointId }) => ({
    pointId,
    finding: lookUp(number),
  }));
  return unmet === undefined ? { preview } : { blocked: `interlock ${interlock?.name}: ${unmet}` };
}

/** What a person must see before it is operated: each once. A point that is only written shows by its read-back. */
function shownPoints(target: PointOfDevice, points: PointIndex): readonly PointOfDevice[] {
  const itself = target.point.definition.access === "write" ? [] : [target];
  const all = [...itself, ...provingPoints(target, points), ...interlockPoints(target, points)];
  return [...new Map(all.map((each) => [each.point.id, each])).values()];
}

function findingOf({ quality, value, cause }: PointChange): Finding {
  return quality === "good" && value !== null ? { value } : { fault: cause };
}
