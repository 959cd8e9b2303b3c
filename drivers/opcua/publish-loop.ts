import { type NotificationMessage, PublishRequest, type PublishResponse } from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import { type CancelTimer, Millis } from "../../domain/time.ts";
import type { OpcUaConnection } from "./opcua-connection.ts";
import { faultOfError, serviceResultOf } from "./service-fault.ts";

/** Requests that wait at the server, so that it always has one to answer (OPC 10000-4 §5.14.5). */
const IN_FLIGHT = 2;
/** Keep-alives that may stay away before the line is given up. */
const MISSED_MAX = 2;
/** For the server and the library: longer than we wait ourselves. */
const TIMEOUT_HINT_MS = 120_000;
/** OPC 10000-4 §7.36: after the greatest comes 1. */
const SEQUENCE_MAX = 4_294_967_295;

export interface PublishEvents {
  /** @throws {Error} for what no server may send. */
  notified(message: NotificationMessage): void;
  /** Nothing that the server knew has not been told. */
  confirmed(): void;
}

/** Asks for notifications as long as the session lives; a server that falls silent or skips one loses it. */
export class PublishLoop {
  readonly #connection: OpcUaConnection;
  readonly #subscriptionId: number;
  readonly #patience: Millis;
  readonly #events: PublishEvents;
  #acknowledge: { readonly subscriptionId: number; readonly sequenceNumber: number }[] = [];
  #expected: number | undefined;
  #cancel: CancelTimer | undefined;
  #isStopped = false;

  constructor(
    connection: OpcUaConnection,
    { subscriptionId, keepAlive }: { readonly subscriptionId: number; readonly keepAlive: Millis },
    events: PublishEvents,
  ) {
    this.#connection = connection;
    this.#subscriptionId = subscriptionId;
    this.#patience = Millis(keepAlive * MISSED_MAX + connection.timeout);
    this.#events = events;
  }

  start(): void {
    this.#watch();
    this.#connection.onLost(() => this.stop());
    for (let count = 0; count < IN_FLIGHT; count += 1) this.#publish();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #publish(): void {
    const subscriptionAcknowledgements = this.#acknowledge;
    this.#acknowledge = [];
    const request = new PublishRequest({
      requestHeader: { timeoutHint: TIMEOUT_HINT_MS },
      subscriptionAcknowledgements,
    });
    const answered = (error: Error | null, response?: PublishResponse): void =>
      this.#answered(error, response);
    this.#connection.publish(request, answered);
  }

  #answered(error: Error | null, response: PublishResponse | undefined): void {
    if (this.#isStopped) return;
    this.#watch();
    const status = serviceResultOf(error);
    // It holds one request already: the other one goes on alone.
    if (status === "BadTooManyPublishRequests") return;
    if (error !== null && status !== "BadTimeout") {
      this.#connection.lose(faultOfError(error, "take notifications"));
      return;
    }
    try {
      if (response !== undefined) this.#take(response);
    } catch (cause) {
      this.#connection.lose(new DeviceFault("malformed-reply", "take notifications", { cause }));
      return;
    }
    this.#publish();
  }

  #take({ subscriptionId, notificationMessage: message, moreNotifications }: PublishResponse): void {
    if (subscriptionId !== this.#subscriptionId)
      throw new Error(`a notification of subscription ${subscriptionId}, which is not ours`);
    const isKeepAlive = (message.notificationData ?? []).length === 0;
    this.#checkSequence(message.sequenceNumber, isKeepAlive ? "keep-alive" : "notification");
    if (!isKeepAlive) {
      this.#acknowledge.push({ subscriptionId, sequenceNumber: message.sequenceNumber });
      this.#events.notified(message);
    }
    if (!moreNotifications) this.#events.confirmed();
  }

  /** A keep-alive tells the number of the next notification; one that is missing held changes that nobody was told. */
  #checkSequence(found: number, kind: "keep-alive" | "notification"): void {
    const expected = this.#expected ?? found;
    if (found !== expected)
      throw new Error(`notification ${found} came, ${expected} was expected: changes were lost`);
    if (kind === "notification") this.#expected = found === SEQUENCE_MAX ? 1 : found + 1;
    else this.#expected = found;
  }

  #watch(): void {
    this.#cancel?.();
    this.#cancel = this.#connection.context.clock.schedule(this.#patience, () => {
      const cause = new Error(`no sign of the server within ${this.#patience} ms`);
      this.#connection.lose(new DeviceFault("timeout", "wait for notifications", { cause }));
    });
  }
}
