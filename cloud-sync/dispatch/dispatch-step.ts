import type { CommandState, RejectionCause } from "../../domain/command.ts";
import { type Instant, Millis } from "../../domain/time.ts";
import { K1_BUDGET_MAX } from "./command-limits.ts";
import type { CommandablePoint, CommandRecord } from "./command-record.ts";

/** What comes next for a command of the center. */
export type Step =
  | { readonly kind: "wait" }
  | { readonly kind: "move"; readonly to: CommandState }
  /** Signed with the link's newest token; SENT is durable before the bytes leave. */
  | {
      readonly kind: "send";
      readonly action: "write" | "select" | "operate";
      readonly session: string;
      readonly token: string;
      readonly budget: Millis;
    };

/** The gateway's live sync session, with an open downlink and a token. */
export interface LiveSession {
  readonly session: string;
  readonly token: string;
  /** Since the center received it, on the monotonic clock. */
  readonly tokenAge: Millis;
  /** What kinds of orders the gateway announced in its HELLO; no other is sent (PROTOCOL §7). */
  readonly actions: readonly string[];
}

export interface Circumstances {
  readonly generation: number;
  readonly now: Instant;
  /** Undefined: no such point on that gateway, or no such gateway. Only asked for a draft. */
  readonly point: CommandablePoint | undefined;
  /** Null: there is none that could carry an order. */
  readonly link: LiveSession | null;
  /** Current sync session, whether or not it could carry an order; null: none in this process yet. */
  readonly session: string | null;
  /** Time since AUTHORIZED; the greater one where the clocks disagree. 0 for a draft. */
  readonly age: Millis;
  /** Time since SENT at which the gateway last said that all its evidence is told; null: it did not since. */
  readonly toldAllAfter: Millis | null;
  /** Time since SENT, monotonic; null when not sent. */
  readonly sentFor: Millis | null;
  /** Time since the center heard that the point is selected, monotonic; null when it did not. */
  readonly selectedFor: Millis | null;
}

export const WAIT: Step = { kind: "wait" };

export function move(to: CommandState): Step {
  return { kind: "move", to };
}

export function expired(detail: string): CommandState {
  return { name: "expired", where: "center", detail };
}

export function rejected(cause: RejectionCause, detail: string): CommandState {
  return { name: "rejected", cause, detail };
}

/** Token age at the gateway bounds the time since sending; this bounds the time before it (PROTOCOL §8, I21). */
export function budgetOf({ ttl, commandClass }: CommandRecord, age: Millis): Millis {
  const left = Math.floor((ttl ?? 0) - age);
  return Millis(commandClass === "K1" ? Math.min(left, K1_BUDGET_MAX) : left);
}

/** Whether nothing is left of its life. */
export function isPast({ ttl }: CommandRecord, age: Millis): boolean {
  return Math.floor((ttl ?? 0) - age) < 1;
}
