import { isDeepStrictEqual } from "node:util";
import type { CommandId, GatewayId, PointId } from "../../domain/ids.ts";
import type { CommandClass } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Preview } from "../../domain/safety/preview.ts";
import type { Millis } from "../../domain/time.ts";
import type { CenterEvents } from "../store/center-events.ts";
import type { CommandTransaction } from "./command-ledger.ts";
import { COMMAND_LIFE, OPEN_COMMANDS_MAX } from "./command-limits.ts";
import type { CommandablePoint, CommandRecord, ResolutionEvidence } from "./command-record.ts";
import type { CommandStepper, DispatchParts, Reservation } from "./command-stepper.ts";
import { DispatchError } from "./dispatch-error.ts";
import { judgeOrder } from "./dispatch-machine.ts";
import { newCommandId } from "./new-command-id.ts";

export interface Order {
  readonly gatewayId: GatewayId;
  readonly pointId: PointId;
  readonly value: PointValue;
  /** Of an action, in the order of its definition; empty for all else. */
  readonly args: readonly PointValue[];
  /** From the authorisation on; default and most: `COMMAND_LIFE` of the point's class. */
  readonly ttl: Millis | null;
  /** The client's own, so that it may ask again without ordering again. */
  readonly commandId: CommandId | null;
  /** What the person saw who confirmed a hazardous order; null: nobody did, and then such an order is rejected. */
  readonly confirmed: Preview | null;
}

/** Takes the operators' orders down and answers for them. Nothing leaves from here: that is the dispatcher's. */
export class CommandService {
  readonly #parts: DispatchParts;
  readonly #stepper: CommandStepper;
  readonly #events: CenterEvents;

  constructor(parts: DispatchParts, stepper: CommandStepper, events: CenterEvents) {
    this.#parts = parts;
    this.#stepper = stepper;
    this.#events = events;
  }

  /**
   * The command as it stands when it is durable; repeated with the same id it is the same command.
   * @throws {DispatchError} `id-taken`, `life-too-long`, `too-many-open`
   */
  async request(order: Order, issuedBy: string): Promise<CommandRecord> {
    const { ledger } = this.#parts;
    if ((await ledger.countOpen()) >= OPEN_COMMANDS_MAX)
      throw new DispatchError("too-many-open", `${OPEN_COMMANDS_MAX} commands`);
    const command = await ledger.transaction((tx) => this.#take(tx, order, issuedBy));
    this.#told(command);
    return command;
  }

  /** @throws {DispatchError} `unknown-command`, `already-sent` */
  cancel(id: CommandId, by: string): Promise<CommandRecord> {
    return this.#change(id, (tx, command) => {
      if (command.origin === "local" || !canTakeBack(command))
        throw new DispatchError("already-sent", `command ${id} is ${command.state.name}`);
      return this.#stepper.cancel(tx, command, by);
    });
  }

  /**
   * A person looked and says how it is: kept beside the unknown outcome, which stays (I27), with what was read back.
   * @throws {DispatchError} `unknown-command`, `not-unknown`
   */
  resolve(
    id: CommandId,
    found: { readonly by: string; readonly note: string; readonly evidence: ResolutionEvidence },
  ): Promise<CommandRecord> {
    return this.#change(id, async (tx, command) => {
      assertUnresolved(command);
      const at = this.#parts.clock.now();
      const resolved = { ...command, resolution: { at, ...found } };
      await tx.resolve(resolved, { at, actor: found.by });
      return resolved;
    });
  }

  async #change(
    id: CommandId,
    change: (tx: CommandTransaction, command: CommandRecord) => Promise<CommandRecord>,
  ): Promise<CommandRecord> {
    const changed = await this.#parts.ledger.transaction(async (tx) => {
      const command = (await tx.hold([id])).get(id);
      if (command === undefined) throw new DispatchError("unknown-command", `command ${id}`);
      return change(tx, command);
    });
    this.#told(changed);
    return changed;
  }

  async #take(tx: CommandTransaction, order: Order, issuedBy: string): Promise<CommandRecord> {
    const { clock, random } = this.#parts;
    const point = await tx.findPoint(order.gatewayId, order.pointId);
    const reservation = await reserve(tx, order, point);
    const at = clock.now();
    const draft = this.#draft(order, {
      point,
      issuedBy,
      at,
      id: order.commandId ?? newCommandId(at, random),
    });
    if (!(await tx.insert(draft, { at, actor: issuedBy }))) return sameCommand(tx, draft);
    return this.#stepper.admit(tx, draft, { point, reservation });
  }

  #draft(
    order: Order,
    asked: Pick<CommandRecord, "id" | "issuedBy"> & {
      readonly point: CommandablePoint | undefined;
      readonly at: CommandRecord["createdAt"];
    },
  ): CommandRecord {
    const commandClass = asked.point?.commandClass ?? null;
    return {
      id: asked.id,
      gatewayId: order.gatewayId,
      pointId: order.pointId,
      value: order.value,
      args: order.args,
      commandClass,
      origin: "center",
      issuedBy: asked.issuedBy,
      createdAt: asked.at,
      ttl: lifeOf(order, commandClass),
      generation: this.#parts.generation,
      sequence: null,
      authorizedAt: null,
      sent: null,
      confirmed: commandClass === "K3" ? order.confirmed : null,
      operatedAt: null,
      state: { name: "draft" },
      changedAt: asked.at,
      resolution: null,
    };
  }

  #told({ gatewayId, id }: CommandRecord): void {
    this.#events.tell("command-changed", { gatewayId, commandId: id });
  }
}

/** @throws {DispatchError} `not-unknown` */
export function assertUnresolved({ id, state, resolution }: CommandRecord): void {
  if (state.name === "outcome-unknown" && resolution === null) return;
  const how = resolution === null ? state.name : `resolved by ${resolution.by}`;
  throw new DispatchError("not-unknown", `command ${id} is ${how}`);
}

/** Before it left; a hazardous one also while it is only selected, for OPERATE then never leaves. */
function canTakeBack({ state, operatedAt }: CommandRecord): boolean {
  if (state.name === "selected" || (state.name === "sent" && state.action === "select"))
    return operatedAt === null;
  return ["draft", "awaiting-approval", "authorized", "queued"].includes(state.name);
}

function lifeOf({ ttl }: Order, commandClass: CommandClass | null): Millis {
  const { usual, max } = COMMAND_LIFE[commandClass ?? "K1"];
  if (ttl !== null && ttl > max)
    throw new DispatchError("life-too-long", `${commandClass ?? "K1"} is wanted for at most ${max} ms`);
  return ttl ?? usual;
}

/** Only what can become a command takes a number and the place of older ones. */
async function reserve(
  tx: CommandTransaction,
  order: Order,
  point: CommandablePoint | undefined,
): Promise<Reservation | null> {
  if (judgeOrder(order, point) !== undefined) return null;
  const sequence = await tx.nextSequence(order.gatewayId, order.pointId);
  return { sequence, waiting: await tx.holdWaiting(order.gatewayId, order.pointId) };
}

async function sameCommand(tx: CommandTransaction, draft: CommandRecord): Promise<CommandRecord> {
  const held = (await tx.hold([draft.id])).get(draft.id);
  const same =
    held?.gatewayId === draft.gatewayId &&
    held.pointId === draft.pointId &&
    held.value === draft.value &&
    isDeepStrictEqual(held.args, draft.args);
  if (held === undefined || !same) throw new DispatchError("id-taken", `command ${draft.id}`);
  return held;
}
