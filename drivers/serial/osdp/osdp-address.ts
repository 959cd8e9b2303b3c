import { z } from "zod";
import type { PointDefinition } from "../../../domain/point.ts";
import { AddressError, type Footprint } from "../../driver.ts";
import { parseSetting } from "../../parse-setting.ts";

/** Where a point is in an OSDP unit: SIA OSDP 2.2, replies LSTATR, RSTATR, ISTATR, OSTATR, PDID, RAW and KEYPAD. */
export type OsdpAddress = { readonly dialect: "osdp" } & (
  | { readonly item: "tamper" | "power-failure" }
  | { readonly item: "identity"; readonly field: IdentityField }
  | { readonly item: "input" | "output"; readonly number: number }
  | { readonly item: "reader-tamper" | "card" | "keypad"; readonly reader: number }
  | { readonly item: "led"; readonly reader: number; readonly led: number }
  | { readonly item: "buzzer"; readonly reader: number }
);
export type OsdpItem = OsdpAddress["item"];

export const IDENTITY_FIELDS = ["vendor", "model", "serial", "firmware"] as const;
export type IdentityField = (typeof IDENTITY_FIELDS)[number];

const READER = "a reader from 0 to 15";
const reader = z.int(READER).min(0, READER).max(15, READER).default(0);
const PLACE = "a contact from 0 to 254";
const place = z.int(PLACE).min(0, PLACE).max(254, PLACE);
const LED = "a lamp of the reader from 0 to 15";
const FIELD = `one of ${IDENTITY_FIELDS.join(", ")}`;
const dialect = z.literal("osdp", '"osdp"');

const ADDRESS = z.discriminatedUnion(
  "item",
  [
    z.strictObject({ dialect, item: z.enum(["tamper", "power-failure"]) }),
    z.strictObject({ dialect, item: z.literal("identity"), field: z.enum(IDENTITY_FIELDS, FIELD) }),
    z.strictObject({ dialect, item: z.enum(["input", "output"]), number: place }),
    z.strictObject({ dialect, item: z.enum(["reader-tamper", "card", "keypad"]), reader }),
    z.strictObject({
      dialect,
      item: z.literal("led"),
      reader,
      led: z.int(LED).min(0, LED).max(15, LED).default(0),
    }),
    z.strictObject({ dialect, item: z.literal("buzzer"), reader }),
  ],
  "an item of the unit: input, output, tamper, power-failure, reader-tamper, card, keypad, led, buzzer or identity",
);

/** What a point of each item must be. */
const KINDS: Record<
  OsdpItem,
  { readonly type: PointDefinition["type"]; readonly access: readonly PointDefinition["access"][] }
> = {
  tamper: { type: "boolean", access: ["read"] },
  "power-failure": { type: "boolean", access: ["read"] },
  "reader-tamper": { type: "boolean", access: ["read"] },
  input: { type: "boolean", access: ["read"] },
  output: { type: "boolean", access: ["read", "read-write"] },
  card: { type: "text", access: ["read"] },
  keypad: { type: "text", access: ["read"] },
  identity: { type: "text", access: ["read"] },
  led: { type: "number", access: ["write"] },
  buzzer: { type: "action", access: ["write"] },
};

/** @throws {AddressError} */
export function parseOsdpAddress(
  data: unknown,
  point: Pick<PointDefinition, "type" | "access">,
): OsdpAddress {
  const address = parseSetting(ADDRESS, data);
  const { type, access } = KINDS[address.item];
  if (point.type !== type || !access.includes(point.access)) {
    const expected = `an item that suits a ${point.type} point with access ${point.access}`;
    const remedy = `${address.item} is a ${type} point with access ${access.join(" or ")}: write that, or take another item`;
    throw new AddressError("/item", expected, remedy);
  }
  return address;
}

/** Each item is a space of its own. */
export function footprintOfOsdp(address: OsdpAddress): Footprint {
  return { space: `osdp-${spaceOf(address)}`, first: placeOf(address), count: 1 };
}

function spaceOf(address: OsdpAddress): string {
  if (address.item === "led") return `led-${address.reader}`;
  return address.item === "identity" ? `identity-${address.field}` : address.item;
}

function placeOf(address: OsdpAddress): number {
  if (address.item === "led") return address.led;
  if ("number" in address) return address.number;
  return "reader" in address ? address.reader : 0;
}
