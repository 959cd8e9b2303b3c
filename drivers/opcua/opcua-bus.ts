import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Bus, Exchange, HoleMap, Sample, SampleSink, UnitSession } from "../driver.ts";
import type { OpcUaBusConfig } from "./bus-config.ts";
import { callMethod, readNodes, writeNode } from "./node-services.ts";
import { footprintOf, type NodeAddress, type OpcUaAddress } from "./opcua-address.ts";
import type { OpcUaConnection } from "./opcua-connection.ts";
import { Subscription } from "./subscription.ts";
import { compileReader, type SampleReader } from "./value-codec.ts";

/** One session with one server, and the units that it has. */
export class OpcUaBus implements Bus<OpcUaAddress> {
  readonly #connection: OpcUaConnection;
  readonly #subscription: Subscription;

  constructor(connection: OpcUaConnection, config: OpcUaBusConfig) {
    this.#connection = connection;
    this.#subscription = new Subscription(connection, config.publishInterval);
  }

  get lost(): Promise<unknown> {
    return this.#connection.lost;
  }

  openSession(unitAddress: string): UnitSession<OpcUaAddress> {
    return new OpcUaUnitSession(this.#connection, this.#subscription, unitAddress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.stop();
    await this.#connection.close();
  }
}

/** One Read request of a plan, with what turns its answer into samples. */
interface OpcUaExchange extends Exchange<OpcUaAddress> {
  readonly points: readonly PointDefinition<NodeAddress>[];
  readonly readers: readonly SampleReader[];
}

/** A unit of a server: the nodes whose identifiers hold its name. */
class OpcUaUnitSession implements UnitSession<OpcUaAddress> {
  readonly #connection: OpcUaConnection;
  readonly #subscription: Subscription;
  readonly #unit: string;

  constructor(connection: OpcUaConnection, subscription: Subscription, unit: string) {
    this.#connection = connection;
    this.#subscription = subscription;
    this.#unit = unit;
  }

  plan(points: readonly PointDefinition<OpcUaAddress>[], holes: HoleMap): readonly OpcUaExchange[] {
    const values = points.filter(isValue).filter(({ address }) => !isHole(address, holes));
    const most = this.#connection.limits.read;
    return Array.from({ length: Math.ceil(values.length / most) }, (_, index) => {
      const part = values.slice(index * most, (index + 1) * most);
      const label = `read ${part.length} nodes from ${part[0]?.address.node} of unit ${this.#unit}`;
      return { points: part, label, readers: part.map(compileReader) };
    });
  }

  async exchange(exchange: OpcUaExchange, signal: AbortSignal): Promise<readonly Sample[]> {
    return await readNodes(this.#connection, { ...exchange, unit: this.#unit }, signal);
  }

  async write(point: PointDefinition<OpcUaAddress>, value: PointValue, signal: AbortSignal): Promise<void> {
    await writeNode(this.#connection, { point, value, unit: this.#unit }, signal);
  }

  async invoke(
    point: PointDefinition<OpcUaAddress>,
    args: readonly PointValue[],
    signal: AbortSignal,
  ): Promise<PointValue | undefined> {
    return await callMethod(
      this.#connection,
      { name: point.name, method: methodOf(point.address), args, unit: this.#unit },
      signal,
    );
  }

  /** Everything that can be read: the server samples, and tells changes. */
  tellsByItself(point: PointDefinition<OpcUaAddress>): boolean {
    return isValue(point) && point.access !== "write";
  }

  async subscribe(
    points: readonly PointDefinition<OpcUaAddress>[],
    sink: SampleSink,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#subscription.serve({ points: points.filter(isValue), unit: this.#unit, sink }, signal);
  }
}

function isHole(address: NodeAddress, holes: HoleMap): boolean {
  const { space, first } = footprintOf(address);
  return holes.has(space, first, 1);
}

function isValue(point: PointDefinition<OpcUaAddress>): point is PointDefinition<NodeAddress> {
  return point.address.kind === "node";
}

function methodOf(address: OpcUaAddress) {
  return address.kind === "action" ? address : address.write;
}
