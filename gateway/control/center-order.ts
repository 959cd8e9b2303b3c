import type { KeyObject } from "node:crypto";
import type { CommandState } from "../../domain/command.ts";
import type { GatewayId } from "../../domain/ids.ts";
import { after, Millis, since, type Uptime } from "../../domain/time.ts";
import { type CommandFrame, isCommandSignatureValid } from "../../domain/wire/downlink.ts";
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
  if (commandKey === null || !isCommandSignatureValid(frame, commandKey)) {
    return { name: "rejected", cause: "bad-signature", detail: "the signature does not match the order" };
  }
  if (frame.gatewayId !== gatewayId) {
    return { name: "rejected", cause: "wrong-gateway", detail: `signed for ${frame.gatewayId}` };
  }
  const unknown = findUnsupported(frame);
  return unknown === undefined ? null : { name: "rejected", cause: "unsupported", detail: unknown };
}

function findUnsupported({ crit, action, args, commandClass }: CommandFrame): string | undefined {
  if (crit[0] !== undefined) return `this gateway does not know ${JSON.stringify(crit[0])}`;
  if (action !== "write") return `this gateway does not know ${JSON.stringify(action)}`;
  if (args.length > 0) return "a write takes no arguments";
  // PROTOCOL §8: a hazardous point is selected before it is operated, and a plain write skips that.
  return commandClass === "K3" ? "a hazardous point must be selected before it is operated" : undefined;
}

/** PROTOCOL §8, freshness rule: age since the token was minted bounds the time since sending, whatever the clocks say. */
function judgeFreshness(
  frame: CommandFrame,
  { freshness, now }: OrderCircumstances,
): CommandState | { readonly deadline: Uptime } {
  if (freshness === null || freshness.currentSession() !== frame.session)
    return late(`sync session ${frame.session} is not current`);
  const minted = freshness.mintedAt(frame.token, frame.session);
  if (minted === undefined) return late("its token is no longer known here");
  const age = since(minted, now);
  if (age <= frame.budgetMs) return { deadline: after(minted, Millis(frame.budgetMs)) };
  return late(`its token is ${Math.round(age)} ms old, its budget ${frame.budgetMs} ms`);
}

function late(detail: string): CommandState {
  return { name: "expired", where: "gateway", detail };
}
