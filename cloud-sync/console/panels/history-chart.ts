import uPlot from "uplot";
import { BAD_FROM, type HistoryView } from "../api/answers.ts";
import type { Wording } from "../texts/wording.ts";

const MS = 1_000;

/**
 * Times in seconds, then last, least and greatest value. A value holds until the next is told, so the last one is
 * carried through the buckets in which nothing was; where a quality was bad there is a hole.
 */
export function seriesOf(history: HistoryView): uPlot.AlignedData {
  const width = (history.to - history.from) / history.buckets / MS;
  const at = new Map(history.bucket.map((bucket, index) => [bucket, index]));
  let held = history.before === null || history.before.quality >= BAD_FROM ? null : history.before.value;
  const [times, last, min, max]: [number[], (number | null)[], (number | null)[], (number | null)[]] = [
    [],
    [],
    [],
    [],
  ];
  for (let bucket = 0; bucket < history.buckets; bucket += 1) {
    const index = at.get(bucket);
    const before = held;
    if (index !== undefined) held = history.last[index] ?? null;
    times.push(history.from / MS + (bucket + 1) * width);
    last.push(held);
    min.push(index === undefined ? held : least([history.min[index], before]));
    max.push(index === undefined ? held : greatest([history.max[index], before]));
  }
  return [times, last, min, max];
}

function least(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === "number");
  return known.length === 0 ? null : Math.min(...known);
}

function greatest(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === "number");
  return known.length === 0 ? null : Math.max(...known);
}

/** Colours come from the style sheet, so that dark and light are said once. */
export function chartOptions(
  element: HTMLElement,
  wording: Wording,
): Omit<uPlot.Options, "width" | "height"> {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--muted"),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  const step = uPlot.paths.stepped?.({ align: -1 });
  const line = { ...(step !== undefined && { paths: step }), points: { show: false } };
  return {
    legend: { show: false },
    cursor: { y: false },
    padding: [10, 6, 0, 0],
    axes: [
      { ...axis, values: (_, splits) => splits.map((at) => timeText(at, splits, wording)), space: 70 },
      { ...axis, values: (_, splits) => splits.map((value) => wording.number(value)), size: 44 },
    ],
    scales: { y: { range: (_, least, greatest) => padded(least, greatest) } },
    series: [
      {},
      { ...line, stroke: color("--lamp"), width: 2 },
      { ...line, width: 0 },
      { ...line, width: 0 },
    ],
    bands: [{ series: [3, 2], fill: color("--lamp-soft") }],
  };
}

/** Levels and switches show their whole range; anything else its own. */
function padded(least: number | null, greatest: number | null): [number, number] {
  const [low, high] = [least ?? 0, greatest ?? 1];
  if (low >= 0 && high <= 1) return [0, 1.05];
  if (low >= 0 && high <= 100) return [0, 104];
  const air = (high - low) * 0.08 || 1;
  return [low - air, high + air];
}

const DAY_S = 86_400;

function timeText(at: number, splits: readonly number[], { language }: Wording): string {
  const long = (splits.at(-1) ?? 0) - (splits[0] ?? 0) > 2 * DAY_S;
  const options: Intl.DateTimeFormatOptions = long
    ? { day: "2-digit", month: "short" }
    : { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language === "fr" ? "fr-FR" : "en-GB", options).format(at * MS);
}
