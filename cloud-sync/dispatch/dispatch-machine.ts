import type { CommandState, CommandStateName, RejectionCause } from "../../domain/command.ts";
import type { PointValue } from "../../domain/reading.ts";
import { type Instant, Millis } from "../../domain/time.ts";
import { unreachable } from "../../domain/unreachable.ts";
import { K1_BUDGET_MAX, K3_TOKEN_AGE_MAX, VERDICT_PATIENCE } from "./command-limits.ts";
import type { CommandablePoint, CommandRecord } from "./command-record.ts";

/**
 * The center's half of PROTOCOL §8 as a pure function: what comes next for one command. The caller performs it, durable
 * before it has any effect, and asks again. Verdicts are not decided here: see `applyVerdict`.
 */
export type Step =
  | { readonly kind: "wait" }
  | { readonly kind: "move"; readonly to: CommandState }
  /** Signed with the link's newest token; SENT is durable before the bytes leave. */
  | { readonly kind: "send"; readonly session: string; readonly token: string; readonly budget: Millis };

/** The gateway's live sync session, with an open downlink and a token. */
export interface LiveSession {
  readonly session: string;
  readonly token: string;
  /** Since the center received it, on the monotonic clock. */
  readonly tokenAge: Millis;
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
}

const WAIT: Step = { kind: "wait" };
/** States in which a predecessor may have sent the command without our knowing (I37). */
const LEFT_BEFORE: ReadonlySet<CommandStateName> = new Set([
  "authorized",
  "queued",
  "sent",
  "selected",
  "executing",
  "outcome-pending",
]);

export function decideNext(command: CommandRecord, circumstances: Circumstances): Step {
  const { state } = command;
  if (command.origin === "local") return WAIT;
  const { generation } = circumstances;
  if (command.generation < generation && LEFT_BEFORE.has(state.name)) return fromBefore(command, generation);
  switch (state.name) {
    case "draft":
      return move(judgeOrder(command, circumstances.point) ?? { name: "authorized" });
    case "awaiting-approval":
      // Approvals come with a later issue; nothing puts a command here yet, and none stays.
      return circumstances.now >= state.until ? expired("no second person approved it in time") : WAIT;
    case "authorized":
      return fromAuthorized(command, circumstances);
    case "queued":
      return fromQueued(command, circumstances);
    case "sent":
    case "selected":
    case "executing":
      return fromSent(command, circumstances);
    case "outcome-pending":
      return fromPending(command, circumstances);
    case "succeeded":
    case "failed":
    case "rejected":
    case "expired":
    case "cancelled":
    case "superseded":
    case "outcome-unknown":
      return WAIT;
    default:
      return unreachable(state);
  }
}

/** Why the order can not be carried out as it stands; the gateway checks all of it again. */
export function judgeOrder(
  command: Pick<CommandRecord, "gatewayId" | "pointId" | "value">,
  point: CommandablePoint | undefined,
): CommandState | undefined {
  const { pointId, gatewayId, value } = command;
  if (point === undefined) return rejected("unknown-point", `${gatewayId} has told of no point ${pointId}`);
  if (point.access === "read" || point.commandClass === null)
    return rejected("not-writable", `${pointId} can be read only`);
  if (point.type === "action") return rejected("unsupported", `${pointId} is an action, not a value to set`);
  if (!hasType(value, point.type))
    return rejected("wrong-type", `${pointId} takes a ${point.type}, not ${JSON.stringify(value)}`);
  if (typeof value === "number" && point.range !== null && !isWithin(value, point.range)) {
    const { min, max } = point.range;
    return rejected("out-of-range", `${pointId} takes ${min} … ${max} ${point.unit}, not ${value}`);
  }
  return undefined;
}

function hasType(value: PointValue, type: "number" | "boolean" | "text"): boolean {
  return typeof value === (type === "text" ? "string" : type);
}

function isWithin(value: number, range: { readonly min: number; readonly max: number }): boolean {
  return value >= range.min && value <= range.max;
}

