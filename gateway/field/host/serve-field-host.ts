import type { Logger } from "pino";
import { type Clock, Seconds } from "../../../domain/time.ts";
import { FieldHost, type LoadDriver } from "../field-host.ts";
import type { FieldReport } from "../field-plan.ts";
import { type FromHost, readToHost, type Ticket, type ToHost } from "./field-messages.ts";

const HEARTBEAT_EVERY = Seconds(1);
/** Messages on their way to the core. Beyond, reports are dropped, and all is told again once the core reads on. */
const IN_FLIGHT_MAX = 200;

/** The child's end of the channel: `process`, as far as it is used here. */
export interface HostChannel {
  send?(
    message: FromHost,
    handle: undefined,
    options: undefined,
    sent: (error: Error | null) => void,
  ): boolean;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
}

/** What a host process is made of; tests bring their own drivers. */
export interface HostProcessParts {
  readonly loadDriver: LoadDriver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The life of a field host process: waits for its plan, runs it, answers, and ends when told to, when `signal` aborts
 * or when the core is gone. Rejects for a bug: the process is to end, the supervisor starts another.
 */
export async function serveFieldHost(
  channel: HostChannel,
  parts: HostProcessParts,
  signal: AbortSignal,
): Promise<void> {
  await new HostEnd(channel, parts).serve(signal);
}

class HostEnd {
  readonly #channel: HostChannel;
  readonly #parts: HostProcessParts;
  readonly #asked = new Map<Ticket, AbortController>();
  readonly #stop = new AbortController();
  #host: FieldHost | undefined;
  #inFlight = 0;
  #hasDropped = false;
  #onSent: () => void = () => undefined;

  constructor(channel: HostChannel, parts: HostProcessParts) {
    this.#channel = channel;
    this.#parts = parts;
  }

  async serve(signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, this.#stop.signal]);
    const started = Promise.withResolvers<FieldHost | undefined>();
    ending.addEventListener("abort", () => started.resolve(undefined), { once: true });
    this.#channel.on("disconnect", () => this.#stop.abort());
    this.#channel.on("message", (data) => this.#take(readToHost(data), started.resolve));
    const heart = this.#beat(ending);
    const host = await started.promise;
    await host?.run(ending);
    this.#stop.abort();
    await heart;
    await this.#sentAll();
  }

  #take(message: ToHost, start: (host: FieldHost) => void): void {
    switch (message.kind) {
      case "start":
        this.#host ??= new FieldHost({
          ...this.#parts,
          plan: message.plan,
          sink: (report) => this.#report(report),
        });
        start(this.#host);
        return;
      case "withdraw":
        this.#asked.get(message.ticket)?.abort();
        return;
      case "stop":
        this.#stop.abort();
        return;
      default:
        this.#answer(message).catch((error: unknown) => {
          // The bus loop rejects with the same and ends the process; here it is only said which order met it.
          this.#parts.logger.error(
            { err: error, ticket: message.ticket },
            "an order met a bug of the field host",
          );
        });
    }
  }

  async #answer(message: Extract<ToHost, { readonly ticket: Ticket }>): Promise<void> {
    const host = this.#host;
    if (host === undefined) return;
    const { ticket } = message;
    const controller = new AbortController();
    this.#asked.set(ticket, controller);
    try {
      if (message.kind === "operation") {
        const result = await host.runOperation(message.operation, controller.signal);
        this.#send({ kind: "operation-end", ticket, result });
      } else if (message.kind === "read") {
        this.#send({ kind: "read-end", ticket, result: await host.readNow(message.read, controller.signal) });
      } else if (message.kind === "frames") {
        this.#send({ kind: "frames-end", ticket, frames: await host.readFrames(message.busId) });
      }
    } finally {
      this.#asked.delete(ticket);
    }
  }

  #report(report: FieldReport): void {
    if (this.#inFlight >= IN_FLIGHT_MAX) this.#hasDropped = true;
    else this.#send({ kind: "report", report });
  }

  #send(message: FromHost): void {
    this.#inFlight += 1;
    // An error says that the core is gone: "disconnect" comes too, and ends this process.
    this.#channel.send?.(message, undefined, undefined, () => {
      this.#inFlight -= 1;
      if (this.#inFlight > 0) return;
      this.#onSent();
      if (!this.#hasDropped) return;
      this.#hasDropped = false;
      this.#host?.retell();
    });
  }

  async #beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#inFlight < IN_FLIGHT_MAX)
        this.#send({ kind: "heartbeat", rssBytes: process.memoryUsage.rss() });
      try {
        await this.#parts.clock.sleep(HEARTBEAT_EVERY, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** The last results must reach the core before the process ends. */
  async #sentAll(): Promise<void> {
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#onSent = resolve;
    });
  }
}
