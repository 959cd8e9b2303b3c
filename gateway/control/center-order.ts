import type { KeyObject } from "node:crypto";
import type { CommandState } from "../../domain/command.ts";
import type { GatewayId } from "../../domain/ids.ts";
import { after, Millis, since, type Uptime } from "../../domain/time.ts";
import { type CommandFrame, isCommandSignatureValid } from "../../domain/wire/downlink.ts";
import { expired, rejected } from "./command-ends.ts";
import type { TokenFreshness } from "./control.ts";

/** What an order from the center is judged by, beside the point itself. */
export interface OrderCircumstances {
  readonly gatewayId: GatewayId;
  /** `null`: this gateway has no center. */
  readonly freshness: TokenFreshness | null;
  /** `null`: not enrolled; nothing can be verified. */
  readonly commandKey: KeyObject | null;
  readonly now: Uptime;
}

/** Why nothing may come of the order, or until when it may be acted upon. Pure but for the token lookup. */
export function judgeCenterOrder(
  frame: CommandFrame,
  circumstances: OrderCircumstances,
): CommandState | { readonly deadline: Uptime } {
  return authorityFault(frame, circumstances) ?? judgeFreshness(frame, circumstances);
}

function authorityFault(
  frame: CommandFrame,
  { gatewayId, commandKey }: OrderCircumstances,
): CommandState | null {
  if (commandKey === null || !isCommandSignatureValid(frame, commandKey))
    return rejected("bad-signature", "the signature does not match the order");
  if (frame.gatewayId !== gatewayId) return rejected("wrong-gateway", `signed for ${frame.gatewayId}`);
  const unknown = findUnsupported(frame);
  return unknown === undefined ? null : rejected("unsupported", unknown);
}

function findUnsupported({ crit, action, commandClass }: CommandFrame): string | undefined {
  if (crit[0] !== undefined) return `this gateway does not know ${JSON.stringify(crit[0])}`;
  // PROTOCOL §8: a hazardous point is selected before it is operated, and a plain write skips that.
  if (commandClass === "K3" && action === "write")
    return "a hazardous point must be selected before it is operated";
  return commandClass !== "K3" && action !== "write"
    ? `an order of ${commandClass} is not selected`
    : undefined;
}

/** What an order of the class may live at most, whatever its budget says (PROTOCOL §8). */
const BUDGET_MAX_MS = { K1: 86_400_000, K2: 60_000, K3: 30_000 } as const;

/** PROTOCOL §8, freshness rule: age since the token was minted bounds the time since sending, whatever the clocks say. */
function judgeFreshness(
  frame: CommandFrame,
  { freshness, now }: OrderCircumstances,
): CommandState | { readonly deadline: Uptime } {
  if (freshness === null || freshness.currentSession() !== frame.session)
    return expired(`sync session ${frame.session} is not current`);
  const minted = freshness.mintedAt(frame.token, frame.session);
  if (minted === undefined) return expired("its token is no longer known here");
  const age = since(minted, now);
  const budget = Millis(Math.min(frame.budgetMs, BUDGET_MAX_MS[frame.commandClass]));
  if (age <= budget) return { deadline: after(minted, budget) };
  return expired(`its token is ${Math.round(age)} ms old, its budget ${budget} ms`);
}
