import { AttributeIds, type OPCUAClient, type PublishRequest, type PublishResponse } from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import { Millis } from "../../domain/time.ts";
import type { DriverContext } from "../driver.ts";
import type { OpcUaBusConfig } from "./bus-config.ts";
import { NodeResolver } from "./node-resolver.ts";
import { openClient } from "./open-client.ts";
import type { RawSession } from "./raw-session.ts";
import { faultOfError } from "./service-fault.ts";

/** Most nodes in one call, as the server and the configuration allow. */
export interface CallLimits {
  readonly read: number;
  readonly monitor: number;
}

const NAMESPACE_ARRAY = "ns=0;i=2255";
/** Server_ServerCapabilities_OperationLimits: MaxNodesPerRead and MaxMonitoredItemsPerCall (OPC 10000-5 §6.3.11). */
const LIMITS = { read: "ns=0;i=11705", monitor: "ns=0;i=11714" } as const;
const NAMESPACES_MAX = 10_000;
/** How long a server may take to hear that we go. */
const FAREWELL_MAX = Millis(1_000);

/** Opens a session and learns what must be known before a node can be named. @throws {DeviceFault}, or the signal's reason; nothing is left open then. */
export async function openConnection(
  config: OpcUaBusConfig,
  context: DriverContext,
  signal: AbortSignal,
): Promise<OpcUaConnection> {
  signal.throwIfAborted();
  const clients: OPCUAClient[] = [];
  const over = Promise.withResolvers<never>();
  const abort = (): void => over.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const cancel = context.clock.schedule(config.connectTimeout, () => {
    const cause = new Error(
      `no session within ${config.connectTimeout} ms: check address, cable and firewall`,
    );
    over.reject(new DeviceFault("connection-lost", `connect to ${config.endpoint}`, { cause }));
  });
  let isGivenUp = false;
  const opening = prepare(config, context, (client) => {
    // Given up already: a client that comes now must not open anything.
    if (isGivenUp) throw new DeviceFault("connection-lost", `connect to ${config.endpoint}`);
    clients.push(client);
  });
  try {
    return await Promise.race([opening, over.promise]);
  } catch (error) {
    isGivenUp = true;
    for (const client of clients) breakOff(client);
    opening.then((late) => late.close()).catch(() => {});
    throw signal.aborted ? signal.reason : faultOfError(error, `connect to ${config.endpoint}`);
  } finally {
    cancel();
    signal.removeEventListener("abort", abort);
    over.promise.catch(() => {});
  }
}

