import type { Logger } from "pino";
import type { CommandId } from "../../domain/ids.ts";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Seconds } from "../../domain/time.ts";
import type { CenterEvents, CenterHintName } from "../store/center-events.ts";
import type { CommandRecord } from "./command-record.ts";
import type { CommandStepper, DispatchParts, Stepped } from "./command-stepper.ts";

const PERIOD = Seconds(1);
/** What may let a command go on. */
const HINTS: readonly CenterHintName[] = [
  "command-changed",
  "session-activated",
  "link-changed",
  "heartbeat-arrived",
  "evidence-arrived",
];
/** Hazardous orders first: they live for seconds. */
const URGENCY = { K3: 0, K2: 1, K1: 2, K0: 3 } as const;

/**
 * Brings every command of the center that is not over as far as it can go, and is the only one that sends. Woken by hints
 * and by period; start, recovery and daily run are one path, because all it knows is in the database.
 */
export class Dispatcher implements LoopService {
  readonly name = "dispatcher";
  readonly #parts: DispatchParts;
  readonly #stepper: CommandStepper;
  readonly #events: CenterEvents;
  readonly #logger: Logger;
  #hinted = true;
  #wake: () => void = () => undefined;

  constructor(
    parts: DispatchParts,
    stepper: CommandStepper,
    told: { readonly events: CenterEvents; readonly logger: Logger },
  ) {
    this.#parts = parts;
    this.#stepper = stepper;
    this.#events = told.events;
    this.#logger = told.logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    const onHint = (): void => {
      this.#hinted = true;
      this.#wake();
    };
    const stops = HINTS.map((name) => this.#events.on(name, onHint));
    signal.addEventListener("abort", onHint);
    try {
      while (!signal.aborted) {
        this.#hinted = false;
        await this.round(signal).catch((err: unknown) => {
          this.#logger.error({ err }, "commands could not be looked after: it is tried again");
        });
        if (!this.#hinted) await rest(this.#parts.clock, (wake) => (this.#wake = wake));
      }
    } finally {
      signal.removeEventListener("abort", onHint);
      for (const stop of stops) stop();
    }
  }

  /** One look at all open commands. */
  async round(signal: AbortSignal): Promise<void> {
    const open = await this.#parts.ledger.listOpen();
    this.#stepper.ages.keep(new Set(open.map((command) => command.id)));
    for (const command of open) this.#stepper.ages.note(command);
    for (const command of open.toSorted(byUrgency)) {
      if (signal.aborted) return;
      if (this.#stepper.next(command).kind === "wait") continue;
      await this.#bring(command.id);
    }
  }

  async #bring(id: CommandId): Promise<void> {
    const { ledger } = this.#parts;
    const stepped = await ledger.transaction(async (tx): Promise<Stepped | null> => {
      const held = (await tx.hold([id])).get(id);
      return held === undefined ? null : this.#stepper.settle(tx, held, "send");
    });
    if (stepped === null) return;
    if (stepped.frame !== null) await this.#send(stepped.command, stepped.frame);
    this.#events.tell("command-changed", { gatewayId: stepped.command.gatewayId, commandId: id });
  }

  /** SENT is durable; only now the bytes leave. */
  async #send(command: CommandRecord, frame: NonNullable<Stepped["frame"]>): Promise<void> {
    const { downlinks, ledger } = this.#parts;
    const { id, gatewayId, pointId } = command;
    if (downlinks.send(gatewayId, frame.session, frame)) {
      this.#logger.info({ commandId: id, gatewayId, pointId, budgetMs: frame.budgetMs }, "sent a command");
      return;
    }
    await ledger.transaction(async (tx) => {
      const held = (await tx.hold([id])).get(id);
      if (held?.state.name === "sent") await this.#stepper.withdraw(tx, held);
    });
    this.#logger.warn({ commandId: id, gatewayId }, "a command was not sent: the link broke");
  }
}

function byUrgency(left: CommandRecord, right: CommandRecord): number {
  const urgency = URGENCY[left.commandClass ?? "K1"] - URGENCY[right.commandClass ?? "K1"];
  return urgency || (left.sequence ?? 0) - (right.sequence ?? 0);
}

async function rest(clock: Clock, onWake: (wake: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(PERIOD, resolve);
    onWake(() => {
      cancel();
      resolve();
    });
  });
}
