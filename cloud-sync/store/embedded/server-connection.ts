import { Client } from "pg";
import type { RunningServer } from "./embedded-server.ts";
import { SERVER_DATABASE, SERVER_ROLE } from "./server-settings.ts";

/** For a server of this very machine; a postmaster that only hangs must not hang us. */
const CONNECT_LIMIT_MS = 5_000;

export function connectionString(
  server: Pick<RunningServer, "port">,
  password: string,
  database: string = SERVER_DATABASE,
): string {
  return `postgresql://${SERVER_ROLE}:${password}@127.0.0.1:${server.port}/${database}`;
}

/** Proves port and password, and makes the center's database if this is the first time. */
export async function ensureDatabase(server: RunningServer, password: string): Promise<void> {
  const client = new Client({
    connectionString: connectionString(server, password, "postgres"),
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: 60_000,
  });
  // A connection that breaks while idle reports here; the query in flight reports by itself.
  client.on("error", () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [SERVER_DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${SERVER_DATABASE}`);
  } finally {
    await client.end().catch(() => {});
  }
}
