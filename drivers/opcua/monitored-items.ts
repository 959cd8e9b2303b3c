import {
  AttributeIds,
  DataChangeFilter,
  DataChangeTrigger,
  type DataValue,
  DeadbandType,
  type MonitoredItemCreateResult,
  MonitoringMode,
  type NodeId,
  TimestampsToReturn,
} from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition, PollClass } from "../../domain/point.ts";
import type { NodeAddress } from "./opcua-address.ts";
import type { OpcUaConnection } from "./opcua-connection.ts";
import { faultOfStatus } from "./service-fault.ts";
import { judgeStatus } from "./status-quality.ts";
import { unknownNode } from "./value-codec.ts";

/** A point under the number by which the server names it in its notifications. */
export interface MonitoredPoint {
  readonly point: PointDefinition<NodeAddress>;
  readonly handle: number;
}

interface Created {
  /** The server's ids, for deleting. */
  readonly ids: readonly number[];
  readonly refused: readonly { readonly item: MonitoredPoint; readonly fault: DeviceFault }[];
}

/** How often the server looks where it has to, in ms; it tells with the next publishing (DOMAIN C.4). */
const SAMPLING_MS: Readonly<Record<PollClass, number>> = {
  "safety-status": 250,
  fast: 500,
  normal: 2_000,
  meter: 10_000,
  lamp: 5_000,
  slow: 30_000,
};
/** What a node says of itself whose server knows when it changes, and what asks it to tell just that: OPC 10000-4 §7.21. */
const BY_EXCEPTION = 0;
/** The others are told often enough. */
const URGENT: ReadonlySet<PollClass> = new Set(["safety-status", "fast", "normal"]);
/** Changes between two publishings that are all told; then the oldest gives way. */
const QUEUE_SIZE = 10;

/** Monitors the points, in as few calls as the server allows. A point that it refuses hides no other. @throws {DeviceFault} */
export async function createItems(
  connection: OpcUaConnection,
  asked: {
    readonly subscriptionId: number;
    readonly monitored: readonly MonitoredPoint[];
    readonly unit: string;
  },
  signal: AbortSignal,
): Promise<Created> {
  const ids: number[] = [];
  const refused: { item: MonitoredPoint; fault: DeviceFault }[] = [];
  const found = asked.monitored.flatMap((item) => {
    const nodeId = connection.resolver.find(item.point.address, asked.unit);
    if (!(nodeId instanceof DeviceFault)) return [{ item, nodeId }];
    refused.push({ item, fault: nodeId });
    return [];
  });
  const byException = await exceptionNodes(connection, found, signal);
  for (let at = 0; at < found.length; at += connection.limits.monitor) {
    const part = found.slice(at, at + connection.limits.monitor);
    const monitor = { subscriptionId: asked.subscriptionId, part, byException };
    const results = await createSome(connection, monitor, signal);
    for (const [index, { item }] of part.entries()) {
      const result = results[index];
      const fault = faultOfResult(item.point, result);
      if (fault !== undefined) refused.push({ item, fault });
      else if (result !== undefined) ids.push(result.monitoredItemId);
    }
  }
  return { ids, refused };
}

/** As far as the server still listens: what it does not hear ends with the session. */
export async function deleteItems(
  connection: OpcUaConnection,
  subscriptionId: number,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0 || connection.fault !== undefined) return;
  const never = new AbortController().signal;
  try {
    await connection.request(`remove ${ids.length} monitored items`, never, (session) =>
      session.deleteMonitoredItems({ subscriptionId, monitoredItemIds: [...ids] }),
    );
  } catch (error) {
    if (!(error instanceof DeviceFault)) throw error;
  }
}

type FoundItem = { readonly item: MonitoredPoint; readonly nodeId: NodeId };

interface Monitor {
  readonly subscriptionId: number;
  readonly part: readonly FoundItem[];
  readonly byException: ReadonlySet<FoundItem>;
}

