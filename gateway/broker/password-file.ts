import { scrypt, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { isSlug } from "../../domain/ids.ts";
import type { RandomSource } from "../../domain/random.ts";

/** `reader` may subscribe to twins and verdicts; `operator` may give orders too. */
export type BrokerRole = "reader" | "operator";

export interface BrokerUser {
  readonly name: string;
  readonly role: BrokerRole;
}

interface UserLine extends BrokerUser {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const HASH_BYTES = 32;
const SALT_BYTES = 16;
const FILE_MAX_BYTES = 256 * 1024;
const LINE = /^([a-z0-9-]+):(reader|operator):scrypt:([0-9a-f]{32}):([0-9a-f]{64})$/;
const hashOf = promisify(scrypt) as (
  password: string | Buffer,
  salt: Buffer,
  length: number,
) => Promise<Buffer>;

/** The password file can not be used; the message names file and line. */
export class PasswordFileError extends Error {
  override readonly name = "PasswordFileError";
}

/** Who may connect: `name:role:scrypt:<salt>:<hash>`, one a line; lines that begin with `#` are comments. */
export class PasswordFile {
  readonly #users: ReadonlyMap<string, UserLine>;

  constructor(users: readonly UserLine[]) {
    this.#users = new Map(users.map((user) => [user.name, user]));
  }

  /** The user, if name and password fit. Takes as long for an unknown name. */
  async verify(name: string, password: Buffer): Promise<BrokerUser | undefined> {
    const user = this.#users.get(name);
    const hash = await hashOf(password, user?.salt ?? Buffer.alloc(SALT_BYTES), HASH_BYTES);
    return user !== undefined && timingSafeEqual(hash, user.hash)
      ? { name: user.name, role: user.role }
      : undefined;
  }

  get size(): number {
    return this.#users.size;
  }
}

/** No path: nobody may connect. @throws {PasswordFileError} */
export async function readPasswordFile(path: string | undefined): Promise<PasswordFile> {
  if (path === undefined) return new PasswordFile([]);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new PasswordFileError(
      `read password file ${path}: make it with \`nerve broker-user\`, or mend broker.passwordFile in the site file`,
      { cause },
    );
  }
  if (text.length > FILE_MAX_BYTES)
    throw new PasswordFileError(`password file ${path} is longer than ${FILE_MAX_BYTES} bytes`);
  const users: UserLine[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    users.push(parseLine(line.trim(), `${path}:${index + 1}`));
  }
  return new PasswordFile(users);
}

/** A line for the file. @throws {RangeError} unless the name is lower-case words joined by hyphens. */
export async function passwordLine(
  user: BrokerUser,
  password: string,
  random: RandomSource,
): Promise<string> {
  if (!isSlug(user.name))
    throw new RangeError(`user name ${JSON.stringify(user.name)} is not lower-case words joined by hyphens`);
  const salt = Buffer.from(random.bytes(SALT_BYTES));
  const hash = await hashOf(password, salt, HASH_BYTES);
  return `${user.name}:${user.role}:scrypt:${salt.toString("hex")}:${hash.toString("hex")}`;
}

function parseLine(line: string, place: string): UserLine {
  const match = LINE.exec(line);
  const [, name, role, salt, hash] = match ?? [];
  if (
    name === undefined ||
    salt === undefined ||
    hash === undefined ||
    (role !== "reader" && role !== "operator")
  ) {
    throw new PasswordFileError(
      `${place}: not <name>:<reader|operator>:scrypt:<salt>:<hash>; make the line with \`nerve broker-user\``,
    );
  }
  return { name, role, salt: Buffer.from(salt, "hex"), hash: Buffer.from(hash, "hex") };
}
