import { z } from "zod";
import type { PointDefinition } from "../../domain/point.ts";
import { AddressError, type Footprint } from "../driver.ts";
import { parseSetting } from "../parse-setting.ts";

/** Where a point is in a server. Namespaces by URI: their index is the server's affair and changes with its restarts. */
export type OpcUaAddress = NodeAddress | ActionAddress;

/** The value of a variable, or a part of it. */
export interface NodeAddress {
  readonly kind: "node";
  readonly namespace: string;
  /** OPC 10000-6 §5.3.1.10 without its `ns=`: `s=…`, `i=…`, `g=…`, `b=…`; `{unit}` in it stands for the unit address. */
  readonly node: string;
  /** Taken by a write and by what an enumeration is on the wire. */
  readonly dataType: WrittenDataType;
  /** Names of an enumeration's numbers; absent: the value is what it is. */
  readonly names?: Readonly<Record<string, number>>;
  /** Of an array: only this element, from 0. */
  readonly element?: number;
  /** Of an integer: only this bit, 0 (lowest) … 31, as a boolean. */
  readonly bit?: number;
  /** A command calls this method instead of writing the variable. */
  readonly write?: MethodAddress;
}

/** Something that is done and has no value. */
export interface ActionAddress extends MethodAddress {
  readonly kind: "action";
}

export interface MethodAddress {
  readonly namespace: string;
  readonly object: string;
  readonly method: string;
  /** In the order of the method's own. */
  readonly arguments: readonly MethodArgument[];
}

/** `value` absent: the command gives it; those are taken in order. */
export interface MethodArgument {
  readonly dataType: WrittenDataType;
  readonly names?: Readonly<Record<string, number>>;
  readonly value?: number | boolean | string;
}

const DATA_TYPES = [
  "Boolean",
  "SByte",
  "Byte",
  "Int16",
  "UInt16",
  "Int32",
  "UInt32",
  "Int64",
  "UInt64",
  "Float",
  "Double",
  "String",
] as const;
export type WrittenDataType = (typeof DATA_TYPES)[number];

const NAMESPACE = "the namespace's URI, e.g. urn:acme:controller: its index may change";
const NODE = 'a node identifier without its ns=: "s={unit}.ControlMode", "i=2255", "g=…" or "b=…"';
const TYPE = `one of ${DATA_TYPES.join(", ")}`;
const NAMES = "a mapping from name to number, e.g. { startup: 0, control: 1 }";
const ELEMENT = "an element of the array from 0 to 65535";
const BIT = "a bit from 0 (lowest) to 31";
const ARGUMENTS = "a list of { dataType } with value: … where it is always the same";
const METHOD = '{ object: "s={unit}", method: "s={unit}.SetPlan", arguments: [{ dataType: UInt16 }] }';
const STRING_ID_MAX = 4_096;

const node = z.string(NODE).refine(isNode, NODE);
const names = z
  .record(z.string().min(1).max(100), z.int(NAMES).min(-2_147_483_648).max(4_294_967_295), NAMES)
  .refine(
    (all) => new Set(Object.values(all)).size === Object.keys(all).length && Object.keys(all).length > 0,
    NAMES,
  );
const dataType = z.enum(DATA_TYPES, TYPE);
const argument = z.strictObject(
  { dataType, names: names.optional(), value: z.union([z.number(), z.boolean(), z.string()]).optional() },
  ARGUMENTS,
);
const methodKeys = {
  object: node,
  method: node,
  arguments: z.array(argument, ARGUMENTS).max(32, "at most 32 arguments").default([]),
};
const namespace = z.string(NAMESPACE).min(1, NAMESPACE).max(1_000, NAMESPACE);
const VALUE = z.strictObject(
  {
    namespace,
    node,
    dataType: dataType.optional(),
    names: names.optional(),
    element: z.int(ELEMENT).min(0, ELEMENT).max(65_535, ELEMENT).optional(),
    bit: z.int(BIT).min(0, BIT).max(31, BIT).optional(),
    write: z.strictObject({ namespace: namespace.optional(), ...methodKeys }, METHOD).optional(),
  },
  '{ namespace: "urn:acme:controller", node: "s={unit}.ControlMode" }',
);
const ACTION = z.strictObject({ namespace, ...methodKeys }, METHOD);
type PointKind = Pick<PointDefinition, "type" | "access">;

/** @throws {AddressError} */
export function parseOpcUaAddress(data: unknown, point: PointKind): OpcUaAddress {
  if (point.type === "action") return actionAddress(data);
  const written = parseSetting(VALUE, data);
  const { element, bit, write } = written;
  refuseNames(written, point);
  refusePart(written, point);
  if (write !== undefined) refuseWrite(write.arguments, point);
  const method = write && {
    ...write,
    namespace: write.namespace ?? written.namespace,
    arguments: write.arguments.map(argumentOf),
  };
  return {
    kind: "node",
    namespace: written.namespace,
    node: written.node,
    dataType: written.dataType ?? presetType(point, written.names),
    ...(written.names !== undefined && { names: written.names }),
    ...(element !== undefined && { element }),
    ...(bit !== undefined && { bit }),
    ...(method !== undefined && { write: method }),
  };
}