/** Those of the urgent ones whose server needs not sample them: a change is told at once, and costs nothing while there is none. */
async function exceptionNodes(
  connection: OpcUaConnection,
  found: readonly FoundItem[],
  signal: AbortSignal,
): Promise<ReadonlySet<FoundItem>> {
  const urgent = found.filter(({ item }) => URGENT.has(item.point.pollClass));
  const answers: DataValue[] = [];
  for (let at = 0; at < urgent.length; at += connection.limits.read) {
    const part = urgent.slice(at, at + connection.limits.read);
    const asked = part.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.MinimumSamplingInterval }));
    const label = `read how ${asked.length} nodes are sampled`;
    answers.push(...(await connection.request(label, signal, (session) => session.read(asked))));
  }
  // The attribute is optional: whose server does not say is sampled.
  const isSo = (answer: DataValue | undefined): boolean =>
    answer?.statusCode.isGood() === true && answer.value.value === BY_EXCEPTION;
  return new Set(urgent.filter((_, index) => isSo(answers[index])));
}

/** A server that knows no deadband for a node is asked again without: the gateway has its own. */
async function createSome(
  connection: OpcUaConnection,
  monitor: Monitor,
  signal: AbortSignal,
): Promise<readonly (MonitoredItemCreateResult | undefined)[]> {
  const results = await create(connection, { ...monitor, filters: "deadband" }, signal);
  const unfiltered = monitor.part.filter((_, index) => isFilterRefusal(results[index]));
  if (unfiltered.length === 0) return results;
  const again = await create(connection, { ...monitor, part: unfiltered, filters: "none" }, signal);
  const second = again.values();
  return results.map((result) => (isFilterRefusal(result) ? second.next().value : result));
}

async function create(
  connection: OpcUaConnection,
  { subscriptionId, part, byException, filters }: Monitor & { readonly filters: "deadband" | "none" },
  signal: AbortSignal,
): Promise<readonly MonitoredItemCreateResult[]> {
  const samplingOf = (found: FoundItem): number =>
    byException.has(found) ? BY_EXCEPTION : SAMPLING_MS[found.item.point.pollClass];
  const itemsToCreate = part.map((found) => ({
    itemToMonitor: { nodeId: found.nodeId, attributeId: AttributeIds.Value },
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle: found.item.handle,
      samplingInterval: samplingOf(found),
      queueSize: QUEUE_SIZE,
      discardOldest: true,
      filter: filters === "deadband" ? deadbandOf(found.item.point) : null,
    },
  }));
  const answer = await connection.request(`monitor ${part.length} nodes`, signal, (session) =>
    session.createMonitoredItems({
      subscriptionId,
      timestampsToReturn: TimestampsToReturn.Source,
      itemsToCreate,
    }),
  );
  return answer.results ?? [];
}

/**
 * The point's deadband in the device's own numbers. None where a number may stand for something else, since a change
 * to it could be small: a sentinel, a part of a variable.
 */
function deadbandOf({
  type,
  deadband,
  sentinels,
  scale,
  address,
}: PointDefinition<NodeAddress>): DataChangeFilter | null {
  const isPlain = address.element === undefined && address.bit === undefined && sentinels === undefined;
  if (type !== "number" || deadband <= 0 || !isPlain || scale?.kind === "dali-log") return null;
  const deadbandValue = deadband / Math.abs(scale?.factor ?? 1);
  return new DataChangeFilter({
    trigger: DataChangeTrigger.StatusValue,
    deadbandType: DeadbandType.Absolute,
    deadbandValue,
  });
}

function isFilterRefusal(result: MonitoredItemCreateResult | undefined): boolean {
  const name = result?.statusCode.name ?? "";
  return /^Bad(MonitoredItemFilter|Filter|Deadband)/.test(name);
}

function faultOfResult(
  point: PointDefinition<NodeAddress>,
  result: MonitoredItemCreateResult | undefined,
): DeviceFault | undefined {
  if (result === undefined) return new DeviceFault("malformed-reply", `monitor ${point.name}`);
  if (result.statusCode.isGood()) return undefined;
  const isUnknown = judgeStatus(result.statusCode.value).kind === "unknown-node";
  return isUnknown
    ? unknownNode(point, result.statusCode.name)
    : faultOfStatus(result.statusCode, `monitor ${point.name}`);
}
