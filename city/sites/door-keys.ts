import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { doorsOf } from "../../simulators/city/equipment-config.ts";
import type { PlacedEquipment } from "../../simulators/city/place-equipment.ts";

const KEY_BYTES = 16;
const keys = z.record(z.string(), z.string());

/** The OSDP key of each door by its id, 32 hexadecimal digits: as if each unit had been given one on site. */
export type DoorKeys = ReadonlyMap<string, string>;

/** Keys that the city's folder holds stay; a new door gets one. */
export async function loadDoorKeys(folder: string, equipment: readonly PlacedEquipment[]): Promise<DoorKeys> {
  const path = join(folder, "door-keys.json");
  const text = await readFile(path, "utf8").catch(() => "{}");
  const known = keys.parse(JSON.parse(text));
  const doors = equipment.filter(({ kind }) => kind === "entrance").flatMap(({ id }) => doorsOf(id));
  const missing = doors.filter(({ id }) => known[id] === undefined);
  for (const { id } of missing) known[id] = randomBytes(KEY_BYTES).toString("hex");
  if (missing.length > 0) await writeFile(path, `${JSON.stringify(known)}\n`, { mode: 0o600 });
  return new Map(Object.entries(known));
}

/** A key file of the gateway: address and key of each door on the line of one entrance. */
export function keyFileText(entranceId: string, known: DoorKeys): string {
  return doorsOf(entranceId)
    .map(({ id, address }) => `${address} ${known.get(id) ?? ""}\n`)
    .join("");
}
