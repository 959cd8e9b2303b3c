import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";

export async function query(
  connectionString: string,
  sql: string,
): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("waited 20 s in vain");
    await wait(5);
  }
}

/** A center in a process of its own, that opens the server, tells its address, and goes on for ever. */
export function spawnCenter(
  folder: string,
  account?: { readonly uid: number; readonly gid: number },
): ChildProcess {
  const root = new URL("../../", import.meta.url);
  const program = `
    const { openEmbeddedPostgres } = await import("${new URL("cloud-sync/store/embedded-postgres.ts", root)}");
    const { systemClock } = await import("${new URL("domain/system-clock.ts", root)}");
    const { pino } = await import("${import.meta.resolve("pino")}");
    const server = await openEmbeddedPostgres({
      dataFolder: ${JSON.stringify(folder)}, clock: systemClock, logger: pino({ level: "silent" }),
    });
    process.stdout.write(server.connectionString + "\\n");
    process.once("SIGTERM", async () => { await server[Symbol.asyncDispose](); process.exit(0); });
    setInterval(() => {}, 1000);`;
  // Without tap's hooks: they would write into the checkout, where another user may not.
  return spawn(
    "/usr/bin/env",
    ["-u", "NODE_OPTIONS", process.execPath, "--input-type=module", "-e", program],
    {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "" },
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    },
  );
}

export async function addressOf(center: ChildProcess): Promise<string> {
  for await (const chunk of center.stdout ?? []) return String(chunk).trim();
  throw new Error("the center ended without an address");
}

export async function kill(center: ChildProcess): Promise<void> {
  const ended = once(center, "exit");
  center.kill("SIGKILL");
  await ended;
}
