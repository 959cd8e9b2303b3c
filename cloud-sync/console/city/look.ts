import { BAD_FROM } from "../api/answers.ts";

/**
 * How a place looks on the map, in the order in which it is painted: what needs a person lies on top. Each has its own
 * form or brightness, so that colour is never the only sign.
 */
export const LOOKS = [
  "unknown",
  "off",
  "present",
  "active",
  "level-1",
  "level-2",
  "level-3",
  "level-4",
  "level-5",
  "old",
  "silent",
  "alarm",
] as const;
export type LookName = (typeof LOOKS)[number];

export const LOOK = Object.fromEntries(LOOKS.map((name, code) => [name, code])) as Readonly<
  Record<LookName, number>
>;

/** Classes whose level is light; of all others it only says whether there is something to see. */
const LIT: readonly string[] = ["streetlight", "segment-cabinet"];

export type LevelMeaning = "light" | "activity";

export function levelMeaning(deviceClass: string): LevelMeaning {
  return LIT.includes(deviceClass) ? "light" : "activity";
}

export interface PlaceFacts {
  readonly meaning: LevelMeaning;
  /** 0 … 100; -1: none. */
  readonly level: number;
  /** Code of a quality; -1: never told. */
  readonly quality: number;
  /** 1: a point that means trouble is true. */
  readonly alarm: number;
  /** Ms since somebody confirmed it; Infinity: never. */
  readonly age: number;
  /** Ms; 0: never old. */
  readonly maxAge: number;
  readonly link: "up" | "degraded" | "down";
}

const LEVEL_STEP = 20;
const LEVEL_STEPS = 5;

/**
 * What confirms a value comes with the gateways' heartbeats, one in 5 s and late after 8: by so much its age may grow past
 * what its class allows without anything being wrong (domain/wire/heartbeat.ts).
 */
export const HEARTBEAT_LATE_MS = 8_000;

/** Times in ms; `maxAge` 0: never old. */
export function isTooOld({ age, maxAge }: Pick<PlaceFacts, "age" | "maxAge">): boolean {
  return maxAge > 0 && age > maxAge + HEARTBEAT_LATE_MS;
}

/** Without a link nothing is known, whatever was told before; what is too old is never shown as fine. */
export function lookOf(facts: PlaceFacts): number {
  if (facts.link === "down" || facts.quality === -1) return LOOK.unknown;
  if (isTooOld(facts)) return LOOK.old;
  if (facts.alarm === 1) return LOOK.alarm;
  if (facts.quality >= BAD_FROM) return LOOK.silent;
  if (facts.level < 0) return LOOK.present;
  if (facts.meaning === "activity") return facts.level === 0 ? LOOK.present : LOOK.active;
  if (facts.level === 0) return LOOK.off;
  return LOOK["level-1"] + Math.min(LEVEL_STEPS, Math.ceil(facts.level / LEVEL_STEP)) - 1;
}
