import {
  AccessRestrictionsFlag,
  type AddressSpace,
  allPermissions,
  DataType,
  type DataValue,
  type INamespace,
  type ISessionContext,
  resolveNodeId,
  StatusCodes,
  type UAObject,
  type UAVariable,
  Variant,
  VariantArrayType,
  WellKnownRoles,
} from "node-opcua";
import { METHODS, NODES, type NodeRow, type Scalar } from "./cabinet-rows.ts";
import type { TrafficCabinet } from "./traffic-cabinet.ts";

/** The neutral model's namespace, revision 1 (docs/devices.md). */
export const CABINET_NAMESPACE = "urn:nerve:neutral:traffic-cabinet:1";

/**
 * Everybody may do what the access level allows. A node that says nothing means the same, but then the library looks its
 * namespace's defaults up for every sample, which is most of a sample's cost.
 */
const OPEN_TO_ALL = {
  rolePermissions: [{ roleId: resolveNodeId(WellKnownRoles.Anonymous), permissions: allPermissions }],
  accessRestrictions: AccessRestrictionsFlag.None,
};

/** The variables and methods of one cabinet in a server's address space. */
export class CabinetNodes {
  readonly #cabinet: TrafficCabinet;
  readonly #variables: readonly { readonly row: NodeRow; readonly variable: UAVariable }[];
  readonly #shown = new Map<string, string>();

  constructor(namespace: INamespace, parent: UAObject, cabinet: TrafficCabinet) {
    this.#cabinet = cabinet;
    const object = namespace.addObject({
      organizedBy: parent,
      browseName: cabinet.id,
      nodeId: `s=${cabinet.id}`,
    });
    this.#variables = NODES.map((row) => ({
      row,
      variable: addVariable(namespace, object, { row, cabinet }),
    }));
    for (const method of METHODS)
      addMethod(namespace, object, { method, cabinet, done: () => this.refresh() });
    this.refresh();
  }

  /** Shows what has changed since it was shown last, with the time of now. */
  refresh(): void {
    for (const { row, variable } of this.#variables) {
      const shown = row.show(this.#cabinet);
      const key = JSON.stringify([shown.value, shown.status?.value ?? 0]);
      if (this.#shown.get(row.name) === key) continue;
      this.#shown.set(row.name, key);
      variable.setValueFromSource(
        variantOf(row.type, shown.value),
        shown.status ?? StatusCodes.Good,
        new Date(this.#cabinet.timeMs),
      );
    }
  }
}

/** Where all cabinets of a server hang. */
export function addCabinets(
  space: AddressSpace,
  namespace: INamespace,
  cabinets: readonly TrafficCabinet[],
): readonly CabinetNodes[] {
  const parent = namespace.addObject({
    organizedBy: space.rootFolder.objects,
    browseName: "TrafficCabinets",
    nodeId: "s=TrafficCabinets",
  });
  return cabinets.map((cabinet) => new CabinetNodes(namespace, parent, cabinet));
}

function addVariable(
  namespace: INamespace,
  object: UAObject,
  { row, cabinet }: { readonly row: NodeRow; readonly cabinet: TrafficCabinet },
): UAVariable {
  const first = row.show(cabinet).value;
  return namespace.addVariable({
    componentOf: object,
    browseName: row.name,
    nodeId: `s=${cabinet.id}.${row.name}`,
    description: row.rsmp === "" ? "" : `RSMP SXL 1.2.1 ${row.rsmp}`,
    dataType: row.type,
    valueRank: Array.isArray(first) ? 1 : -1,
    accessLevel: "CurrentRead",
    // Everybody may try, and is told that it may not: as open62541 and asyncua answer a write to a read-only node.
    userAccessLevel: "CurrentRead",
    value: variantOf(row.type, first),
    // The controller knows when it changes: nobody has to look.
    minimumSamplingInterval: 0,
    ...OPEN_TO_ALL,
  });
}

function addMethod(
  namespace: INamespace,
  object: UAObject,
  {
    method,
    cabinet,
    done,
  }: {
    readonly method: (typeof METHODS)[number];
    readonly cabinet: TrafficCabinet;
    readonly done: () => void;
  },
): void {
  const added = namespace.addMethod(object, {
    browseName: method.name,
    nodeId: `s=${cabinet.id}.${method.name}`,
    description: `RSMP SXL 1.2.1 ${method.rsmp}`,
    inputArguments: Object.entries(method.takes).map(([name, dataType]) => ({
      name,
      dataType,
      valueRank: -1,
    })),
    outputArguments: [],
  });
  added.bindMethod(async (inputs: Variant[], _context: ISessionContext) => {
    const answer = cabinet.order(method.name, inputs.map(plainOf));
    done();
    return { statusCode: answer === "done" ? StatusCodes.Good : StatusCodes[answer] };
  });
}

function variantOf(dataType: DataType, value: Scalar | readonly Scalar[]): Variant {
  if (Array.isArray(value))
    return new Variant({ dataType, arrayType: VariantArrayType.Array, value: [...value] });
  if (dataType !== DataType.Int64) return new Variant({ dataType, value });
  const whole = BigInt(Math.round(Number(value)));
  return new Variant({
    dataType,
    arrayType: VariantArrayType.Scalar,
    value: [Number(whole >> 32n), Number(whole & 0xffff_ffffn)],
  });
}

function plainOf({ dataType, value }: Pick<DataValue["value"], "dataType" | "value">): Scalar {
  if (dataType === DataType.Int64 && Array.isArray(value))
    return Number(value[0]) * 2 ** 32 + Number(value[1]);
  return typeof value === "string" || typeof value === "boolean" ? value : Number(value);
}
