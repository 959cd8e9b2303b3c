import { fullJitter } from "../../domain/backoff.ts";
import type { RandomSource } from "../../domain/random.ts";
import { after, Millis, since, type Uptime } from "../../domain/time.ts";
import { unreachable } from "../../domain/unreachable.ts";
import { HEARTBEAT_INTERVAL, HEARTBEATS_MISSED_MAX } from "../../domain/wire/heartbeat.ts";
import type { Welcome } from "../../domain/wire/hello.ts";
import type { TransportFaultCode } from "./center-transport.ts";

/**
 * The gateway's half of a sync session as a pure machine (PROTOCOL §2, §3): HELLO, the session's first use by a
 * heartbeat, CATALOGUE if the center lacks it, the state snapshot, then lanes until something ends it. The caller
 * performs the effects and tells their ends as inputs.
 */
export type SessionState =
  | { readonly phase: "waiting"; readonly until: Uptime; readonly failures: number }
  | { readonly phase: "greeting"; readonly failures: number }
  | ({ readonly phase: "telling-catalogue" | "telling-snapshot" | "live" } & OpenSession);

interface OpenSession {
  readonly welcome: Welcome;
  readonly failures: number;
  /** Anything the center sent on the downlink. */
  readonly heardAt: Uptime;
  readonly nextHeartbeat: Uptime;
  readonly health: "good" | "degraded";
}

export type SessionInput =
  | { readonly kind: "tick" }
  | { readonly kind: "welcome"; readonly welcome: Welcome; readonly catalogueHash: string }
  | { readonly kind: "catalogue-told" }
  | { readonly kind: "snapshot-told" }
  | { readonly kind: "heard" }
  | { readonly kind: "broken"; readonly code: TransportFaultCode; readonly detail: string };

export type SessionEffect =
  | { readonly kind: "hello" }
  /** Tokens are minted from now on; the downlink is opened. */
  | { readonly kind: "open"; readonly welcome: Welcome }
  | { readonly kind: "heartbeat" }
  | { readonly kind: "tell-catalogue" }
  | { readonly kind: "tell-snapshot" }
  /** Lanes may flow. */
  | { readonly kind: "go-live" }
  | { readonly kind: "link"; readonly state: "up" | "degraded" | "down"; readonly detail: string }
  /** Everything in flight is abandoned, tokens are void. */
  | { readonly kind: "close"; readonly detail: string };

export interface SessionCircumstances {
  readonly now: Uptime;
  readonly random: RandomSource;
  /** Reconnect bounds: full jitter in 0 … min, doubling to max. */
  readonly reconnect: { readonly min: Millis; readonly max: Millis };
}

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

const SILENCE_MAX = Millis(HEARTBEAT_INTERVAL * HEARTBEATS_MISSED_MAX);
const SILENCE_DEGRADED = Millis(HEARTBEAT_INTERVAL * 1.5);

/** Where a gateway that was just started stands: it says HELLO at the first tick. */
export const SESSION_START: SessionState = { phase: "waiting", until: 0 as Uptime, failures: 0 };

export function stepSession(
  state: SessionState,
  input: SessionInput,
  circumstances: SessionCircumstances,
): SessionStep {
  if (input.kind === "broken") return broken(state, input, circumstances);
  switch (state.phase) {
    case "waiting":
      if (input.kind !== "tick" || circumstances.now < state.until) return stay(state);
      return { state: { phase: "greeting", failures: state.failures }, effects: [{ kind: "hello" }] };
    case "greeting":
      return input.kind === "welcome" ? welcomed(state, input, circumstances) : stay(state);
    case "telling-catalogue":
    case "telling-snapshot":
    case "live":
      return stepOpen(state, input, circumstances);
    default:
      return unreachable(state);
  }
}

/** When the machine wants its next tick. */
export function nextTick(state: SessionState, now: Uptime): Millis {
  switch (state.phase) {
    case "waiting":
      return Millis(Math.max(0, since(now, state.until)));
    case "greeting":
      return HEARTBEAT_INTERVAL;
    default:
      return Millis(
        Math.max(0, Math.min(since(now, state.nextHeartbeat), since(now, after(state.heardAt, SILENCE_MAX)))),
      );
  }
}

