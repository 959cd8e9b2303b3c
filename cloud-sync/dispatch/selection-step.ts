import type { CommandState } from "../../domain/command.ts";
import { findPreviewChange } from "../../domain/safety/preview.ts";
import { K3_TOKEN_AGE_MAX, SELECTION_MAX } from "./command-limits.ts";
import type { CommandRecord } from "./command-record.ts";
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

/** What a gateway must have announced for an order of each class (PROTOCOL §7). */
const ACTIONS = { K0: [], K1: ["write"], K2: ["write"], K3: ["select", "operate"] } as const;

/** Why an order of this kind must not be sent over this link. */
export function findUnsupported(
  { commandClass }: Pick<CommandRecord, "commandClass">,
  link: Pick<LiveSession, "actions"> | null,
): CommandState | undefined {
  if (link === null) return undefined;
  const missing = ACTIONS[commandClass ?? "K1"].find((action) => !link.actions.includes(action));
  if (missing === undefined) return undefined;
  return rejected("unsupported", `the gateway does not know how to ${missing}: update the gateway`);
}

/** Why a hazardous order can not leave now, whichever of its two steps it is. There is no waiting room (I28). */
export function findStale(link: LiveSession): CommandState | undefined {
  if (link.tokenAge <= K3_TOKEN_AGE_MAX) return undefined;
  const seconds = Math.round(link.tokenAge / 1_000);
  return rejected("stale-link", `the newest sign of life is ${seconds} s old, at most 7 s is allowed`);
}

/** SELECT was sent. Alone it moves nothing, so whatever ends it here is proof of no effect (I25). */
export function fromSelecting(
  { sent }: CommandRecord,
  { session, sentFor }: Pick<Circumstances, "session" | "sentFor">,
): Step {
  if (session !== null && session !== sent?.session)
    return move(
      rejected("offline", "the sync session ended before the point was selected: nothing was done"),
    );
  const past = (sentFor ?? 0) > (sent?.budget ?? 0);
  return past ? move(expired("the gateway did not say that it selected the point: nothing was done")) : WAIT;
}

/** The gateway holds the point. OPERATE leaves by itself if all is as the person saw it, and soon enough. */
export function fromSelected(command: CommandRecord, circumstances: Circumstances): Step {
  const { state, sent, confirmed } = command;
  const { link, age, selectedFor } = circumstances;
  if (state.name !== "selected" || command.operatedAt !== null) return WAIT;
  if (link === null || link.session !== sent?.session)
    return move(rejected("offline", "the sync session ended before it was operated: nothing was done"));
  const late = isPast(command, age) || (selectedFor ?? 0) > SELECTION_MAX;
  if (late) return move(expired("it was selected, but not operated in time: nothing was done"));
  const change =
    confirmed === null ? "nobody confirmed a preview" : findPreviewChange(confirmed, state.preview);
  if (change !== undefined) return move(rejected("preview-changed", `${change}: nothing was done`));
  const stale = findStale(link);
  if (stale !== undefined) return move(stale);
  const budget = budgetOf(command, age);
  if (link.tokenAge >= budget) return WAIT;
  return { kind: "send", action: "operate", session: link.session, token: link.token, budget };
}
