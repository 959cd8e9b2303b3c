import type { Logger } from "pino";
import { CommandId, type GatewayId, type PointId } from "../../../domain/ids.ts";
import type { LoopService } from "../../../domain/service.ts";
import { type Clock, Millis } from "../../../domain/time.ts";
import type { CommandReader } from "../../dispatch/command-ledger.ts";
import type { CenterEvents } from "../../store/center-events.ts";
import type { CenterView } from "./center-view.ts";
import { viewCommand } from "./command-view.ts";

/** One watcher: takes lines while it can. */
export interface EventSink {
  readonly gatewayId: GatewayId | null;
  /** A whole event, as it goes over the wire. */
  write(text: string): void;
}

export interface EventHubParts {
  readonly events: CenterEvents;
  readonly view: CenterView;
  readonly reader: CommandReader;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Waiting {
  readonly points: Set<PointId>;
  /** `all`: too much moved to be named; watchers read the state anew. */
  scope: "named" | "all";
  link: "same" | "changed";
  heartbeat: "none" | "come";
  catalogue: "same" | "changed";
}

/** Changes are gathered for so long, so that a burst becomes one read of the database for all watchers. */
const GATHER = Millis(100);
const POINTS_MAX = 5_000;
const COMMANDS_MAX = 5_000;
export const WATCHERS_MAX = 200;

/** Turns hints into events for those who watch; reads each change once, however many watch. */
export class EventHub implements LoopService {
  readonly name = "event-hub";
  readonly #parts: EventHubParts;
  readonly #sinks = new Set<EventSink>();
  #gateways = new Map<GatewayId, Waiting>();
  #commands = new Set<string>();
  #wake: () => void = () => undefined;

  constructor(parts: EventHubParts) {
    this.#parts = parts;
  }

  get watchers(): number {
    return this.#sinks.size;
  }

  /** Returns the way to leave. Whoever calls looks at `watchers` first. */
  join(sink: EventSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  async run(signal: AbortSignal): Promise<void> {
    const stops = this.#listen();
    const onAbort = (): void => this.#wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        if (this.#gateways.size === 0 && this.#commands.size === 0) await this.#rest();
        await this.#parts.clock.sleep(GATHER, signal).catch(() => undefined);
        await this.#flush().catch((err: unknown) => {
          this.#parts.logger.error(
            { err },
            "watchers could not be told: they read again when they reconnect",
          );
        });
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      for (const stop of stops) stop();
    }
  }

  /** Tells what was gathered. */
  async #flush(): Promise<void> {
    const gateways = this.#gateways;
    const commands = this.#commands;
    this.#gateways = new Map();
    this.#commands = new Set<string>();
    for (const [gatewayId, waiting] of gateways) await this.#tellGateway(gatewayId, waiting);
    for (const id of commands) if (isCommandId(id)) await this.#tellCommand(CommandId(id));
  }

  #listen(): readonly (() => void)[] {
    const { events } = this.#parts;
    return [
      events.on("state-changed", ({ gatewayId, pointIds }) => this.#notePoints(gatewayId, pointIds)),
      events.on("link-changed", ({ gatewayId }) => {
        this.#waiting(gatewayId).link = "changed";
      }),
      events.on("heartbeat-arrived", ({ gatewayId }) => {
        this.#waiting(gatewayId).heartbeat = "come";
      }),
      events.on("catalogue-changed", ({ gatewayId }) => {
        this.#waiting(gatewayId).catalogue = "changed";
      }),
      events.on("command-changed", ({ commandId }) => this.#noteCommands([commandId])),
      events.on("evidence-arrived", ({ commandIds }) => this.#noteCommands(commandIds)),
    ];
  }

  #waiting(gatewayId: GatewayId): Waiting {
    const found = this.#gateways.get(gatewayId);
    if (found !== undefined) return found;
    const made: Waiting = {
      points: new Set(),
      scope: "named",
      link: "same",
      heartbeat: "none",
      catalogue: "same",
    };
    // Nobody watches, nothing is gathered.
    if (this.#sinks.size > 0) {
      this.#gateways.set(gatewayId, made);
      this.#wake();
    }
    return made;
  }

  #notePoints(gatewayId: GatewayId, pointIds: readonly PointId[]): void {
    const waiting = this.#waiting(gatewayId);
    for (const pointId of pointIds) {
      if (waiting.points.size >= POINTS_MAX) waiting.scope = "all";
      else waiting.points.add(pointId);
    }
  }

  #noteCommands(ids: readonly string[]): void {
    if (this.#sinks.size === 0) return;
    for (const id of ids) if (this.#commands.size < COMMANDS_MAX) this.#commands.add(id);
    this.#wake();
  }

  async #tellGateway(gatewayId: GatewayId, waiting: Waiting): Promise<void> {
    const { view } = this.#parts;
    if (waiting.catalogue === "changed") this.#broadcast(gatewayId, "catalogue", { gatewayId });
    if (waiting.link === "changed") {
      const gateway = await view.gateway(gatewayId);
      if (gateway !== undefined) this.#broadcast(gatewayId, "link", { gatewayId, link: gateway.link });
    }
    if (waiting.scope === "all") this.#broadcast(gatewayId, "resync", { gatewayId });
    else if (waiting.points.size > 0) {
      const states = await view.states(gatewayId, [...waiting.points]);
      this.#broadcast(gatewayId, "state", { gatewayId, states });
    }
    if (waiting.heartbeat === "come")
      this.#broadcast(gatewayId, "confirmed", { gatewayId, sweepAgesMs: view.sweepAges(gatewayId) });
  }

  async #tellCommand(id: CommandId): Promise<void> {
    const { reader } = this.#parts;
    const command = await reader.find(id);
    if (command === undefined) return;
    this.#broadcast(command.gatewayId, "command", { command: await viewCommand(reader, command) });
  }

  #broadcast(gatewayId: GatewayId, event: string, data: object): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const sink of this.#sinks) {
      if (sink.gatewayId === null || sink.gatewayId === gatewayId) sink.write(text);
    }
  }

  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Evidence may name anything. */
function isCommandId(text: string): boolean {
  try {
    return CommandId(text) === text;
  } catch {
    return false;
  }
}
