import type { EventEmitter } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Duplex, pipeline, Readable } from "node:stream";
import { Aedes, type AedesOptions, type Client } from "aedes";
import type { Logger } from "pino";
import type { CommandState } from "../../domain/command.ts";
import type { CommandId, PointId, PointNumber, SiteId } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import type { LoopService } from "../../domain/service.ts";
import { type Clock, Millis } from "../../domain/time.ts";
import type { BrokerSettings, PointOfDevice } from "../site/site.ts";
import { LengthGuard } from "./length-guard.ts";
import { type LocalOrders, parseOrder } from "./local-order.ts";
import type { BrokerUser, PasswordFile } from "./password-file.ts";
import { findCommandPoint, isPointId, isReadable, topicOf } from "./topics.ts";
import { retainedTwins, type TwinMessage } from "./twin-message.ts";
import { TwinPublisher } from "./twin-publisher.ts";

const CONNECTIONS_MAX = 256;
const CONNECT_TIMEOUT_MS = 10_000;
/** One subscriber that stops reading holds all others up for this long, then it is dropped (STACK §6). */
const DRAIN_TIMEOUT_MS = 2_000;
const CONCURRENCY = 200;
const TOPIC_LEVELS_MAX = 16;
const FLUSH_INTERVAL = Millis(200);

export interface MqttBrokerParts {
  readonly siteId: SiteId;
  readonly settings: BrokerSettings;
  readonly users: PasswordFile;
  readonly findPoint: (number: PointNumber) => PointOfDevice | undefined;
  /** All twins as they are now, and what each commit adds. */
  readonly latestAll: () => Iterable<StoredReading>;
  readonly onCommit: (listener: (readings: readonly StoredReading[]) => void) => () => void;
  readonly orders: LocalOrders;
  readonly onState: (listener: (id: CommandId, pointId: PointId, state: CommandState) => void) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The address is taken or not to be had; the message says which setting changes it. */
export class BrokerAddressError extends Error {
  override readonly name = "BrokerAddressError";
}

/** MQTT 3.1.1 on a loopback port: retained twins for whoever may read, orders from whoever may give them, all else denied. */
export class MqttBroker implements LoopService, AsyncDisposable {
  readonly name = "broker";
  readonly #parts: MqttBrokerParts;
  readonly #principals = new WeakMap<Client, BrokerUser>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #aedes: Aedes | undefined;
  #lastTold: CommandId | undefined;

  constructor(parts: MqttBrokerParts) {
    this.#parts = parts;
  }

