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
  const unknown = frame.crit[0] ?? (frame.action === "write" ? undefined : frame.action);
  if (unknown === undefined) return null;
  return {
    name: "rejected",
    cause: "unsupported",
    detail: `this gateway does not know ${JSON.stringify(unknown)}`,
  };
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
