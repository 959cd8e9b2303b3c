import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { pino } from "pino";
import type { Test } from "tap";
import type { CommandState } from "../../domain/command.ts";
import { type CommandId, type PointId, type PointNumber, SiteId } from "../../domain/ids.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Instant } from "../../domain/time.ts";
import type { LocalOrders } from "../../gateway/broker/local-order.ts";
import { MqttBroker } from "../../gateway/broker/mqtt-broker.ts";
import { type BrokerUser, passwordLine, readPasswordFile } from "../../gateway/broker/password-file.ts";
import { POINTS } from "./control-bench.ts";

export const SITE = SiteId("old-town");
export const COMMAND = "sc/v1/old-town/lamp-1/command/dim-level";
export const VERDICT = "sc/v1/old-town/lamp-1/verdict/dim-level";
export const REPORTED = "sc/v1/old-town/lamp-1/reported/dim-level";

export interface BrokerBench {
  readonly port: number;
  readonly broker: MqttBroker;
  /** What a commit of the store would tell. */
  commit(readings: readonly StoredReading[]): void;
  tell(id: CommandId, pointId: PointId, state: CommandState): void;
  /** A client of this name (`panel` operates, `wall` reads), ended with the test. */
  client(name: string, options?: IClientOptions): Promise<MqttClient>;
  /** A bare connection. */
  socket(): Promise<Socket>;
  stop(): Promise<void>;
}

export function stored(point: number, value: number, stateVersion = 1): StoredReading {
  return {
    point: point as PointNumber,
    value,
    quality: "good",
    cause: "none",
    gatewayTimestamp: Instant(1_800_000_000_000 + stateVersion),
    sourceTimestamp: null,
    stateVersion,
  };
}

const NO_ORDERS: LocalOrders = {
  submitLocal: () => {
    throw new Error("no order was to be given");
  },
};

/** A broker on a port of the system, with two users: `panel` (operator) and `wall` (reader), password `secret`. */
export async function openBroker(
  t: Test,
  parts: {
    readonly orders?: LocalOrders;
    readonly latest?: readonly StoredReading[];
    readonly users?: "none" | "two";
    readonly port?: number;
  } = {},
): Promise<BrokerBench> {
  const twins = new Map((parts.latest ?? []).map((reading) => [reading.point, reading]));
  const readingListeners = new Set<(readings: readonly StoredReading[]) => void>();
  const stateListeners = new Set<(id: CommandId, pointId: PointId, state: CommandState) => void>();
  const broker = new MqttBroker({
    siteId: SITE,
    settings: { host: "127.0.0.1", port: parts.port ?? 0 },
    users: await readPasswordFile(parts.users === "none" ? undefined : await writeUsers(t)),
    findPoint: (number) => POINTS.findByNumber(number),
    latestAll: () => twins.values(),
    onCommit: (listener) => {
      readingListeners.add(listener);
      return () => readingListeners.delete(listener);
    },
    orders: parts.orders ?? NO_ORDERS,
    onState: (listener) => {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  const { port } = await broker.open();
  const stopping = new AbortController();
  const run = broker.run(stopping.signal);
  const clients: MqttClient[] = [];
  const sockets: Socket[] = [];
  const stop = async (): Promise<void> => {
    stopping.abort(new Error("the test is over"));
    await run;
  };
  t.teardown(async () => {
    for (const client of clients) await client.endAsync(true);
    for (const socket of sockets) socket.destroy();
    await stop();
  });
  return {
    port,
    broker,
    stop,
    commit: (readings) => {
      for (const reading of readings) twins.set(reading.point, reading);
      for (const listener of readingListeners) listener(readings);
    },
    tell: (id, pointId, state) => {
      for (const listener of stateListeners) listener(id, pointId, state);
    },
    client: async (name, options = {}) => {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        username: name,
        password: "secret",
        protocolVersion: 4,
        reconnectPeriod: 0,
        ...options,
      });
      clients.push(client);
      return client;
    },
    socket: async () => {
      const socket = connectTcp({ host: "127.0.0.1", port });
      socket.on("error", () => undefined);
      sockets.push(socket);
      await once(socket, "connect");
      return socket;
    },
  };
}

async function writeUsers(t: Test): Promise<string> {
  const users: readonly BrokerUser[] = [
    { name: "panel", role: "operator" },
    { name: "wall", role: "reader" },
  ];
  const lines = await Promise.all(users.map((user) => passwordLine(user, "secret", systemRandom)));
  return `${t.testdir({ users: `# who may connect\n\n${lines.join("\n")}\n` })}/users`;
}

/** Every message of the topic from now on, parsed; call it after subscribing. */
export function collect(
  client: MqttClient,
): { readonly topic: string; readonly content: unknown; readonly retain: boolean }[] {
  const messages: { readonly topic: string; readonly content: unknown; readonly retain: boolean }[] = [];
  client.on("message", (topic, payload, packet) => {
    messages.push({ topic, content: JSON.parse(payload.toString()), retain: packet.retain });
  });
  return messages;
}

/** Resolves when the connection is gone. */
export function gone(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once("close", () => resolve()));
}

/** Resolves once `holds`; fails the test by its time-out otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** MQTT 3.1.1 §2.2.3: seven bits a byte, the lowest first. */
export function lengthBytes(length: number): Buffer {
  const bytes: number[] = [];
  for (let left = length; ; left = Math.floor(left / 128)) {
    bytes.push(left < 128 ? left : (left % 128) + 128);
    if (left < 128) return Buffer.from(bytes);
  }
}

/** MQTT 3.1.1 §3.1: CONNECT with a clean session and no keep-alive. */
export function connectPacket(
  clientId: string,
  user: { readonly name: string; readonly password: string },
): Buffer {
  const head = Buffer.from([0, 4, ...Buffer.from("MQTT"), 4, 0b1100_0010, 0, 0]);
  return packet(0x10, Buffer.concat([head, text(clientId), text(user.name), text(user.password)]));
}

/** MQTT 3.1.1 §3.8: SUBSCRIBE to one filter at QoS 0. */
export function subscribePacket(filter: string): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([0])]));
}

/** A packet of this first byte and body. */
export function packet(first: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first]), lengthBytes(body.length), body]);
}

function text(content: string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