function welcomed(
  state: { readonly failures: number },
  input: Extract<SessionInput, { kind: "welcome" }>,
  { now }: SessionCircumstances,
): SessionStep {
  const knows = input.welcome.catalogueHash === input.catalogueHash;
  const open: OpenSession = {
    welcome: input.welcome,
    failures: state.failures,
    heardAt: now,
    nextHeartbeat: after(now, HEARTBEAT_INTERVAL),
    health: "good",
  };
  return {
    state: { phase: knows ? "telling-snapshot" : "telling-catalogue", ...open },
    effects: [
      { kind: "open", welcome: input.welcome },
      // The first use makes the session current at the center.
      { kind: "heartbeat" },
      { kind: knows ? "tell-snapshot" : "tell-catalogue" },
    ],
  };
}

function stepOpen(
  state: Extract<SessionState, OpenSession>,
  input: Exclude<SessionInput, { kind: "broken" }>,
  circumstances: SessionCircumstances,
): SessionStep {
  switch (input.kind) {
    case "catalogue-told":
      if (state.phase !== "telling-catalogue") return stay(state);
      return { state: { ...state, phase: "telling-snapshot" }, effects: [{ kind: "tell-snapshot" }] };
    case "snapshot-told":
      if (state.phase !== "telling-snapshot") return stay(state);
      return {
        state: { ...state, phase: "live", failures: 0 },
        effects: [
          { kind: "link", state: "up", detail: `sync session ${state.welcome.session}` },
          { kind: "go-live" },
        ],
      };
    case "heard":
      return heard(state, circumstances.now);
    case "tick":
      return ticked(state, circumstances);
    case "welcome":
      return stay(state);
    default:
      return unreachable(input);
  }
}

function heard(state: Extract<SessionState, OpenSession>, now: Uptime): SessionStep {
  const recovered = state.health === "degraded" && state.phase === "live";
  return {
    state: { ...state, heardAt: now, health: "good" },
    effects: recovered ? [{ kind: "link", state: "up", detail: "the center is heard again" }] : [],
  };
}

function ticked(state: Extract<SessionState, OpenSession>, circumstances: SessionCircumstances): SessionStep {
  const { now } = circumstances;
  const silence = since(state.heardAt, now);
  if (silence >= SILENCE_MAX) {
    const detail = `nothing heard of the center for ${Math.round(silence / 1_000)} s`;
    return broken(state, { kind: "broken", code: "unreachable", detail }, circumstances);
  }
  const effects: SessionEffect[] = [];
  let next = state;
  if (now >= state.nextHeartbeat) {
    effects.push({ kind: "heartbeat" });
    next = { ...next, nextHeartbeat: after(now, HEARTBEAT_INTERVAL) };
  }
  if (silence >= SILENCE_DEGRADED && state.health === "good" && state.phase === "live") {
    effects.push({ kind: "link", state: "degraded", detail: "a heartbeat of the center is missing" });
    next = { ...next, health: "degraded" };
  }
  return { state: next, effects };
}

function broken(
  state: SessionState,
  { code, detail }: Extract<SessionInput, { kind: "broken" }>,
  { now, random, reconnect }: SessionCircumstances,
): SessionStep {
  if (state.phase === "waiting") return stay(state);
  const failures = state.failures + 1;
  // Where the center itself asks for a new HELLO there is nothing to wait for, but never in a tight loop.
  const prompt = code === "rehello" && state.failures === 0;
  const wait = prompt ? Millis(random.next() * 1_000) : fullJitter(failures, reconnect, random);
  const effects: SessionEffect[] = [{ kind: "close", detail }];
  if (state.phase === "live") effects.push({ kind: "link", state: "down", detail });
  return { state: { phase: "waiting", until: after(now, wait), failures }, effects };
}

function stay(state: SessionState): SessionStep {
  return { state, effects: [] };
}
