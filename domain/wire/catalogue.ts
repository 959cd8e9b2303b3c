import { createHash } from "node:crypto";
import { z } from "zod";
import { ARGUMENTS_MAX, CHOICE_MAX_CHARS, CHOICES_MAX, POLL_CLASSES } from "../point.ts";
import { parseMessage } from "./parse-json.ts";
import { WireError } from "./wire-error.ts";

/**
 * What the center needs to know of a gateway's devices, told after WELCOME when its hash differs from the one the
 * center holds. The center needs no profile files. `POST /sync/v1/catalogue`.
 *
 * Devices of a model have the same points, so what a point is stands once a kind; a device adds what is its own: the
 * numbers of its points and the sweeps that confirm them. 153,000 points are 6 MB so; told one by one they were 37 MB.
 */
const pointNumber = z.number().int().min(1).max(0xffff_ffff);
const choice = z.union([z.number(), z.boolean(), z.string().max(CHOICE_MAX_CHARS)]);
const range = z.object({ min: z.number(), max: z.number() });
/** As `ArgumentDefinition` of the domain. */
const catalogueArgument = z.looseObject({
  name: z.string().max(64),
  type: z.enum(["number", "boolean", "text"]),
  unit: z.string().max(32),
  range: range.exactOptional(),
  oneOf: z.array(choice).max(CHOICES_MAX).exactOptional(),
});
const cataloguePoint = z.looseObject({
  /** As the profile names it. */
  name: z.string().max(64),
  type: z.enum(["number", "boolean", "text", "action"]),
  unit: z.string().max(32),
  access: z.enum(["read", "write", "read-write"]),
  range: range.nullable(),
  commandClass: z.enum(["K1", "K2", "K3"]).nullable(),
  pollClass: z.enum(POLL_CLASSES),
  maxAgeMs: z.number().min(0),
  /** Whether the device's sweep of this poll class confirms it. */
  polled: z.boolean(),
  /** The point that proves a write of this one. */
  readBack: z.string().max(64).nullable(),
  /** The points of the device that its interlock asks; absent: it has none, or the gateway is older than this member. */
  interlock: z.array(z.string().max(64)).max(16).exactOptional(),
  /** What an action is run with, in order, `[]` for nothing; absent: no action, or the gateway is older than this member. */
  args: z.array(catalogueArgument).max(ARGUMENTS_MAX).exactOptional(),
  /** Of a text that is written: the only values that are taken; absent: any, or the gateway is older. */
  oneOf: z.array(z.string().max(CHOICE_MAX_CHARS)).max(CHOICES_MAX).exactOptional(),
  /** What the read-back shows once it is done; absent: the value that was ordered, or the gateway is older. */
  expects: z
    .union([
      z.object({ argument: z.string().max(64) }),
      z.object({ value: z.union([z.number(), z.boolean(), z.string().max(4_096)]) }),
    ])
    .exactOptional(),
});
const catalogueKind = z.looseObject({
  class: z.string().max(32),
  service: z.string().max(32),
  profileId: z.string().max(64),
  profileHash: z.string().max(64),
  points: z.array(cataloguePoint).max(1_000),
});
const catalogueDevice = z.looseObject({
  id: z.string().max(64),
  name: z.string().max(200),
  /** Index into the kinds. */
  kind: z.number().int().min(0),
  position: z.object({ latitude: z.number(), longitude: z.number() }).nullable(),
  parent: z.string().max(64).nullable(),
  members: z.array(z.string().max(64)).max(10_000),
  /** Of the kind's points, in its order. */
  numbers: z.array(pointNumber).max(1_000),
  /** By poll class, the sweep that confirms the kind's polled points of that class. */
  sweeps: z.partialRecord(z.enum(POLL_CLASSES), z.number().int().min(1)),
});
const catalogue = z.looseObject({
  siteId: z.string().max(64),
  name: z.string().max(200),
  /** Device models as this site uses them: profile, choice of points and raised classes. */
  kinds: z.array(catalogueKind).max(10_000),
  devices: z.array(catalogueDevice).max(100_000),
  /** Points the site no longer has, while the store still holds records of them. */
  retired: z.array(z.object({ pointId: z.string().max(129), number: pointNumber })).max(1_000_000),
});
export type Catalogue = z.infer<typeof catalogue>;
export type CatalogueKind = Catalogue["kinds"][number];
export type CatalogueDevice = Catalogue["devices"][number];
export type CataloguePoint = CatalogueKind["points"][number];

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

/** The sweep that confirms the point; null: it is not polled (write-only). */
export function sweepOf(device: CatalogueDevice, point: CataloguePoint): number | null {
  return point.polled ? (device.sweeps[point.pollClass] ?? null) : null;
}

/** @throws {WireError} with the pointer of the first thing wrong. */
export function parseCatalogueMessage(data: unknown): CatalogueMessage {
  const message = parseMessage("CATALOGUE", catalogueMessage, data);
  const { kinds, devices } = message.catalogue;
  for (const [index, device] of devices.entries()) {
    const kind = kinds[device.kind];
    if (kind === undefined)
      throw new WireError("bad-schema", `CATALOGUE at /catalogue/devices/${index}/kind: no such kind`);
    if (kind.points.length !== device.numbers.length)
      throw new WireError(
        "bad-schema",
        `CATALOGUE at /catalogue/devices/${index}/numbers: one for each point`,
      );
  }
  return message;
}