/** The names that a command may write: those of the method's open argument, or of the variable itself. */
export function choicesOf(address: OpcUaAddress): readonly string[] | undefined {
  if (address.kind === "action") return undefined;
  const open = address.write?.arguments.find(({ value }) => value === undefined);
  const names = address.write === undefined ? address.names : open?.names;
  return names === undefined ? undefined : Object.keys(names);
}

/** A variable is one place; its elements and bits are places inside. Actions on one method with other constants are others. */
export function footprintOf(address: OpcUaAddress): Footprint {
  if (address.kind === "action") {
    const { namespace: uri, object, method } = address;
    return { space: `${uri};${object} ${method} ${JSON.stringify(address.arguments)}`, first: 0, count: 1 };
  }
  const space = `${address.namespace};${address.node}`;
  const whole = { space, first: address.element ?? 0, count: address.element === undefined ? 65_536 : 1 };
  return address.bit === undefined ? whole : { ...whole, count: 1, bitMask: 1 << address.bit };
}

const UNIT =
  "the name of the unit as it stands in its node identifiers, e.g. junction-042; 1 where they hold none";

/**
 * What `{unit}` in node identifiers stands for: the cabinet's own name on a server that has several.
 * @throws {AddressError}
 */
export function parseUnitAddress(data: unknown): string {
  const text = typeof data === "number" ? String(data) : data;
  if (typeof text === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text)) return text;
  throw new AddressError("", UNIT, `${JSON.stringify(data)} is no unit address: write ${UNIT}`);
}

function actionAddress(data: unknown): ActionAddress {
  const written = parseSetting(ACTION, data);
  return { kind: "action", ...written, arguments: written.arguments.map(argumentOf) };
}

function argumentOf({ names, value, dataType }: z.output<typeof argument>): MethodArgument {
  return { dataType, ...(names !== undefined && { names }), ...(value !== undefined && { value }) };
}

function presetType({ type }: PointKind, names: object | undefined): WrittenDataType {
  if (names !== undefined) return "Int32";
  return type === "boolean" ? "Boolean" : type === "text" ? "String" : "Double";
}

function refuseNames({ names, dataType }: z.output<typeof VALUE>, point: PointKind): void {
  if (names === undefined) return;
  if (point.type !== "text")
    refuse(
      "/names",
      "no names but on a text",
      `names make a text of a number: make the point a text, or remove names`,
    );
  if (dataType === "Boolean" || dataType === "String")
    refuse(
      "/dataType",
      "an integer type",
      `an enumeration is an integer on the wire: write e.g. Int32, or remove names`,
    );
}

function refusePart({ element, bit, write }: z.output<typeof VALUE>, point: PointKind): void {
  if (bit !== undefined && point.type !== "boolean")
    refuse("/bit", "a boolean point", "a bit is a boolean: make the point boolean, or remove bit");
  if (point.access === "read" || write !== undefined) return;
  const part = element !== undefined ? "element" : bit !== undefined ? "bit" : undefined;
  if (part === undefined) return;
  refuse(
    `/${part}`,
    "a whole variable, or write: with a method",
    `a part of a variable is not written, since its neighbours would be overwritten unseen: command the whole variable, or name the method with write`,
  );
}

function refuseWrite(given: readonly { readonly value?: unknown }[], point: PointKind): void {
  if (point.access === "read")
    refuse(
      "/write",
      "no such key on a point that is only read",
      "remove write, or give the point write access",
    );
  const open = given.filter(({ value }) => value === undefined).length;
  if (open !== 1)
    refuse(
      "/write/arguments",
      "exactly one argument without value",
      `${open} arguments have no value: the command gives one, the others are written here`,
    );
}

function refuse(pointer: string, expected: string, message: string): never {
  throw new AddressError(pointer, expected, `${pointer}: ${message}`);
}

function isNode(text: string): boolean {
  const [, kind, rest = ""] = /^([sigb])=(.*)$/s.exec(text) ?? [];
  switch (kind) {
    case "s":
      return rest.length > 0 && rest.length <= STRING_ID_MAX && !/[{}]/.test(rest.replaceAll("{unit}", ""));
    case "i":
      return /^\d{1,10}$/.test(rest) && Number(rest) <= 4_294_967_295;
    case "g":
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(rest);
    case "b":
      return rest.length > 0 && rest.length <= STRING_ID_MAX && /^[A-Za-z0-9+/]+={0,2}$/.test(rest);
    default:
      return false;
  }
}
