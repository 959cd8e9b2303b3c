import {
  DataChangeNotification,
  type DataValue,
  type NotificationMessage,
  StatusChangeNotification,
} from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import { Millis } from "../../domain/time.ts";
import type { SampleSink } from "../driver.ts";
import { createItems, deleteItems, type MonitoredPoint } from "./monitored-items.ts";
import type { NodeAddress } from "./opcua-address.ts";
import type { OpcUaConnection } from "./opcua-connection.ts";
import { PublishLoop } from "./publish-loop.ts";
import { compileReader, type SampleReader } from "./value-codec.ts";

/** A publish answer without news after so many intervals: proof that nothing changed. */
const KEEP_ALIVE_COUNT = 2;
/** The server drops a subscription that nobody asked for so many intervals; at least three keep-alives (OPC 10000-4 §5.14.2). */
const LIFETIME_COUNT = 60;

/** What one unit has subscribed. */
export interface Subscribed {
  readonly points: readonly PointDefinition<NodeAddress>[];
  readonly unit: string;
  readonly sink: SampleSink;
}

interface Listener {
  readonly sink: SampleSink;
  /** Client handles whose first value has not come: until then nothing is confirmed. */
  readonly untold: Set<number>;
  /** After {@link createItems} only: before, nobody knows what is still to come. */
  isComplete: boolean;
}

interface SubscribedItem extends MonitoredPoint {
  readonly listener: Listener;
  readonly read: SampleReader;
}

/** The one subscription of a session, shared by all units of the server. Made with the first of them. */
export class Subscription {
  readonly #connection: OpcUaConnection;
  readonly #publishInterval: Millis;
  readonly #items = new Map<number, SubscribedItem>();
  readonly #listeners = new Set<Listener>();
  /** Its id at the server. */
  #made: Promise<number> | undefined;
  #loop: PublishLoop | undefined;
  #lastHandle = 0;

  constructor(connection: OpcUaConnection, publishInterval: Millis) {
    this.#connection = connection;
    this.#publishInterval = publishInterval;
  }

  /** Serves one unit until `signal` aborts. @throws {DeviceFault} when the subscription can not be had, or is lost. */
  async serve(subscribed: Subscribed, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const listener: Listener = { sink: subscribed.sink, untold: new Set(), isComplete: false };
    const ended = endOf(this.#connection, signal);
    try {
      const id = await this.#open();
      const items = await this.#add(id, { ...subscribed, listener }, signal);
      this.#listeners.add(listener);
      await ended.promise;
      await deleteItems(this.#connection, id, items);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ended.forget();
      this.#forget(listener);
    }
  }

  /** No publish request is sent any more. */
  stop(): void {
    this.#loop?.stop();
  }

  #open(): Promise<number> {
    this.#made ??= this.#create().catch((error) => {
      // Another unit, or a later try, makes it anew.
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  async #create(): Promise<number> {
    // Shared by all units: the abort of the one that came first is not the others'.
    const { signal } = new AbortController();
    const made = await this.#connection.request("create a subscription", signal, (session) =>
      session.createSubscription({
        requestedPublishingInterval: this.#publishInterval,
        requestedLifetimeCount: LIFETIME_COUNT,
        requestedMaxKeepAliveCount: KEEP_ALIVE_COUNT,
        maxNotificationsPerPublish: 0,
        publishingEnabled: true,
        priority: 0,
      }),
    );
    const keepAlive = Millis(made.revisedPublishingInterval * Math.max(1, made.revisedMaxKeepAliveCount));
    const loop = new PublishLoop(
      this.#connection,
      { subscriptionId: made.subscriptionId, keepAlive },
      {
        notified: (message) => this.#take(message),
        confirmed: () => this.#confirm(),
      },
    );
    this.#loop = loop;
    loop.start();
    return made.subscriptionId;
  }

  async #add(
    subscriptionId: number,
    { points, unit, listener }: Subscribed & { readonly listener: Listener },
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const monitored = points.map((point): MonitoredPoint => {
      this.#lastHandle += 1;
      return { point, handle: this.#lastHandle };
    });
    for (const item of monitored) {
      this.#items.set(item.handle, { ...item, listener, read: compileReader(item.point) });
      listener.untold.add(item.handle);
    }
    const { ids, refused } = await createItems(this.#connection, { subscriptionId, monitored, unit }, signal);
    for (const { item, fault } of refused) {
      this.#items.delete(item.handle);
      listener.untold.delete(item.handle);
      listener.sink.tell(item.point, { fault });
    }
    listener.isComplete = true;
    return ids;
  }

  /** @throws {Error} for what no server may send: the session is then given up. */
  #take(message: NotificationMessage): void {
    for (const data of message.notificationData ?? []) {
      if (data instanceof DataChangeNotification) {
        for (const item of data.monitoredItems ?? []) this.#tell(item.clientHandle, item.value);
      } else if (data instanceof StatusChangeNotification) {
        throw new Error(`the server ended the subscription: ${data.status.name}`);
      }
    }
  }

  #tell(handle: number, value: DataValue): void {
    const item = this.#items.get(handle);
    // A value of an item that is being removed, or of nothing that we know.
    if (item === undefined) return;
    item.listener.untold.delete(handle);
    item.listener.sink.tell(item.point, item.read(value));
  }

  #confirm(): void {
    for (const listener of this.#listeners) {
      if (listener.isComplete && listener.untold.size === 0) listener.sink.confirm();
    }
  }

  #forget(listener: Listener): void {
    this.#listeners.delete(listener);
    for (const [handle, item] of this.#items) if (item.listener === listener) this.#items.delete(handle);
  }
}

/** Resolves with the abort, rejects with the loss. */
function endOf(connection: OpcUaConnection, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => resolve();
  signal.addEventListener("abort", abort, { once: true });
  const forgetLoss = connection.onLost((cause) =>
    reject(new DeviceFault("connection-lost", "subscribe", { cause })),
  );
  promise.catch(() => {});
  const forget = (): void => {
    forgetLoss();
    signal.removeEventListener("abort", abort);
  };
  return { promise, forget };
}