/** One session with a server, and whether it is lost. */
export class OpcUaConnection {
  readonly lost: Promise<unknown>;
  readonly resolver: NodeResolver;
  readonly limits: CallLimits;
  readonly context: DriverContext;
  readonly namespaces: readonly string[];
  readonly #client: OPCUAClient;
  readonly #session: RawSession;
  readonly #timeout: Millis;
  readonly #over = Promise.withResolvers<unknown>();
  readonly #listeners = new Set<(cause: unknown) => void>();
  #fault: DeviceFault | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    opened: { readonly client: OPCUAClient; readonly session: RawSession; readonly timeout: Millis },
    known: { readonly namespaces: readonly string[]; readonly limits: CallLimits },
    context: DriverContext,
  ) {
    this.#client = opened.client;
    this.#session = opened.session;
    this.#timeout = opened.timeout;
    this.context = context;
    this.limits = known.limits;
    this.namespaces = known.namespaces;
    this.resolver = new NodeResolver(known.namespaces);
    this.lost = this.#over.promise;
    this.#watch();
  }

  /** What took the connection; `undefined` while it holds. */
  get fault(): DeviceFault | undefined {
    return this.#fault;
  }

  get timeout(): Millis {
    return this.#timeout;
  }

  /**
   * Calls back with what took the connection, at once if it is lost already. The returned function calls it off: a promise
   * would keep every request that ever waited, as long as the session lives.
   */
  onLost(callback: (cause: unknown) => void): () => void {
    if (this.#fault !== undefined) callback(this.#fault.cause);
    else this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Settles {@link lost} and everything that waits; the first cause counts. */
  lose(cause: unknown): void {
    if (this.#fault !== undefined) return;
    this.#fault = new DeviceFault("connection-lost", "use a session that was lost", { cause });
    for (const listener of this.#listeners) listener(cause);
    this.#listeners.clear();
    this.#over.resolve(cause);
  }

  /**
   * One request and its answer, or what came first: the time-out, the abort, the loss. An answer that comes later is
   * nobody's: the protocol numbers its requests.
   * @throws {DeviceFault}, or the signal's reason
   */
  async request<Result>(
    label: string,
    signal: AbortSignal,
    start: (session: RawSession) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    if (this.#fault !== undefined) throw new DeviceFault("connection-lost", label, { cause: this.#fault });
    const first = Promise.withResolvers<Result>();
    const abort = (): void => first.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const cancel = this.context.clock.schedule(this.#timeout, () =>
      first.reject(new DeviceFault("timeout", label)),
    );
    // The library checks some of what it is given before it makes a promise.
    const answered = (async () => await start(this.#session))();
    answered.then(first.resolve, (error) => first.reject(this.#settle(error, label)));
    const forget = this.onLost((cause) => first.reject(new DeviceFault("connection-lost", label, { cause })));
    try {
      return await first.promise;
    } finally {
      cancel();
      forget();
      signal.removeEventListener("abort", abort);
    }
  }

  /** Without a time-out: the server holds it until there is something to tell. Not sent once the session is lost. */
  publish(
    request: PublishRequest,
    answered: (error: Error | null, response?: PublishResponse) => void,
  ): void {
    if (this.#fault === undefined) this.#session.publish(request, answered);
  }

  /** Says farewell where somebody listens, so that the server has its session back, and closes the socket. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const wasLost = this.#fault !== undefined;
    this.lose(new Error("the bus was put away"));
    if (!wasLost) await this.#farewell();
    breakOff(this.#client);
    await this.#client.disconnect().catch(() => {});
  }

  async #farewell(): Promise<void> {
    const waited = Promise.withResolvers<void>();
    const patience = Millis(Math.min(FAREWELL_MAX, this.#timeout));
    const cancel = this.context.clock.schedule(patience, waited.resolve);
    await Promise.race([this.#session.close(true).catch(() => {}), waited.promise]);
    cancel();
  }

  #settle(error: unknown, label: string): DeviceFault {
    const fault = faultOfError(error, label);
    if (fault.code === "connection-lost") this.lose(fault.cause);
    return fault;
  }

  #watch(): void {
    const { frames } = this.context;
    const lose = (what: string) => (error?: unknown) => this.lose(new Error(what, { cause: error }));
    this.#client.on("connection_lost", lose("the server closed the connection"));
    this.#client.on("close", lose("the connection was closed"));
    this.#client.on("abort", lose("the connection was cut off"));
    this.#session.on("session_closed", lose("the server closed the session"));
    // From here on, so that no password that opens a session comes into the ring that crews read (I42).
    this.#client.on("send_chunk", (chunk) => frames("sent", chunk));
    this.#client.on("receive_chunk", (chunk) => frames("received", chunk));
  }
}

async function prepare(
  config: OpcUaBusConfig,
  context: DriverContext,
  keep: (client: OPCUAClient) => void,
): Promise<OpcUaConnection> {
  const opened = await openClient(config, context, keep);
  const nodes = [NAMESPACE_ARRAY, LIMITS.read, LIMITS.monitor];
  const [namespaces, read, monitor] = await opened.session.read(
    nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value })),
  );
  const limits = { read: limitOf(read?.value.value, config), monitor: limitOf(monitor?.value.value, config) };
  const timeout = config.requestTimeout ?? context.requestTimeout;
  return new OpcUaConnection(
    { ...opened, timeout },
    { namespaces: textsIn(namespaces?.value.value), limits },
    context,
  );
}

/** 0 or nothing: the server sets no limit. */
function limitOf(value: unknown, { itemsPerCall }: OpcUaBusConfig): number {
  return typeof value === "number" && value > 0 ? Math.min(value, itemsPerCall) : itemsPerCall;
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.slice(0, NAMESPACES_MAX).map(String) : [];
}

/** Cuts the socket at once, in whatever state the client is. */
function breakOff(client: OPCUAClient): void {
  const channel: unknown = Reflect.get(client, "_secureChannel");
  const cut =
    typeof channel === "object" && channel !== null
      ? Reflect.get(channel, "forceConnectionBreak")
      : undefined;
  if (typeof cut === "function") {
    try {
      cut.call(channel);
    } catch {
      // It has no socket yet; disconnecting is enough.
    }
  }
  client.disconnect().catch(() => {});
}
