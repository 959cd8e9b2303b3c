import { createHash, timingSafeEqual } from "node:crypto";
import type { RandomSource } from "../../domain/random.ts";
import type { Clock, Instant } from "../../domain/time.ts";
import type { Database } from "../store/database.ts";
import {
  type AccessRole,
  type AccessTokenRow,
  addAccessToken,
  findAccessToken,
  listAccessTokens,
  revokeAccessToken,
  touchAccessToken,
} from "../store/tables/access-tokens.ts";
import { appendAudit } from "../store/tables/center-audit.ts";
import type { Principal } from "./principal.ts";

export interface AccessParts {
  readonly database: Database;
  readonly clock: Clock;
  /** The system's: tokens are secrets. */
  readonly random: RandomSource;
}

export interface NewToken {
  /** A slug, unique for ever: it stands in the audit. */
  readonly name: string;
  readonly role: AccessRole;
  /** Null: until it is revoked. */
  readonly expiresAt: Instant | null;
}

const PREFIX = "nerve_";
const SECRET_BYTES = 32;
/** `nerve_` and 256 bits in base64url. */
const TOKEN = /^nerve_[A-Za-z0-9_-]{43}$/;

/** Bearer tokens of people and programs; the center keeps their SHA-256 only (I42). */
export class AccessTokens {
  readonly #parts: AccessParts;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /** Undefined: unknown, expired or revoked; which one is not told. */
  async authenticate(token: string): Promise<Principal | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const { database, clock } = this.#parts;
    const hash = hashOf(token);
    const row = await findAccessToken(database, hash);
    if (row === undefined || !isSame(row.token_hash, hash)) return undefined;
    const now = clock.now();
    if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) return undefined;
    await touchAccessToken(database, row.name, now);
    return { name: row.name, role: row.role };
  }

  /** The token, shown this once; undefined: the name is taken. */
  async create(asked: NewToken, by: string): Promise<string | undefined> {
    const { database, clock, random } = this.#parts;
    const token = PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString("base64url");
    const at = clock.now();
    const made = await database.transaction(async (tx) => {
      if (!(await addAccessToken(tx, { ...asked, tokenHash: hashOf(token), at, by }))) return false;
      const detail = { role: asked.role, expiresAtMs: asked.expiresAt };
      await appendAudit(tx, { at, actor: by, action: "token-created", subject: asked.name, detail });
      return true;
    });
    return made ? token : undefined;
  }

  /** False: there is none of that name that works. */
  async revoke(name: string, by: string): Promise<boolean> {
    const { database, clock } = this.#parts;
    const at = clock.now();
    return database.transaction(async (tx) => {
      if (!(await revokeAccessToken(tx, name, at))) return false;
      await appendAudit(tx, { at, actor: by, action: "token-revoked", subject: name, detail: {} });
      return true;
    });
  }

  list(): Promise<readonly AccessTokenRow[]> {
    return listAccessTokens(this.#parts.database);
  }

  /** Whether the center ever gave this token out, even if it is revoked or expired by now. */
  async isKnown(token: string): Promise<boolean> {
    return (await findAccessToken(this.#parts.database, hashOf(token))) !== undefined;
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(`nerve-token:v1:${token}`).digest("hex");
}

function isSame(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
