import { advance } from "../../domain/command-machine.ts";
import type { RandomSource } from "../../domain/random.ts";
import { type Clock, since } from "../../domain/time.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import { CommandAges } from "./command-ages.ts";
import type { CommandLedger, CommandTransaction, Mover } from "./command-ledger.ts";
import type { CommandablePoint, CommandRecord } from "./command-record.ts";
import { decideNext } from "./dispatch-machine.ts";
import type { Circumstances, LiveSession, Step } from "./dispatch-step.ts";
import type { Downlinks, GatewayLinks } from "./gateway-links.ts";

/** What the parts of dispatch stand on. */
export interface DispatchParts {
  readonly ledger: CommandLedger;
  readonly links: GatewayLinks;
  readonly downlinks: Downlinks;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** `gen` of PROTOCOL §1. */
  readonly generation: number;
  /** The command authority: only it holds the key (I31). */
  readonly sign: (frame: Omit<CommandFrame, "signature">) => CommandFrame;
}

/** Held for a new order before anything is written, so that all transactions take their locks in one order. */
export interface Reservation {
  readonly sequence: number;
  /** Older orders to the point that were not sent: this one takes their place. */
  readonly waiting: readonly CommandRecord[];
}

export interface Stepped {
  readonly command: CommandRecord;
  /** SENT is written: hand it to the downlink once the transaction is durable. */
  readonly frame: CommandFrame | null;
}

/** Policies are data of a later issue; the name is bound in each signature. */
const POLICY_VERSION = "1";
const CENTER = "center";

/** Performs what the machine decides, inside a transaction of the caller. */
export class CommandStepper {
  readonly #parts: DispatchParts;
  readonly #ages: CommandAges;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#ages = new CommandAges(parts.clock);
  }

  get ages(): Pick<CommandAges, "note" | "keep"> {
    return this.#ages;
  }

  /** What comes next for the command as things stand. */
  next(command: CommandRecord, point?: CommandablePoint): Step {
    return decideNext(command, this.#circumstances(command, point));
  }

  /** A new order, just inserted as draft, goes as far as it can. */
  async admit(
    tx: CommandTransaction,
    draft: CommandRecord,
    found: { readonly point: CommandablePoint | undefined; readonly reservation: Reservation | null },
  ): Promise<CommandRecord> {
    const step = this.next(draft, found.point);
    if (step.kind !== "move") return draft;
    if (step.to.name !== "authorized" || found.reservation === null) return this.#move(tx, draft, step.to);
    const { sequence, waiting } = found.reservation;
    const authorizedAt = this.#parts.clock.now();
    const authorized = await this.#move(tx, { ...draft, sequence, authorizedAt }, step.to);
    for (const older of waiting) await this.#move(tx, older, { name: "superseded", by: draft.id });
    return (await this.settle(tx, authorized, "keep")).command;
  }

  /** Moves a held command as far as it can go. `keep`: what could be sent stays queued for the dispatcher. */
  async settle(tx: CommandTransaction, held: CommandRecord, mode: "keep" | "send"): Promise<Stepped> {
    let command = held;
    // A command passes each state once, so this ends; queued and authorized alternate only as the link does.
    for (let moves = 0; moves < 8; moves += 1) {
      const step = this.next(command);
      if (step.kind === "wait") break;
      if (step.kind === "move") {
        command = await this.#move(tx, command, step.to);
        continue;
      }
      return mode === "keep" ? { command, frame: null } : this.#send(tx, command, step);
    }
    return { command, frame: null };
  }

  /** The network took nothing of it: proof that nothing touched the device. */
  withdraw(tx: CommandTransaction, command: CommandRecord): Promise<CommandRecord> {
    const detail = "the link broke as the order was to leave, so nothing was sent: give it again";
    return this.#move(tx, command, { name: "rejected", cause: "offline", detail });
  }

  cancel(tx: CommandTransaction, command: CommandRecord, by: string): Promise<CommandRecord> {
    return this.#move(tx, command, { name: "cancelled", by }, by);
  }

  async #send(
    tx: CommandTransaction,
    command: CommandRecord,
    { action, session, token, budget }: Extract<Step, { kind: "send" }>,
  ): Promise<Stepped> {
    const { clock, sign, generation } = this.#parts;
    const at = clock.now();
    const leaving =
      action === "operate" ? { ...command, operatedAt: at } : { ...command, sent: { at, session, budget } };
    const state = { name: "sent", session, ...(action !== "write" && { action }) } as const;
    const moved = await this.#move(tx, leaving, state);
    const { commandClass, sequence } = command;
    if (commandClass === null || commandClass === "K0" || sequence === null)
      throw new RangeError(`command ${command.id} was queued without class or sequence`);
    const frame = sign({
      kind: "command",
      gatewayId: command.gatewayId,
      commandId: command.id,
      pointId: command.pointId,
      action,
      value: command.value,
      args: [...command.args],
      commandClass,
      sequence: { generation, counter: sequence },
      session,
      token,
      budgetMs: budget,
      requester: command.issuedBy,
      approvals: [],
      policyVersion: POLICY_VERSION,
      crit: [],
    });
    return { command: moved, frame };
  }

  async #move(
    tx: CommandTransaction,
    command: CommandRecord,
    to: CommandRecord["state"],
    actor = CENTER,
  ): Promise<CommandRecord> {
    const at = this.#parts.clock.now();
    const moved = { ...command, state: advance("center", command.state, to), changedAt: at };
    const mover: Mover = { at, actor };
    await tx.move(moved, mover);
    if (moved.authorizedAt !== null) this.#ages.note(moved);
    return moved;
  }

  #circumstances(command: CommandRecord, point: CommandablePoint | undefined): Circumstances {
    const { clock, links, generation } = this.#parts;
    const link = links.find(command.gatewayId);
    const toldAll = link?.backlog?.A === 0 && link.token !== null ? link.token.receivedAt : null;
    return {
      generation,
      now: clock.now(),
      point,
      link: this.#liveSession(command),
      session: link?.session ?? null,
      age: this.#ages.sinceAuthorized(command),
      sentFor: this.#ages.sinceSent(command),
      selectedFor: this.#ages.sinceSelected(command),
      toldAllAfter: toldAll === null ? null : this.#ages.fromSentTo(command, toldAll),
    };
  }

  #liveSession({ gatewayId }: CommandRecord): LiveSession | null {
    const { clock, links, downlinks } = this.#parts;
    const link = links.find(gatewayId);
    if (link === undefined || link.token === null || link.state === "down") return null;
    if (!downlinks.isOpen(gatewayId, link.session)) return null;
    const { token, receivedAt } = link.token;
    const tokenAge = since(receivedAt, clock.uptime());
    return { session: link.session, token, tokenAge, actions: link.actions };
  }
}
