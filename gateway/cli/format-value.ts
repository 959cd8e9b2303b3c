import type { Quality } from "../../domain/quality.ts";
import type { PointValue } from "../../domain/reading.ts";

/** Figures of a number that people see; JSON has them all. */
const DIGITS = 6;

/** `40 %`, `true`, `–` for no value; the unit `1` of a bare number is left out. */
export function formatValue(value: PointValue | null, unit: string | null): string {
  if (value === null) return "–";
  if (typeof value !== "number") return String(value);
  const number = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(DIGITS)));
  return unit === null || unit === "1" ? number : `${number} ${unit}`;
}

/** `1.2 s`, `45 s`, `12 min`, `5 h`, `3 d`. */
export function formatSpan(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 1) return `${Math.round(ms)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `1.2 s ago`, `never read`, and `old` where it is older than its profile allows. */
export function formatAge(point: {
  readonly ageMs: number | null;
  readonly isOld: boolean;
  readonly gatewayTimestamp: string | null;
}): string {
  if (point.gatewayTimestamp === null) return "never read";
  if (point.ageMs === null) return "age unknown, old";
  return `${formatSpan(point.ageMs)} ago${point.isOld ? ", old" : ""}`;
}

/** The cause belongs to a quality that is not good. */
export function formatQuality(quality: Quality, cause: string): string {
  return cause === "none" ? quality : `${quality} (${cause})`;
}

/** `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let at = 0;
  while (size >= 1_000 && at < units.length - 1) {
    size /= 1_000;
    at += 1;
  }
  return `${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[at]}`;
}
