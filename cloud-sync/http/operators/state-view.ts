import { z } from "zod";
import { isBad } from "../../../domain/quality.ts";
import { type Instant, type Millis, Seconds, since, type Uptime } from "../../../domain/time.ts";
import { HEARTBEAT_LATE } from "../../../domain/wire/heartbeat.ts";
import type { LinkStateName } from "../../store/tables/links.ts";
import type { PointState } from "../../store/tables/point-states.ts";

/** A point as operators see it: never a value without its quality and age. */
export const stateView = z.object({
  gatewayId: z.string(),
  pointId: z.string(),
  value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
  unit: z.string().nullable(),
  /** What it is worth now: good only while the link lives and the value is young enough. */
  quality: z.string(),
  cause: z.string(),
  /** `read`: an operator had it read on the bus since it was told or confirmed. */
  source: z.enum(["told", "read"]),
  /** As the gateway told it. */
  toldQuality: z.string(),
  sourceTimestampMs: z.number().nullable(),
  gatewayTimestampMs: z.number(),
  /** For how long nobody has confirmed the value; null: the center can not tell. */
  confirmedAgeMs: z.number().nullable(),
  maxAgeMs: z.number().nullable(),
  sweep: z.number().nullable(),
  link: z.enum(["up", "degraded", "down"]),
});
export type StateView = z.infer<typeof stateView>;

/** A reading younger than this before now: the error of a corrected time (I19). Younger still, a clock was set and proves nothing. */
const CLOCK_TOLERANCE = Seconds(5);

/** What the center knows of the gateway's link while it looks. */
export interface LinkKnowledge {
  readonly state: LinkStateName;
  /** When each poll sweep was last complete. */
  readonly sweeps: ReadonlyMap<number, Uptime>;
  /** The gateway's own clock and when it told it: maps its timestamps where nothing better is known. */
  readonly clock: { readonly gatewayNow: Instant; readonly heardAt: Instant } | null;
}

export interface Now {
  readonly now: Instant;
  readonly uptime: Uptime;
}

/** A value that was true when it was told is not "good" because nobody has contradicted it since. */
export function viewState(state: PointState, link: LinkKnowledge, at: Now): StateView {
  const age = confirmedAge(state, link, at);
  const { quality, cause } = worth(state, link, age);
  return {
    gatewayId: state.gatewayId,
    pointId: state.pointId,
    value: state.value,
    unit: state.unit,
    quality,
    cause,
    source: "told",
    toldQuality: state.quality,
    sourceTimestampMs: state.sourceAt,
    gatewayTimestampMs: state.gatewayAt,
    confirmedAgeMs: age,
    maxAgeMs: state.maxAgeMs,
    sweep: state.sweep,
    link: link.state,
  };
}

/** A finding of a read that an operator asked for, where it is younger than what the gateway told or confirmed. */
export function withFreshFinding(
  state: StateView,
  fresh: (Pick<StateView, "value" | "quality" | "cause"> & { readonly age: Millis }) | undefined,
): StateView {
  if (fresh === undefined || state.link === "down") return state;
  const { value, quality, cause, age } = fresh;
  const isYounger = state.confirmedAgeMs === null || age < state.confirmedAgeMs;
  const isYoung = state.maxAgeMs === null || state.maxAgeMs === 0 || !isTooOld(age, state.maxAgeMs);
  if (!isYounger || !isYoung) return state;
  return { ...state, value, quality, cause, source: "read", confirmedAgeMs: Math.round(age) };
}

function worth(
  state: PointState,
  link: LinkKnowledge,
  age: number | null,
): { readonly quality: string; readonly cause: string } {
  const told = { quality: state.quality, cause: state.cause };
  if (isBad(state.quality)) return told;
  const doubt = doubtOf(state, link, age);
  return doubt === undefined ? told : { quality: "uncertain/last-usable-value", cause: doubt };
}

function doubtOf(
  { maxAgeMs }: PointState,
  link: LinkKnowledge,
  age: number | null,
): "link-down" | "age-unknown" | "too-old" | undefined {
  if (link.state === "down") return "link-down";
  if (maxAgeMs === null || maxAgeMs === 0) return undefined;
  if (age === null) return "age-unknown";
  return isTooOld(age, maxAgeMs) ? "too-old" : undefined;
}

/** The gateway alone knows an age to the millisecond, and it alone rests an interlock on it. */
function isTooOld(age: number, maxAgeMs: number): boolean {
  return age > maxAgeMs + HEARTBEAT_LATE;
}

/** The younger of the reading itself and the sweep that found it unchanged since. */
function confirmedAge(state: PointState, link: LinkKnowledge, at: Now): number | null {
  const swept = state.sweep === null ? undefined : link.sweeps.get(state.sweep);
  const ages = [readingAge(state, link, at), swept === undefined ? null : since(swept, at.uptime)];
  const usable = ages
    .filter((age) => age !== null && age >= -CLOCK_TOLERANCE)
    .map((age) => Math.max(0, age ?? 0));
  return usable.length === 0 ? null : Math.round(Math.min(...usable));
}

/** By the corrected time; where there is none, by the gateway's own clock as it last told it. */
function readingAge(state: PointState, { clock }: LinkKnowledge, at: Now): number | null {
  if (state.correctedAt !== null) return at.now - state.correctedAt;
  return clock === null ? null : clock.gatewayNow - state.gatewayAt + (at.now - clock.heardAt);
}
