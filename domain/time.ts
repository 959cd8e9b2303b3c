import type { Branded } from "./branded.ts";

/** A point in time: milliseconds since 1970-01-01T00:00:00Z. Comes from a clock that may jump. */
export type Instant = Branded<number, "Instant">;
/** A length of time, in milliseconds. */
export type Millis = Branded<number, "Millis">;
/** Milliseconds on CLOCK_MONOTONIC (`process.hrtime`): comparable between processes of one boot, void after it. */
export type Uptime = Branded<number, "Uptime">;

export const Instant = (epochMs: number): Instant => epochMs as Instant;
export const Uptime = (ms: number): Uptime => ms as Uptime;
export const Millis = (count: number): Millis => count as Millis;
export const Seconds = (count: number): Millis => (count * 1_000) as Millis;
export const Minutes = (count: number): Millis => (count * 60_000) as Millis;
export const Hours = (count: number): Millis => (count * 3_600_000) as Millis;
export const Days = (count: number): Millis => (count * 86_400_000) as Millis;

/** The time from `earlier` to `later`; negative when they are the other way round. */
export const since = (earlier: Uptime, later: Uptime): Millis => (later - earlier) as Millis;
/** The uptime `duration` after `start`. */
export const after = (start: Uptime, duration: Millis): Uptime => (start + duration) as Uptime;

/** Cancels what {@link Clock.schedule} promised; harmless when it already ran. */
export type CancelTimer = () => void;

/**
 * The only source of time. No other module calls `Date.now`, `performance.now` or `setTimeout`.
 * Two clocks, because a street cabinet has no battery-backed RTC: it boots in 1970 and jumps
 * decades forward at the first NTP reply. Stamp with `now`; measure and time out with `uptime`.
 */
export interface Clock {
  now(): Instant;
  uptime(): Uptime;
  /** Resolves after `duration`; rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(duration: Millis, signal: AbortSignal): Promise<void>;
  /** Calls `callback` once after `duration`: for time-outs on hot paths, where a promise and a signal cost too much. */
  schedule(duration: Millis, callback: () => void): CancelTimer;
}

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$/;
const FACTOR: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `250 ms`, `2 s`, `15 min`, `2 h`, `35 d`. @throws {RangeError} for anything else. */
export function parseDuration(text: string): Millis {
  const match = DURATION.exec(text.trim());
  const factor = FACTOR[match?.[2] ?? ""];
  const duration = Number(match?.[1]) * (factor ?? Number.NaN);
  if (!Number.isFinite(duration)) {
    throw new RangeError(
      `duration ${JSON.stringify(text)} is not a number with ms, s, min, h or d, e.g. "90 s"`,
    );
  }
  return Millis(duration);
}
