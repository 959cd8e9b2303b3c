import {
  type AddressSpace,
  DataType,
  type INamespace,
  type ISessionContext,
  type StatusCode,
  StatusCodes,
  type UAObject,
  type UAVariable,
  Variant,
  VariantArrayType,
} from "node-opcua";
import {
  type NamespaceOrder,
  type OpcUaServer,
  type OpcUaServerOptions,
  openOpcUaServer,
} from "../../../simulators/opcua/opcua-server.ts";

/** What the drivers' tests look at: variables that a test sets as it likes, on a real server. */
export const TEST_NAMESPACE = "urn:nerve:test:1";
const OTHER_NAMESPACE = "urn:nerve:test:other";

type Value = NonNullable<ConstructorParameters<typeof Variant>[0]>;
const TYPES = {
  Level: DataType.Double,
  Count: DataType.UInt16,
  Wide: DataType.Int64,
  Mode: DataType.Int32,
  On: DataType.Boolean,
  Name: DataType.String,
  Title: DataType.LocalizedText,
  At: DataType.DateTime,
  List: DataType.Byte,
  Bits: DataType.UInt32,
  Fixed: DataType.Double,
  /** Told by exception: its server need not look. */
  Alert: DataType.Boolean,
} as const;
export type TestNode = keyof typeof TYPES;
const UNITS = ["one", "two"];

export interface TestServer extends AsyncDisposable {
  readonly server: OpcUaServer;
  set(
    node: TestNode,
    value: Scalar | readonly Scalar[],
    more?: { readonly status?: StatusCode; readonly at?: Date; readonly unit?: string },
  ): void;
  /** What the variable holds now, also by a client's hand. */
  get(node: TestNode): unknown;
  /** Calls of the test method. */
  readonly calls: readonly unknown[][];
}
type Scalar = number | string | boolean | Date | object;

export async function openTestServer(
  pkiFolder: string,
  options: Partial<OpcUaServerOptions> = {},
): Promise<TestServer> {
  const variables = new Map<string, UAVariable>();
  const calls: unknown[][] = [];
  const server = await openOpcUaServer({
    listen: { host: "127.0.0.1", port: 0 },
    pkiFolder,
    clients: "any",
    security: "any",
    populate: (space, order) => populate(space, order, { variables, calls }),
    ...options,
  });
  const find = (node: TestNode, unit: string): UAVariable => {
    const found = variables.get(`${unit}.${node}`);
    if (found === undefined) throw new Error(`no node ${unit}.${node}`);
    return found;
  };
  return {
    server,
    calls,
    set: (node, value, { status = StatusCodes.Good, at = new Date(), unit = "one" } = {}) => {
      find(node, unit).setValueFromSource(variantOf(TYPES[node], value), status, at);
    },
    get: (node) => find(node, "one").readValue().value.value,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Made {
  readonly variables: Map<string, UAVariable>;
  readonly calls: unknown[][];
}

function populate(space: AddressSpace, order: NamespaceOrder, made: Made): void {
  const uris = order === "usual" ? [TEST_NAMESPACE, OTHER_NAMESPACE] : [OTHER_NAMESPACE, TEST_NAMESPACE];
  for (const uri of uris) space.registerNamespace(uri);
  const namespace = space.getNamespace(TEST_NAMESPACE);
  for (const unit of UNITS) {
    const parent = space.rootFolder.objects;
    const object = namespace.addObject({ organizedBy: parent, browseName: unit, nodeId: `s=${unit}` });
    for (const node of Object.keys(TYPES).filter(isTestNode)) {
      made.variables.set(`${unit}.${node}`, addVariable(namespace, object, node));
    }
    addMethod(namespace, object, made);
  }
}

function isTestNode(name: string): name is TestNode {
  return Object.hasOwn(TYPES, name);
}

function addVariable(namespace: INamespace, object: UAObject, node: TestNode): UAVariable {
  const access = node === "Fixed" ? "CurrentRead" : "CurrentRead | CurrentWrite";
  const dataType = TYPES[node];
  return namespace.addVariable({
    componentOf: object,
    browseName: node,
    nodeId: `s=${object.browseName.name}.${node}`,
    dataType,
    valueRank: node === "List" ? 1 : -1,
    accessLevel: access,
    userAccessLevel: access,
    value: variantOf(dataType, node === "List" ? [] : initialOf(dataType)),
    minimumSamplingInterval: node === "Alert" ? 0 : 50,
  });
}

/** Sets the level, for at most 100, and gives back what it was. */
function addMethod(namespace: INamespace, object: UAObject, { variables, calls }: Made): void {
  const unit = object.browseName.name;
  const method = namespace.addMethod(object, {
    browseName: "Set",
    nodeId: `s=${unit}.Set`,
    inputArguments: [
      { name: "level", dataType: DataType.Double },
      { name: "minutes", dataType: DataType.UInt16 },
    ],
    outputArguments: [{ name: "was", dataType: DataType.Double }],
  });
  method.bindMethod(async (inputs: Variant[], _context: ISessionContext) => {
    calls.push(inputs.map(({ value }) => value));
    const level = variables.get(`${unit}.Level`);
    const was = level?.readValue().value.value;
    if (inputs[0]?.value > 100) return { statusCode: StatusCodes.BadOutOfRange };
    level?.setValueFromSource({ dataType: DataType.Double, value: inputs[0]?.value });
    return {
      statusCode: StatusCodes.Good,
      outputArguments: [new Variant({ dataType: DataType.Double, value: was })],
    };
  });
}

function initialOf(dataType: DataType): Scalar {
  if (dataType === DataType.Boolean) return false;
  if (dataType === DataType.DateTime) return new Date(0);
  if (dataType === DataType.LocalizedText) return { text: "" };
  return dataType === DataType.String ? "" : 0;
}

function variantOf(dataType: DataType, value: Scalar | readonly Scalar[]): Value {
  if (Array.isArray(value)) return { dataType, arrayType: VariantArrayType.Array, value: [...value] };
  if (dataType !== DataType.Int64) return { dataType, value };
  const bits = BigInt.asUintN(64, BigInt(Number(value)));
  return {
    dataType,
    arrayType: VariantArrayType.Scalar,
    value: [Number(bits >> 32n), Number(bits & 0xffff_ffffn)],
  };
}
