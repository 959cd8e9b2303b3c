import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below those that Linux gives by itself (32768 … 60999, ip_local_port_range), so that none of the city's thousands of
 * connections takes it before its program does.
 */
const LOWEST = 20_000;
const HIGHEST = 32_767;
const TRIES_MAX = 100;

/** A port of 127.0.0.1 on which nothing listens, for a program whose address others must know before it runs. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port of 127.0.0.1 from ${LOWEST} to ${HIGHEST} is free: end some of the servers there`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
