import { AttributeIds, type DataValue, NodeId } from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";
import type { PointDefinition } from "../../domain/point.ts";
import type { PointValue } from "../../domain/reading.ts";
import type { Sample } from "../driver.ts";
import type { MethodAddress, NodeAddress, OpcUaAddress } from "./opcua-address.ts";
import type { OpcUaConnection } from "./opcua-connection.ts";
import { faultOfStatus } from "./service-fault.ts";
import { decodeResult, encodeArguments, encodeValue, type SampleReader } from "./value-codec.ts";

/** OPC 10000-4 §5.11.2: with maxAge 0 the server asks its source, as far as it can. */
const FRESH = 0;

/** One Read request. Nodes in namespaces that the server lacks are not asked; their fault is the sample. */
export async function readNodes(
  connection: OpcUaConnection,
  asked: {
    readonly points: readonly PointDefinition<NodeAddress>[];
    readonly readers: readonly SampleReader[];
    readonly label: string;
    readonly unit: string;
  },
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const { label, unit } = asked;
  const found = asked.points.map((point) => connection.resolver.find(point.address, unit));
  const nodes = found.filter((each) => each instanceof NodeId);
  const values = await readValues(connection, { nodes, label }, signal);
  const answers = values.values();
  return found.map((each, index): Sample => {
    if (each instanceof DeviceFault) return { fault: each };
    const value = answers.next().value;
    const reader = asked.readers[index];
    if (value === undefined || reader === undefined)
      return { fault: new DeviceFault("malformed-reply", label) };
    return reader(value);
  });
}

async function readValues(
  connection: OpcUaConnection,
  { nodes, label }: { readonly nodes: readonly NodeId[]; readonly label: string },
  signal: AbortSignal,
): Promise<readonly DataValue[]> {
  if (nodes.length === 0) return [];
  const asked = nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value }));
  const values = await connection.request(label, signal, (session) => session.read(asked, FRESH));
  if (values.length === nodes.length) return values;
  const cause = new Error(`${values.length} values came for ${nodes.length} nodes`);
  throw new DeviceFault("malformed-reply", label, { cause });
}

/** A write, or the method that stands for it. @throws {DeviceFault} when the server did not take it. */
export async function writeNode(
  connection: OpcUaConnection,
  order: { readonly point: PointDefinition<OpcUaAddress>; readonly value: PointValue; readonly unit: string },
  signal: AbortSignal,
): Promise<void> {
  const { point, value, unit } = order;
  const { address } = point;
  const method = address.kind === "action" ? address : address.write;
  if (method !== undefined) {
    const args =
      address.kind === "action" && method.arguments.every((each) => each.value !== undefined) ? [] : [value];
    await callMethod(connection, { name: point.name, method, args, unit }, signal);
    return;
  }
  if (address.kind === "action") return;
  const label = `write ${JSON.stringify(value)} to ${address.node} of unit ${unit}`;
  if (point.access === "read") {
    throw new DeviceFault("unknown-address", label, {
      cause: new Error(`not sent: ${point.name} is only read`),
    });
  }
  const nodeId = connection.resolver.resolve(address.namespace, address.node, unit);
  const variant = encodeValue({ ...point, address }, value, label);
  const status = await connection.request(label, signal, (session) =>
    session.write({ nodeId, attributeId: AttributeIds.Value, value: { value: variant } }),
  );
  if (!status.isGood()) throw faultOfStatus(status, label);
}

/** @returns the method's first result. @throws {DeviceFault} when the method refused, with its own status. */
export async function callMethod(
  connection: OpcUaConnection,
  call: {
    readonly name: string;
    readonly method: MethodAddress | undefined;
    readonly args: readonly PointValue[];
    readonly unit: string;
  },
  signal: AbortSignal,
): Promise<PointValue | undefined> {
  const { name, method, args, unit } = call;
  if (method === undefined) {
    const cause = new Error(`not sent: ${name} names no method`);
    throw new DeviceFault("unknown-address", `call ${name} of unit ${unit}`, { cause });
  }
  const label = `call ${method.method} of unit ${unit}`;
  const objectId = connection.resolver.resolve(method.namespace, method.object, unit);
  const methodId = connection.resolver.resolve(method.namespace, method.method, unit);
  const inputArguments = encodeArguments(method.arguments, args, label);
  const result = await connection.request(label, signal, (session) =>
    session.call({ objectId, methodId, inputArguments }),
  );
  // OPC 10000-4 §5.12.2: the call came back well; whether the method did it is in its own result.
  if (!result.statusCode.isGood()) throw faultOfStatus(result.statusCode, label);
  return decodeResult(result.outputArguments?.[0]);
}