/** A restored center can not know what its predecessor sent. */
function fromBefore({ generation, value }: CommandRecord, present: number): Step {
  const detail = `the center was restored: generation ${present} can not know what generation ${generation} sent`;
  return unknown(value, detail);
}

function fromAuthorized(command: CommandRecord, circumstances: Circumstances): Step {
  const { commandClass } = command;
  const { link, age } = circumstances;
  if (isPast(command, age)) return expired("it was never sent: no live link while it was wanted");
  if (commandClass === "K1") return link === null ? WAIT : move({ name: "queued" });
  return refuseHazardous(command, link) ?? move({ name: "queued" });
}

function fromQueued(command: CommandRecord, { link, age }: Circumstances): Step {
  if (isPast(command, age)) return expired("it was never sent: no fresh token came while it was wanted");
  if (command.commandClass === "K1") {
    return link === null ? move({ name: "authorized" }) : sendWithin(link, budgetOf(command, age));
  }
  return refuseHazardous(command, link) ?? sendWithin(link, budgetOf(command, age));
}

/** K2 and K3 have no waiting room (I28). */
function refuseHazardous({ commandClass }: CommandRecord, link: LiveSession | null): Step | undefined {
  if (link === null)
    return move(rejected("offline", "the gateway has no live link, and this class of command never waits"));
  if (commandClass !== "K3") return undefined;
  if (link.tokenAge > K3_TOKEN_AGE_MAX) {
    const seconds = Math.round(link.tokenAge / 1_000);
    return move(
      rejected("stale-link", `the newest sign of life is ${seconds} s old, at most 7 s is allowed`),
    );
  }
  return move(
    rejected(
      "unsupported",
      "this center can not yet select before it operates, which a hazardous point needs: command it at the cabinet",
    ),
  );
}

/** With a token older than the budget the gateway could only refuse: a fresh one comes every 5 s. */
function sendWithin(link: LiveSession | null, budget: Millis): Step {
  if (link === null || link.tokenAge >= budget) return WAIT;
  return { kind: "send", session: link.session, token: link.token, budget };
}

/** Token age at the gateway bounds the time since sending; this bounds the time before it (PROTOCOL §8, I21). */
function budgetOf({ ttl, commandClass }: CommandRecord, age: Millis): Millis {
  const left = Math.floor((ttl ?? 0) - age);
  return Millis(commandClass === "K1" ? Math.min(left, K1_BUDGET_MAX) : left);
}

function isPast({ ttl }: CommandRecord, age: Millis): boolean {
  return Math.floor((ttl ?? 0) - age) < 1;
}

function fromSent(command: CommandRecord, circumstances: Circumstances): Step {
  const { session, now, sentFor } = circumstances;
  const { sent, state } = command;
  if (session !== null && session !== sent?.session)
    return move({ name: "outcome-pending", since: now, why: "session-changed" });
  // What the gateway is known to be doing is given the time of an operation on top.
  const patience = state.name === "sent" ? 0 : VERDICT_PATIENCE;
  const past = (sentFor ?? 0) > (sent?.budget ?? 0) + patience;
  return past ? move({ name: "outcome-pending", since: now, why: "no-verdict" }) : WAIT;
}

/** A set-point is never re-sent: a newer command, or the operator, brings the point to where it should be. */
function fromPending({ sent, value }: CommandRecord, { toldAllAfter }: Circumstances): Step {
  if (toldAllAfter === null || toldAllAfter <= (sent?.budget ?? 0) + VERDICT_PATIENCE) return WAIT;
  return unknown(
    value,
    "the gateway has told all its evidence since, and none of this command: it may never have arrived",
  );
}

function unknown(target: PointValue, detail: string): Step {
  const evidence = { target, acknowledged: null, readBacks: [], took: Millis(0), detail };
  return move({ name: "outcome-unknown", evidence });
}

function expired(detail: string): Step {
  return move({ name: "expired", where: "center", detail });
}

function rejected(cause: RejectionCause, detail: string): CommandState {
  return { name: "rejected", cause, detail };
}

function move(to: CommandState): Step {
  return { kind: "move", to };
}
