import type { Instant } from "../../../domain/time.ts";
import type { Queryable } from "../database.ts";

export type AccessRole = "viewer" | "operator" | "admin";

export interface AccessTokenRow {
  readonly name: string;
  readonly role: AccessRole;
  readonly created_at: Instant;
  readonly created_by: string;
  readonly expires_at: Instant | null;
  readonly revoked_at: Instant | null;
  readonly last_used_at: Instant | null;
}

const COLUMNS = "name, role, created_at, created_by, expires_at, revoked_at, last_used_at";

/** False: the name is taken, now or by one that was revoked. */
export async function addAccessToken(
  db: Queryable,
  token: {
    readonly name: string;
    readonly role: AccessRole;
    readonly tokenHash: string;
    readonly at: Instant;
    readonly by: string;
    readonly expiresAt: Instant | null;
  },
): Promise<boolean> {
  const rows = await db.query<{ name: string }>(
    {
      name: "access-token-add",
      text: `insert into access_tokens (name, role, token_hash, created_at, created_by, expires_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing returning name`,
    },
    [
      token.name,
      token.role,
      token.tokenHash,
      new Date(token.at),
      token.by,
      token.expiresAt === null ? null : new Date(token.expiresAt),
    ],
  );
  return rows.length > 0;
}

export async function findAccessToken(
  db: Queryable,
  tokenHash: string,
): Promise<(AccessTokenRow & { readonly token_hash: string }) | undefined> {
  const [row] = await db.query<AccessTokenRow & { token_hash: string }>(
    {
      name: "access-token-find",
      text: `select ${COLUMNS}, token_hash from access_tokens where token_hash = $1`,
    },
    [tokenHash],
  );
  return row;
}

/** Revoked ones included, in order of their names. */
export function listAccessTokens(db: Queryable): Promise<readonly AccessTokenRow[]> {
  const text = `select ${COLUMNS} from access_tokens order by name`;
  return db.query<AccessTokenRow>({ name: "access-token-list", text }, []);
}

/** False: no such token, or revoked already. */
export async function revokeAccessToken(db: Queryable, name: string, at: Instant): Promise<boolean> {
  const rows = await db.query<{ name: string }>(
    {
      name: "access-token-revoke",
      text: "update access_tokens set revoked_at = $2 where name = $1 and revoked_at is null returning name",
    },
    [name, new Date(at)],
  );
  return rows.length > 0;
}

/** Not more than once a minute a token: reads must not become writes. */
export async function touchAccessToken(db: Queryable, name: string, at: Instant): Promise<void> {
  await db.query(
    {
      name: "access-token-touch",
      text: `update access_tokens set last_used_at = $2
             where name = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '1 minute')`,
    },
    [name, new Date(at)],
  );
}
