import type { CommandState, CommandStateName } from "../../domain/command.ts";
import type { PointValue } from "../../domain/reading.ts";
import { findWrongArgument, findWrongChoice } from "../../domain/safety/command-arguments.ts";
import { Millis } from "../../domain/time.ts";
import { unreachable } from "../../domain/unreachable.ts";
import { VERDICT_PATIENCE } from "./command-limits.ts";
import type { CommandablePoint, CommandRecord } from "./command-record.ts";
import {
  budgetOf,
  type Circumstances,
  expired,
  isPast,
  type LiveSession,
  move,
  rejected,
  type Step,
  WAIT,
} from "./dispatch-step.ts";
import { findStale, findUnsupported, fromSelected, fromSelecting } from "./selection-step.ts";

/** States in which a predecessor may have sent the command without our knowing (I37). */
const LEFT_BEFORE: ReadonlySet<CommandStateName> = new Set([
  "authorized",
  "queued",
  "sent",
  "selected",
  "executing",
  "outcome-pending",
]);

/**
 * The center's half of PROTOCOL §8 as a pure function: what comes next for one command. The caller performs it, durable
 * before it has any effect, and asks again. Verdicts are not decided here: see `applyVerdict`.
 */
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
      return circumstances.now >= state.until ? move(expired("no second person approved it in time")) : WAIT;
    case "authorized":
      return fromAuthorized(command, circumstances);
    case "queued":
      return fromQueued(command, circumstances);
    case "sent":
      return state.action === "select"
        ? fromSelecting(command, circumstances)
        : fromSent(command, circumstances);
    case "selected":
      return fromSelected(command, circumstances);
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
  command: Pick<CommandRecord, "gatewayId" | "pointId" | "value" | "args">,
  point: CommandablePoint | undefined,
): CommandState | undefined {
  const { pointId, gatewayId, value, args } = command;
  if (point === undefined) return rejected("unknown-point", `${gatewayId} has told of no point ${pointId}`);
  if (point.access === "read" || point.commandClass === null)
    return rejected("not-writable", `${pointId} can be read only`);
  const { type } = point;
  if (type === "action") {
    if (value !== true) return rejected("wrong-type", `${pointId} is run with the value true`);
    const wrong = point.args === undefined ? null : findWrongArgument(pointId, point.args, args);
    return wrong === null ? undefined : rejected(wrong.cause, wrong.detail);
  }
  return judgeValue(command, { ...point, type });
}

/** Of an order that brings a point to a value. */
function judgeValue(
  { pointId, value, args }: Pick<CommandRecord, "pointId" | "value" | "args">,
  point: CommandablePoint & { readonly type: "number" | "boolean" | "text" },
): CommandState | undefined {
  if (args.length > 0) return rejected("wrong-type", `${pointId} takes no arguments`);
  if (!hasType(value, point.type))
    return rejected("wrong-type", `${pointId} takes a ${point.type}, not ${JSON.stringify(value)}`);
  if (typeof value === "number" && point.range !== null && !isWithin(value, point.range)) {
    const { min, max } = point.range;
    return rejected("out-of-range", `${pointId} takes ${min} … ${max} ${point.unit}, not ${value}`);
  }
  const unlisted = findWrongChoice(pointId, point.oneOf, value);
  return unlisted === null ? undefined : rejected(unlisted.cause, unlisted.detail);
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
  const { link, age } = circumstances;
  if (isPast(command, age)) return move(expired("it was never sent: no live link while it was wanted"));
  const refusal = refusalNow(command, link);
  if (refusal !== undefined) return move(refusal);
  return link === null ? WAIT : move({ name: "queued" });
}

function fromQueued(command: CommandRecord, { link, age }: Circumstances): Step {
  if (isPast(command, age))
    return move(expired("it was never sent: no fresh token came while it was wanted"));
  const refusal = refusalNow(command, link);
  if (refusal !== undefined) return move(refusal);
  if (link === null) return move({ name: "authorized" });
  const budget = budgetOf(command, age);
  // With a token older than the budget the gateway could only refuse: a fresh one comes every 5 s.
  if (link.tokenAge >= budget) return WAIT;
  const action = command.commandClass === "K3" ? "select" : "write";
  return { kind: "send", action, session: link.session, token: link.token, budget };
}

/** Why the order can not leave over this link, ever. K2 and K3 have no waiting room (I28). */
function refusalNow(command: CommandRecord, link: LiveSession | null): CommandState | undefined {
  const { commandClass, confirmed } = command;
  if (commandClass === "K1") return findUnsupported(command, link);
  if (link === null)
    return rejected("offline", "the gateway has no live link, and this class of command never waits");
  if (commandClass !== "K3") return findUnsupported(command, link);
  const stale = findStale(link) ?? findUnsupported(command, link);
  if (stale !== undefined || confirmed !== null) return stale;
  return rejected("preview-changed", "nobody confirmed a preview of it: look at the preview first");
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
