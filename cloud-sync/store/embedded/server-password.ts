import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { ServerAccount } from "./server-account.ts";

/** Kept beside the data, mode 0600, belonging to PostgreSQL's user so that initdb can read it. */
export const passwordFileOf = (home: string): string => join(home, "password");

/** Undefined when it is gone or cut short. */
export function readPassword(home: string): string | undefined {
  try {
    const text = readFileSync(passwordFileOf(home), "utf8").trim();
    return /^[\w-]{32}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** 192 random bits. */
export const newPassword = (): string => randomBytes(24).toString("base64url");

/** On disk, under its name, when this returns. */
export function keepPassword(home: string, account: ServerAccount, password: string): void {
  const draft = `${passwordFileOf(home)}.${randomBytes(6).toString("hex")}`;
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, `${password}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(draft, 0o600);
  if (account.isOther) chownSync(draft, account.uid, account.gid);
  renameSync(draft, passwordFileOf(home));
}
