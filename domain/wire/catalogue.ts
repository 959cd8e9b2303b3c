import { createHash } from "node:crypto";
import { z } from "zod";
import { POLL_CLASSES } from "../point.ts";
import { parseMessage } from "./parse-json.ts";

/**
 * What the center needs to know of a gateway's devices, told after WELCOME when its hash differs from the one the
 * center holds. The center needs no profile files. `POST /sync/v1/catalogue`.
 */
const cataloguePoint = z.looseObject({
  /** As the profile names it. */
  name: z.string().max(64),
  number: z.number().int().min(1).max(0xffff_ffff),
  type: z.enum(["number", "boolean", "text", "action"]),
  unit: z.string().max(32),
  access: z.enum(["read", "write", "read-write"]),
  range: z.object({ min: z.number(), max: z.number() }).nullable(),
  commandClass: z.enum(["K1", "K2", "K3"]).nullable(),
  pollClass: z.enum(POLL_CLASSES),
  maxAgeMs: z.number().min(0),
  /** The sweep that confirms it; null: it is not polled (write-only, or retired). */
  sweep: z.number().int().min(1).nullable(),
  /** The point that proves a write of this one. */
  readBack: z.string().max(64).nullable(),
  /** The points of the device that its interlock asks; absent: it has none, or the gateway is older than this member. */
  interlock: z.array(z.string().max(64)).max(16).exactOptional(),
});
const catalogueDevice = z.looseObject({
  id: z.string().max(64),
  name: z.string().max(200),
  class: z.string().max(32),
  service: z.string().max(32),
  profileId: z.string().max(64),
  profileHash: z.string().max(64),
  position: z.object({ latitude: z.number(), longitude: z.number() }).nullable(),
  parent: z.string().max(64).nullable(),
  members: z.array(z.string().max(64)).max(10_000),
  points: z.array(cataloguePoint).max(1_000),
});
const catalogue = z.looseObject({
  siteId: z.string().max(64),
  name: z.string().max(200),
  devices: z.array(catalogueDevice).max(100_000),
  /** Points the site no longer has, while the store still holds records of them. */
  retired: z
    .array(z.object({ pointId: z.string().max(129), number: z.number().int().min(1).max(0xffff_ffff) }))
    .max(1_000_000),
});
export type Catalogue = z.infer<typeof catalogue>;
export type CatalogueDevice = Catalogue["devices"][number];
export type CataloguePoint = CatalogueDevice["points"][number];

const catalogueMessage = z.looseObject({
  session: z.string().max(31),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  catalogue,
});
export type CatalogueMessage = z.infer<typeof catalogueMessage>;

/** SHA-256 of its JSON, hexadecimal: two catalogues with the same hash are the same. */
export function catalogueHash(content: Catalogue): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** @throws {WireError} with the pointer of the first thing wrong, or if the hash is not that of the content. */
export function parseCatalogueMessage(data: unknown): CatalogueMessage {
  return parseMessage("CATALOGUE", catalogueMessage, data);
}
