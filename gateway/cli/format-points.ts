import type { PointAnswer } from "../local-api/client/answers.ts";
import { type Cell, formatTable } from "./format-table.ts";
import { formatAge, formatQuality, formatValue } from "./format-value.ts";
import { type Palette, paintOfQuality } from "./paint.ts";

/** Points with what they are and should be: a value never stands without its quality and age. */
export function formatPoints(points: readonly PointAnswer[], colours: Palette): string {
  return formatTable(
    ["POINT", "VALUE", "QUALITY", "AGE", "DESIRED"],
    points.map((point) => row(point, colours)),
  );
}

function row(point: PointAnswer, colours: Palette): readonly Cell[] {
  const { name, value, unit, quality, cause, desired } = point;
  const wanted = desired === null ? "" : `${formatValue(desired.value, unit)} by ${desired.issuedBy}`;
  if (point.access === "write" || point.type === "action") return [name, "–", "only written", "–", wanted];
  return [
    name,
    formatValue(value, unit),
    { text: formatQuality(quality, cause), paint: paintOfQuality(quality, colours) },
    { text: formatAge(point), paint: point.isOld ? colours.doubt : (text) => text },
    wanted,
  ];
}