  /** Binds the port. @throws {BrokerAddressError} */
  async open(): Promise<{ readonly host: string; readonly port: number }> {
    const aedes = await Aedes.createBroker(this.#options());
    this.#retainTwins(aedes);
    // Its types leave this event out, and one that nobody listens to would end the process.
    const emitter: EventEmitter = aedes;
    emitter.on("error", (error: unknown) => this.#parts.logger.error({ err: error }, "MQTT broker"));
    const server = createServer((socket) => this.#accept(aedes, socket));
    server.maxConnections = CONNECTIONS_MAX;
    this.#aedes = aedes;
    const { host, port } = this.#parts.settings;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
      // Too many open files, most likely: those that are connected stay so.
      server.on("error", (error) => this.#parts.logger.error({ err: error }, "accept an MQTT connection"));
    } catch (cause) {
      aedes.close();
      const remedy = "choose another with broker.port in the site file, or 0 for one given by the system";
      throw new BrokerAddressError(`listen for MQTT on ${host}:${port}: ${remedy}`, { cause });
    }
    this.#server = server;
    const address = server.address();
    return { host, port: typeof address === "object" && address !== null ? address.port : port };
  }

  /** Publishes until aborted, then drops all clients and frees the port. */
  async run(signal: AbortSignal): Promise<void> {
    const { onCommit, onState, clock, siteId, findPoint } = this.#parts;
    const publisher = new TwinPublisher({
      siteId,
      findPoint,
      clock,
      publish: (message) => this.#publish(message),
    });
    const stops = [
      onCommit((readings) => {
        if (this.#isHeard) publisher.take(readings);
      }),
      onState((id, pointId, state) => {
        this.#lastTold = id;
        this.#publishVerdict(pointId, { commandId: id, state });
      }),
    ];
    try {
      while (!signal.aborted) {
        await clock.sleep(FLUSH_INTERVAL, signal);
        if (this.#isHeard) publisher.flush();
        else publisher.forget();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stop of stops) stop();
      await this[Symbol.asyncDispose]();
    }
  }

  /** Drops all clients and frees the port; for one that was opened and never ran. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: served, resolve: endServer } = Promise.withResolvers<void>();
    const { promise: closed, resolve: endBroker } = Promise.withResolvers<void>();
    if (this.#server === undefined) endServer();
    else this.#server.close(() => endServer());
    if (this.#aedes === undefined) endBroker();
    else this.#aedes.close(() => endBroker());
    // Those that never sent CONNECT are not known to aedes and would hold the port until it gave them up.
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([served, closed]);
  }

  /** A client counts from its CONNECT on, so nothing is lost between that and its first subscription. */
  get #isHeard(): boolean {
    return (this.#aedes?.connectedClients ?? 0) > 0;
  }

  /** Of the memory that aedes brings this alone is ours: it can be replaced as a whole or not at all. */
  #retainTwins(aedes: Aedes): void {
    const { persistence } = aedes as unknown as { readonly persistence: object };
    const createRetainedStreamCombi = (filters: readonly string[]): Readable =>
      Readable.from(packetsOf(retainedTwins(filters, this.#parts)));
    Object.assign(persistence, { createRetainedStreamCombi });
  }

  #accept(aedes: Aedes, socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    let client: Client | undefined;
    const guard = new LengthGuard(() => client?.connected === true);
    // The guard's own end reaches the socket through the pipeline; what a client did wrong is its own affair.
    pipeline(socket, guard, (error) => {
      if (error) this.#parts.logger.debug({ err: error }, "MQTT connection ended");
      socket.destroy();
    });
    client = aedes.handle(Duplex.from({ readable: guard, writable: socket }));
  }

  #options(): AedesOptions {
    return {
      concurrency: CONCURRENCY,
      connectTimeout: CONNECT_TIMEOUT_MS,
      drainTimeout: DRAIN_TIMEOUT_MS,
      maxTopicLevels: TOPIC_LEVELS_MAX,
      preConnect: (_client, packet, done) => {
        // A queue for somebody absent would need a bound and a disk; a client subscribes anew instead.
        packet.clean = true;
        // The only topic a client may publish to is an order, and an order nobody gives is none.
        delete packet.will;
        done(null, true);
      },
      authenticate: (client, name, password, done) => {
        this.#parts.users.verify(name ?? "", password ?? Buffer.alloc(0)).then(
          (user) => {
            if (user !== undefined) this.#principals.set(client, user);
            done(null, user !== undefined);
          },
          () => done(null, false),
        );
      },
      authorizeSubscribe: (client, subscription, done) => {
        const allowed = this.#principals.has(client) && isReadable(subscription.topic, this.#parts.siteId);
        done(null, allowed ? subscription : null);
      },
      authorizePublish: (client, packet, done) =>
        done(client === null ? null : this.#takeOrder(client, packet)),
    };
  }

  /**
   * Admission is durable before this returns, and only then does aedes acknowledge (PROTOCOL, measured facts). An
   * error closes the connection: for what may not be done, not for what a point refuses.
   */
  #takeOrder(
    client: Client,
    packet: { readonly topic: string; readonly payload: string | Buffer; readonly retain: boolean },
  ): Error | null {
    const user = this.#principals.get(client);
    const { siteId, clock, orders } = this.#parts;
    const pointId = findCommandPoint(packet.topic, siteId);
    if (user?.role !== "operator" || pointId === undefined)
      return new Error(`may not publish to ${packet.topic}`);
    if (packet.retain) return new Error("an order may not be retained");
    const parsed = parseOrder(Buffer.from(packet.payload), { pointId, issuedBy: `mqtt/${user.name}`, clock });
    if ("fault" in parsed) {
      this.#publishVerdict(pointId, { error: { code: "bad-order", message: parsed.fault } });
      return null;
    }
    const { commandId } = parsed.order;
    this.#lastTold = undefined;
    const { admitted } = orders.submitLocal(parsed.order);
    // A repeated order reaches no new state, so nobody else tells its verdict again.
    if (this.#lastTold !== commandId) this.#publishVerdict(pointId, { commandId, state: admitted });
    return null;
  }

  /** An order may name a point that is none; a wildcard in it must not become part of a topic. */
  #publishVerdict(pointId: PointId, content: object): void {
    if (!isPointId(pointId)) return;
    this.#publish({
      topic: topicOf(this.#parts.siteId, "verdict", pointId),
      payload: JSON.stringify(content),
    });
  }

  #publish({ topic, payload }: TwinMessage): void {
    const packet = { cmd: "publish", qos: 0, dup: false, retain: false, topic, payload } as const;
    this.#aedes?.publish(packet, (error) => {
      if (error) this.#parts.logger.warn({ err: error, topic }, "twin could not be published");
    });
  }
}

function* packetsOf(messages: Iterable<TwinMessage>): Generator<object> {
  for (const message of messages) yield { cmd: "publish", qos: 0, ...message };
}
