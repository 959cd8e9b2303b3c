import { createHash } from "node:crypto";
import { type GatewayId, isSlug } from "../../domain/ids.ts";
import { compareSessions, parseSession, type SyncSession } from "../../domain/session-id.ts";
import type { Clock } from "../../domain/time.ts";
import { type Catalogue, parseCatalogueMessage } from "../../domain/wire/catalogue.ts";
import { WireError } from "../../domain/wire/wire-error.ts";
import type { CenterEvents } from "../store/center-events.ts";
import { type Database, isDataRefusal } from "../store/database.ts";
import { keepKinds } from "../store/points/keep-kinds.ts";
import { splitPointId } from "../store/points/split-point-id.ts";
import { writeCatalogue } from "../store/tables/catalogues.ts";
import { announceCatalogue, currentSession, lockLink } from "../store/tables/sync-sessions.ts";

export interface CatalogueParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly events: CenterEvents;
}

/**
 * Replaces what the center knows of the gateway's devices and points. `fence`: the session is not current.
 * @throws {WireError} with the pointer of the first thing wrong, or if the hash is not that of the content
 */
export async function takeCatalogue(
  parts: CatalogueParts,
  gatewayId: GatewayId,
  data: unknown,
): Promise<"taken" | "fence"> {
  const { session: text, hash, catalogue } = parseCatalogueMessage(data);
  if (hash !== hashOf(data))
    throw new WireError("bad-schema", "CATALOGUE at /hash: not the hash of its content");
  checkNames(catalogue);
  const session = sessionOf(text);
  const { clock, database, events } = parts;
  const write = async (): Promise<"taken" | "fence"> => {
    const kindNos = await keepKinds(database, catalogue);
    return await database.transaction(async (tx) => {
      const link = await lockLink(tx, gatewayId);
      const current = link === undefined || link.revoked ? undefined : currentSession(link);
      if (link === undefined || current === undefined || compareSessions(current, session) !== 0)
        return "fence";
      const gatewayNo = link.gateway_no;
      await announceCatalogue(tx, { gatewayNo, session, hash });
      await writeCatalogue(tx, { gatewayNo, hash, catalogue, kindNos, at: clock.now() });
      return "taken";
    });
  };
  const taken = await write().catch((cause: unknown) => {
    if (!isDataRefusal(cause)) throw cause;
    throw new WireError("bad-schema", "CATALOGUE holds a text or number that the database can not hold", {
      cause,
    });
  });
  if (taken === "taken") events.tell("catalogue-changed", { gatewayId });
  return taken;
}

/** Over the content as it came: parsing may have put its fields in another order. */
function hashOf(data: unknown): string {
  const content = typeof data === "object" && data !== null && "catalogue" in data ? data.catalogue : null;
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

function sessionOf(text: string): SyncSession {
  try {
    return parseSession(text);
  } catch (cause) {
    throw new WireError("bad-schema", "CATALOGUE at /session", { cause });
  }
}

/** Names and ids are slugs, and each id and number names one thing. */
function checkNames(catalogue: Catalogue): void {
  checkKinds(catalogue);
  const kindOf = new Map<string, number>();
  for (const [index, { id, kind }] of catalogue.devices.entries()) {
    if (!isSlug(id) || kindOf.has(id))
      throw new WireError("bad-schema", `CATALOGUE at /devices/${index}/id: no slug, or given twice`);
    kindOf.set(id, kind);
  }
  checkRetired(catalogue, kindOf);
  checkNumbers(catalogue);
}

function checkKinds({ kinds }: Catalogue): void {
  for (const [index, { points }] of kinds.entries()) {
    const names = new Set<string>();
    for (const [place, { name }] of points.entries()) {
      const at = `/kinds/${index}/points/${place}/name`;
      if (!isSlug(name) || names.has(name))
        throw new WireError("bad-schema", `CATALOGUE at ${at}: no slug, or given twice`);
      names.add(name);
    }
  }
}

/** A retired point is not one that the site still has. */
function checkRetired({ kinds, retired }: Catalogue, kindOf: ReadonlyMap<string, number>): void {
  const ids = new Set<string>();
  for (const [index, { pointId }] of retired.entries()) {
    const [deviceId, name] = splitPointId(pointId);
    const kind = kinds[kindOf.get(deviceId) ?? -1];
    if (ids.has(pointId) || kind?.points.some((point) => point.name === name) === true)
      throw new WireError("bad-schema", `CATALOGUE at /retired/${index}: given twice`);
    ids.add(pointId);
  }
}

function checkNumbers({ devices, retired }: Catalogue): void {
  const numbers = new Set<number>();
  const once = (number: number, at: () => string): void => {
    if (numbers.has(number)) throw new WireError("bad-schema", `CATALOGUE at ${at()}: given twice`);
    numbers.add(number);
  };
  for (const [index, device] of devices.entries()) {
    for (const [place, number] of device.numbers.entries())
      once(number, () => `/devices/${index}/numbers/${place}`);
  }
  for (const [index, { number }] of retired.entries()) once(number, () => `/retired/${index}`);
}
