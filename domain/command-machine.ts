import { type CommandState, type CommandStateName, END_STATES, isEnd } from "./command.ts";
import { Millis } from "./time.ts";

/**
 * PROTOCOL §8's table as data. Each side may only make the moves of its own table; a verdict that arrives at
 * the center is a move of the center's table.
 */
const NO_MOVES: Readonly<Record<CommandStateName, readonly CommandStateName[]>> = {
  draft: [],
  "awaiting-approval": [],
  authorized: [],
  queued: [],
  sent: [],
  "outcome-pending": [],
  selected: [],
  executing: [],
  succeeded: [],
  failed: [],
  rejected: [],
  expired: [],
  cancelled: [],
  superseded: [],
  "outcome-unknown": [],
};

const CENTER_MOVES: Readonly<Record<CommandStateName, readonly CommandStateName[]>> = {
  ...NO_MOVES,
  draft: ["awaiting-approval", "authorized", "rejected"],
  "awaiting-approval": ["authorized", "expired", "cancelled"],
  authorized: ["queued", "rejected", "expired", "cancelled", "superseded", "outcome-unknown"],
  queued: ["authorized", "sent", "cancelled", "superseded", "expired", "rejected", "outcome-unknown"],
  sent: ["outcome-pending", "selected", "executing", ...END_STATES],
  "outcome-pending": ["selected", "executing", ...END_STATES],
  // Sent a second time, now to operate.
  selected: ["sent", "outcome-pending", "executing", ...END_STATES],
  executing: ["outcome-pending", ...END_STATES],
};

const GATEWAY_MOVES: Readonly<Record<CommandStateName, readonly CommandStateName[]>> = {
  ...NO_MOVES,
  draft: ["selected", "executing", "rejected", "expired", "superseded"],
  selected: ["executing", "rejected", "expired", "cancelled"],
  // Rejected and expired only where the field proves that nothing was written (the deadline check before the write).
  executing: ["succeeded", "failed", "outcome-unknown", "rejected", "expired"],
};

export type Side = "center" | "gateway";

/** Whether the side's table has this move. Every move of a command that is over is refused (I27). */
export function canMove(side: Side, from: CommandStateName, to: CommandStateName): boolean {
  return (side === "center" ? CENTER_MOVES : GATEWAY_MOVES)[from].includes(to);
}

/** `next`, if the side's table has the move. @throws {RangeError} if it lacks it: that is a bug, not a fault. */
export function advance(side: Side, from: CommandState, next: CommandState): CommandState {
  if (!canMove(side, from.name, next.name)) {
    throw new RangeError(`the ${side} can not move a command from ${from.name} to ${next.name}`);
  }
  return next;
}

/**
 * What a gateway's verdict makes of a command at the center. Judged in the command's own sync session it is
 * proof, whenever it arrives. A "no effect" judged in a later session proves nothing about the first delivery,
 * so it becomes `outcome-unknown` (PROTOCOL §8). Repeats and late progress of what is over change nothing.
 */
export function applyVerdict(
  current: CommandState,
  verdict: CommandState,
  judgedIn: { readonly session: string | null; readonly sentIn: string | null },
): CommandState {
  if (isEnd(current) || !canMove("center", current.name, verdict.name)) return current;
  // What was sent to operate was selected before: a late word of it takes nothing back.
  if (verdict.name === "selected" && !(current.name === "sent" && current.action === "select"))
    return current;
  const ownSession = judgedIn.session !== null && judgedIn.session === judgedIn.sentIn;
  if (ownSession || !claimsNoEffect(verdict)) return verdict;
  return {
    name: "outcome-unknown",
    evidence: {
      target: "",
      acknowledged: null,
      readBacks: [],
      took: Millis(0),
      detail: `the gateway judged it ${verdict.name} in a later sync session, which proves nothing of the first delivery`,
    },
  };
}

function claimsNoEffect(state: CommandState): boolean {
  return (
    state.name === "rejected" ||
    state.name === "expired" ||
    state.name === "superseded" ||
    state.name === "cancelled"
  );
}
