import { sunElevation } from "../simulators/sky/sun.ts";

/** For the simulators' configuration. `startsAt`: as an ISO time; absent: now. */
export interface CitySky {
  readonly startsAt?: string;
  /** Seconds of the sky in one second, 1..3600. */
  readonly speed: number;
}

export const SKY_FORMS = "now, dusk, dawn, off or a time of day in Dijon like 22:30";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** Heights of the sun in degrees: just before the first lamp lights, and before the first goes out. */
const BEFORE_DUSK = -2;
const BEFORE_DAWN = -5.5;

/** @param nowMs since 1970. Null: no sun, lamps stay as they are told. @throws {RangeError} for what is no such word or time */
export function parseSkyOption(text: string, speed: number, nowMs: number): CitySky | null {
  if (text === "off") return null;
  if (text === "now") return { speed };
  const startsAtMs = startOf(text, nowMs);
  if (startsAtMs === undefined) throw new RangeError(`--sky takes ${SKY_FORMS}, not ${JSON.stringify(text)}`);
  return { startsAt: new Date(startsAtMs).toISOString(), speed };
}

function startOf(text: string, nowMs: number): number | undefined {
  if (text === "dusk") return nextMinute(nowMs, (ms) => crosses(ms, BEFORE_DUSK) === "down");
  if (text === "dawn") return nextMinute(nowMs, (ms) => crosses(ms, BEFORE_DAWN) === "up");
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return undefined;
  return nextMinute(nowMs, (ms) => timeOfDay(ms) === text);
}

/** The first full minute from now on, within a day and an hour that daylight saving may take, for which it is so. */
function nextMinute(nowMs: number, isIt: (ms: number) => boolean): number | undefined {
  const first = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
  for (let ms = first; ms <= first + DAY_MS + 60 * MINUTE_MS; ms += MINUTE_MS) if (isIt(ms)) return ms;
  return undefined;
}

function crosses(ms: number, degrees: number): "up" | "down" | "not" {
  const [before, after] = [sunElevation(ms), sunElevation(ms + MINUTE_MS)];
  if (before >= degrees && after < degrees) return "down";
  return before <= degrees && after > degrees ? "up" : "not";
}

const DIJON_TIME = new Intl.DateTimeFormat("fr-FR", {
  timeZone: "Europe/Paris",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function timeOfDay(ms: number): string {
  return DIJON_TIME.format(ms);
}
