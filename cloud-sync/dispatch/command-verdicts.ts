import { type CommandState, type CommandStateName, isEnd } from "../../domain/command.ts";
import { applyVerdict, canMove } from "../../domain/command-machine.ts";
import { CommandId, PointId } from "../../domain/ids.ts";
import type { Clock } from "../../domain/time.ts";
import type { Transaction } from "../store/database.ts";
import type { CommandEvidence, VerdictSink } from "../store/verdict-sink.ts";
import type { CommandTransaction, Mover } from "./command-ledger.ts";
import type { CommandRecord } from "./command-record.ts";
import { withToldPreview } from "./told-preview.ts";

/** What a gateway may say of a command; all else is a newer schema's and stays in the evidence only. */
const SPOKEN: ReadonlySet<CommandStateName> = new Set([
  "selected",
  "executing",
  "succeeded",
  "failed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "outcome-unknown",
]);

interface Spoken extends Omit<CommandEvidence, "commandId" | "pointId"> {
  readonly id: CommandId;
  readonly pointId: PointId;
}

/** Moves commands by the gateways' evidence, in the transaction that stores it. */
export class CommandVerdicts implements VerdictSink {
  readonly #within: (tx: Transaction) => CommandTransaction;
  readonly #clock: Clock;
  readonly #generation: number;

  constructor(
    within: (tx: Transaction) => CommandTransaction,
    parts: { readonly clock: Clock; readonly generation: number },
  ) {
    this.#within = within;
    this.#clock = parts.clock;
    this.#generation = parts.generation;
  }

  async take(tx: Transaction, evidence: readonly CommandEvidence[]): Promise<void> {
    const spoken = evidence.flatMap(understand);
    if (spoken.length === 0) return;
    const commands = this.#within(tx);
    const held = new Map(await commands.hold([...new Set(spoken.map(({ id }) => id))]));
    for (const each of spoken) {
      const next = await this.#apply(commands, each, held.get(each.id));
      if (next !== undefined) held.set(each.id, next);
    }
  }

  async #apply(
    commands: CommandTransaction,
    spoken: Spoken,
    current: CommandRecord | undefined,
  ): Promise<CommandRecord | undefined> {
    const at = this.#clock.now();
    const mover: Mover = { at, actor: `gateway/${spoken.gatewayId}`, recordId: spoken.recordId };
    if (current === undefined) {
      const made = this.#unknownHere(spoken, at);
      return (await commands.insert(made, mover)) ? made : undefined;
    }
    if (current.gatewayId !== spoken.gatewayId || current.origin !== spoken.origin) {
      const detail = `${spoken.recordId} speaks of a command of ${current.gatewayId} (${current.origin})`;
      await commands.noteRefusal({ subject: current.id, action: "verdict-refused", detail }, mover);
      return undefined;
    }
    const state = verdictOn(current, spoken);
    if (state === current.state) return undefined;
    const moved = { ...current, state, changedAt: at };
    await commands.move(moved, mover);
    return moved;
  }

  /** Given at the gateway, or by a center that a backup has since replaced: operators see it all the same. */
  #unknownHere(spoken: Spoken, at: CommandRecord["createdAt"]): CommandRecord {
    const { id, gatewayId, pointId, value, args = [], commandClass, origin, issuedBy, session } = spoken;
    const sent: CommandState = { name: "sent", session: session ?? "" };
    const state =
      origin === "local" ? spoken.state : applyVerdict(sent, spoken.state, { session, sentIn: null });
    return {
      id,
      gatewayId,
      pointId,
      value,
      commandClass,
      origin,
      issuedBy,
      createdAt: at,
      ttl: null,
      generation: this.#generation,
      sequence: null,
      authorizedAt: null,
      sent: null,
      confirmed: null,
      args,
      operatedAt: null,
      state,
      changedAt: at,
      resolution: null,
    };
  }
}

/** A local command needs no session to be proof: there is one delivery only, at the gateway itself. */
function verdictOn(current: CommandRecord, spoken: Spoken): CommandState {
  if (current.origin === "center") {
    const session = current.sent?.session ?? null;
    // A hazardous order of which no OPERATE left can have moved nothing, in whatever session that is said.
    const isHarmless = current.commandClass === "K3" && current.operatedAt === null && session !== null;
    const judgedIn = { session: isHarmless ? session : spoken.session, sentIn: session };
    return applyVerdict(current.state, spoken.state, judgedIn);
  }
  const goesOn = !isEnd(current.state) && canMove("center", current.state.name, spoken.state.name);
  return goesOn ? spoken.state : current.state;
}

function understand(evidence: CommandEvidence): readonly Spoken[] {
  if (!SPOKEN.has(evidence.state.name)) return [];
  try {
    const { commandId, pointId, ...rest } = evidence;
    const state = withToldPreview(evidence.state);
    return [{ ...rest, state, id: CommandId(commandId), pointId: PointId(pointId) }];
  } catch {
    return [];
  }
}
