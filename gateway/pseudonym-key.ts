import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SitePoint } from "../domain/point.ts";
import type { FieldPlan } from "./field/field-plan.ts";

const KEY = /^[0-9a-f]{64}\n?$/;

interface WithPoints {
  readonly points: readonly Pick<SitePoint, "definition">[];
}

/** Whether a point of the device or unit names a person. */
function namesPersons({ points }: WithPoints): boolean {
  return points.some(({ definition }) => definition.privacy === "pseudonymous");
}

/** Gives the key of this gateway's pseudonyms to the hosts that need it; made in the data folder at its first use. */
export function withPseudonymKey(
  plans: readonly FieldPlan[],
  site: { readonly dataFolder: string; readonly devices: readonly WithPoints[] },
): readonly FieldPlan[] {
  if (!site.devices.some(namesPersons)) return plans;
  const pseudonymKey = readOrMakeKey(join(site.dataFolder, "pseudonym.key"));
  const needsIt = ({ buses }: FieldPlan): boolean => buses.some(({ units }) => units.some(namesPersons));
  return plans.map((plan) => (needsIt(plan) ? { ...plan, pseudonymKey } : plan));
}

/**
 * 256 random bits, hexadecimal, that only this user may read. Whoever has it can find the badge number behind a
 * pseudonym by trying all; without it, pseudonyms made before can not be compared with later ones.
 * @throws {Error} when the file is not a key: it is never overwritten.
 */
function readOrMakeKey(file: string): string {
  const known = findKey(file);
  if (known !== undefined) return known;
  const made = randomBytes(32).toString("hex");
  const handle = openSync(file, "wx", 0o600);
  try {
    writeSync(handle, `${made}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return made;
}

function findKey(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (KEY.test(text)) return text.trim();
  throw new Error(
    `${file} holds no key of 64 hexadecimal digits: bring it back from a backup, or remove it and accept that badges get new pseudonyms`,
  );
}
