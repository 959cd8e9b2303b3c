import { type CommandState, isEnd } from "../../domain/command.ts";
import { CommandId, PointId } from "../../domain/ids.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import { after, type Instant, Millis } from "../../domain/time.ts";
import type { LedgerEntry } from "../store/store.ts";
import type { CommandAnswer } from "./client/answers.ts";
import { newCommandId } from "./client/command-id.ts";
import { crewPrincipal } from "./crew-principal.ts";
import { LocalApiFault } from "./local-api-fault.ts";
import type { LocalApiParts } from "./local-api-parts.ts";
import type { CommandBody } from "./parse-request.ts";

/** The deadline bounds the write; the read-back window comes after it. Past both, the answer says `executing`. */
const READ_BACK_WAIT_MS = 60_000;

/** Local orders, and what became of all orders. */
export class CommandDesk {
  readonly #parts: LocalApiParts;
  readonly #signal: AbortSignal;

  constructor(parts: LocalApiParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  recent(limit: number): readonly CommandAnswer[] {
    return this.#parts.store.commands.recent(limit).map((entry) => this.#answer(entry));
  }

  /** @throws {LocalApiFault} `unknown-command` */
  get(id: CommandId): CommandAnswer {
    const entry = this.#parts.store.commands.find(id);
    if (entry === undefined)
      throw new LocalApiFault("unknown-command", `no command ${id} on this gateway`, { pointer: "/id" });
    return this.#answer(entry);
  }

  /** Resolves with the command's end, or as it stands when waiting any longer is of no use. */
  async submit(body: CommandBody): Promise<CommandAnswer> {
    const { orders, clock, random, store } = this.#parts;
    const now = clock.now();
    const id = body.commandId === undefined ? newCommandId(now, random) : CommandId(body.commandId);
    const pointId = `${body.device}/${body.point}`;
    const issuedBy = crewPrincipal(body.name);
    const deadline = after(clock.uptime(), Millis(body.deadlineMs));
    const { admitted, end } = orders.submitLocal({
      commandId: id,
      pointId,
      value: body.value,
      args: body.args,
      issuedBy,
      deadline,
      // The CLI asks back before it sends what can hurt somebody.
      confirmation: "person",
    });
    const state = isEnd(admitted)
      ? admitted
      : await this.#wait(end, Millis(body.deadlineMs + READ_BACK_WAIT_MS));
    const entry = store.commands.find(id);
    if (entry !== undefined) return this.#answer(entry);
    // Only a ledger that could not be written has no row: the command moved nothing.
    return this.#unrecorded({ id, pointId, value: body.value, args: body.args, issuedBy, now, state });
  }

  async #wait(end: Promise<CommandState>, longest: Millis): Promise<CommandState> {
    const waited = new AbortController();
    const signal = AbortSignal.any([waited.signal, this.#signal]);
    const asItStands = this.#parts.clock.sleep(longest, signal).then(
      () => ({ name: "executing" }) as const,
      () => ({ name: "executing" }) as const,
    );
    try {
      return await Promise.race([end, asItStands]);
    } finally {
      waited.abort();
    }
  }

  #answer({ command, origin, session, at, settledAt, state }: LedgerEntry): CommandAnswer {
    const { id, pointId, value, args, commandClass, issuedBy } = command;
    const definition = this.#parts.points.find(pointId)?.point.definition;
    return {
      id,
      pointId,
      value,
      unit: definition?.unit ?? null,
      args: namedArguments(args, definition),
      commandClass,
      origin,
      issuedBy,
      session,
      at: new Date(at).toISOString(),
      settledAt: settledAt === null ? null : new Date(settledAt).toISOString(),
      state,
    };
  }

  #unrecorded(order: {
    readonly id: CommandId;
    readonly pointId: string;
    readonly value: CommandBody["value"];
    readonly args: CommandBody["args"];
    readonly issuedBy: string;
    readonly now: Instant;
    readonly state: CommandState;
  }): CommandAnswer {
    const { now, ...rest } = order;
    const definition = findDefinition(this.#parts, order.pointId);
    const at = new Date(now).toISOString();
    return {
      ...rest,
      unit: definition?.unit ?? null,
      args: namedArguments(order.args, definition),
      commandClass: definition?.commandClass ?? "K0",
      origin: "local",
      session: null,
      at,
      settledAt: isEnd(order.state) ? at : null,
    };
  }
}

/** An order may give more than the action takes: it was refused, and shows what it gave. */
function namedArguments(
  given: readonly PointValue[],
  definition: PointDefinition | undefined,
): CommandAnswer["args"] {
  return given.map((value, index) => {
    const argument = definition?.args?.[index];
    return { name: argument?.name ?? String(index + 1), value, unit: argument?.unit ?? null };
  });
}

function findDefinition({ points }: LocalApiParts, text: string) {
  try {
    return points.find(PointId(text))?.point.definition;
  } catch {
    return undefined;
  }
}
