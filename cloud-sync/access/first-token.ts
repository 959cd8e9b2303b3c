import type { AccessTokens } from "./access-tokens.ts";

/** A file that only the center's user can read. */
export interface SecretFile {
  read(): string | undefined;
  write(text: string): void;
}

const NAMES_MAX = 100;

/**
 * At the first start, makes a token for the admin and writes it into `file`, never into a log. Later the file is left
 * alone, even when its token was revoked. Whoever can delete the file and start the center anew gets another token: that
 * is the way back for those who lost theirs.
 */
export async function ensureFirstToken(tokens: AccessTokens, file: SecretFile): Promise<"made" | "kept"> {
  const held = file.read()?.trim();
  if (held !== undefined && (await tokens.isKnown(held))) return "kept";
  for (let number = 1; number <= NAMES_MAX; number += 1) {
    const name = number === 1 ? "admin" : `admin-${number}`;
    const token = await tokens.create({ name, role: "admin", expiresAt: null }, "center");
    if (token === undefined) continue;
    file.write(`${token}\n`);
    return "made";
  }
  throw new RangeError(`${NAMES_MAX} admin tokens were made by starts of the center: put the file back`);
}
