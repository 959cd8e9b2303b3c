import type { CommandId, PointId } from "./ids.ts";
import type { CommandClass } from "./point.ts";
import type { PointValue } from "./reading.ts";
import type { Preview } from "./safety/preview.ts";
import type { Instant, Millis } from "./time.ts";

/** An order to bring one point to one value, or to run one action with arguments, at most once, before it is too late to be wanted. */
export interface Command {
  readonly id: CommandId;
  readonly pointId: PointId;
  readonly value: PointValue;
  readonly args: readonly PointValue[];
  readonly commandClass: CommandClass;
  /** Who answers for it: `operator/anna`, `scenario/dusk`, `crew/0042`. Shown in the audit. */
  readonly issuedBy: string;
  readonly state: CommandState;
}

/**
 * Where a command stands: PROTOCOL §8, one list for both sides. The ends differ in what an operator may assume:
 * `succeeded` it did it; `failed` it answered that it did not; `rejected expired cancelled superseded` nothing
 * touched it; `outcome-unknown` we asked and can not know. Never fold the last into another.
 */
export type CommandState =
  | { readonly name: "draft" }
  | { readonly name: "awaiting-approval"; readonly until: Instant }
  | { readonly name: "authorized" }
  | { readonly name: "queued" }
  /** `action` absent: a plain write. A hazardous command is sent twice: first to select, then to operate. */
  | { readonly name: "sent"; readonly session: string; readonly action?: "select" | "operate" }
  | {
      readonly name: "outcome-pending";
      readonly since: Instant;
      readonly why: "session-changed" | "no-verdict";
    }
  /** Held at the gateway for at most 5 s; nothing has moved. `preview`: what it read on the bus just then. */
  | { readonly name: "selected"; readonly preview: Preview }
  | { readonly name: "executing" }
  | { readonly name: "succeeded"; readonly evidence: Evidence }
  | { readonly name: "failed"; readonly evidence: Evidence }
  | { readonly name: "rejected"; readonly cause: RejectionCause; readonly detail: string }
  | { readonly name: "expired"; readonly where: "center" | "gateway"; readonly detail: string }
  | { readonly name: "cancelled"; readonly by: string }
  | { readonly name: "superseded"; readonly by: string }
  | { readonly name: "outcome-unknown"; readonly evidence: Evidence };
export type CommandStateName = CommandState["name"];

/** Why nothing touched the device. A cause is a row here; its message tells the operator what to do. */
export const REJECTION_CAUSES = {
  "unknown-point": "no such device or point on this gateway: check the name against `nerve devices`",
  "not-writable": "the profile makes this point read-only",
  "out-of-range": "the value is outside the range that the profile allows",
  "wrong-type": "the point takes another type of value",
  "bad-signature": "the order was not signed by the center's command authority",
  "wrong-gateway": "the order was signed for another gateway",
  unsupported: "the gateway does not know something the order marks as critical: update the gateway",
  offline: "the gateway has no live link, and this class of command never waits",
  "stale-link": "the link to the gateway is too old to prove freshness",
  blocked: "a lock-out, an interlock or a local override holds the point",
  "not-selected":
    "a hazardous point is operated only while its selection holds: look at the preview and give it again",
  "preview-changed":
    "it does not stand as the person who confirmed saw it: look at the preview and give it again",
  "not-permitted": "this principal may not command this point",
  "store-unavailable": "the gateway can not write its ledger, so it moves nothing: see `nerve status`",
  busy: "too many commands wait on this bus already: try again",
  "shutting-down": "the gateway is stopping",
} as const;
export type RejectionCause = keyof typeof REJECTION_CAUSES;

/** What was seen on the bus while the command was carried out: stored with its end and shown to the operator. */
export interface Evidence {
  /** The value asked for, in the point's unit. */
  readonly target: PointValue;
  /** Whether the device acknowledged the write; `null` when nothing came back. */
  readonly acknowledged: boolean | null;
  /** Every read-back point's last value, in order of members; `value` is null where none could be read. */
  readonly readBacks: readonly ReadBackEvidence[];
  /** From the first byte of the write to the decision. */
  readonly took: Millis;
  /** What decided, for people: `read back 40 % of 40 %`. */
  readonly detail: string;
}

export interface ReadBackEvidence {
  readonly pointId: PointId;
  /** Before the write, where it could be read. */
  readonly before: PointValue | null;
  readonly value: PointValue | null;
  readonly agrees: boolean;
  /** The fault that kept us from reading, with its code. */
  readonly fault?: string;
}

/** States that stay: only `outcome-unknown` may gain a resolved annotation (I27). */
export const END_STATES = [
  "succeeded",
  "failed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "outcome-unknown",
] as const satisfies readonly CommandStateName[];
export type EndStateName = (typeof END_STATES)[number];

/** Whether the command is over. */
export function isEnd(state: CommandState): state is Extract<CommandState, { name: EndStateName }> {
  return (END_STATES as readonly CommandStateName[]).includes(state.name);
}
