import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t from "tap";
import { systemClock } from "../../domain/system-clock.ts";
import { Millis } from "../../domain/time.ts";
import { findSocket, SOCKET_PATH_MAX_BYTES } from "../../gateway/local-api/client/socket-place.ts";
import { LocalApiClient, LocalClientError } from "../../gateway/local-api/client.ts";
import { openLocalApi } from "../../gateway/local-api/local-api.ts";
import { SocketError } from "../../gateway/local-api/socket-claim.ts";
import { openBench } from "./local-api-bench.ts";

t.test("only the owner may use the socket, and it goes with the API", async (t) => {
  const bench = await openBench(t);
  const stats = lstatSync(bench.api.socketPath);
  t.ok(stats.isSocket());
  t.equal(stats.mode & 0o777, 0o600);
  const stop = new AbortController();
  const run = bench.api.run(stop.signal);
  stop.abort();
  await run;
  t.notOk(existsSync(bench.api.socketPath));
  const error = await bench.client.status().catch((error: unknown) => error);
  if (!(error instanceof LocalClientError)) return t.fail("a closed API was asked");
  t.equal(error.code, "not-running");
  return t.match(error.message, /nerve gateway run --site FILE/);
});

t.test("a second gateway on the folder is refused and told who is there; the first lives on", async (t) => {
  const bench = await openBench(t);
  const error = await openLocalApi(bench.parts).catch((error: unknown) => error);
  if (!(error instanceof SocketError)) return t.fail("two gateways share a socket");
  t.equal(error.code, "in-use");
  t.match(error.message, `gateway gw-1, process ${process.pid},`);
  return t.equal((await bench.client.status()).gatewayId, "gw-1");
});

t.test("the socket of a killed process is replaced, a file in its place is not", async (t) => {
  const bench = await openBench(t);
  await bench.api[Symbol.asyncDispose]();
  const path = bench.api.socketPath;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await leaveDeadSocket(path);
  const again = await openLocalApi(bench.parts);
  t.equal((await bench.client.status()).gatewayId, "gw-1");
  await again[Symbol.asyncDispose]();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  t.teardown(() => rmSync(path, { force: true }));
  writeFileSync(path, "mine");
  await t.rejects(openLocalApi(bench.parts), { code: "not-a-socket" });
  t.equal(readFileSync(path, "utf8"), "mine");
});

t.test("a data folder too deep for a socket is served through a pointer file", async (t) => {
  const bench = await openBench(t);
  const deep = join(bench.dataFolder, "d".repeat(120));
  mkdirSync(deep);
  const api = await openLocalApi({ ...bench.parts, site: { ...bench.parts.site, dataFolder: deep } });
  t.teardown(() => api[Symbol.asyncDispose]());
  t.ok(Buffer.byteLength(api.socketPath) <= SOCKET_PATH_MAX_BYTES);
  t.equal(lstatSync(dirname(api.socketPath)).mode & 0o777, 0o700);
  t.equal(findSocket(deep), api.socketPath);
  const { signal } = new AbortController();
  const client = new LocalApiClient({
    socketPath: findSocket(deep),
    timeout: Millis(2_000),
    clock: systemClock,
    signal,
  });
  t.equal((await client.status()).gatewayId, "gw-1");
  await api[Symbol.asyncDispose]();
  t.notOk(existsSync(join(deep, "nerve.sock.path")));
});

t.test("a gateway that does not answer is told after the time-out", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nerve-test-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
  t.teardown(() => server.close());
  const abort = new AbortController();
  const client = new LocalApiClient({
    socketPath: join(folder, "s"),
    timeout: Millis(50),
    clock: systemClock,
    signal: abort.signal,
  });
  await t.rejects(client.status(), { code: "no-answer" });
  abort.abort();
  await t.rejects(client.status(), { code: "interrupted" });
});

/** A socket file that nobody listens on, as kill -9 leaves it. */
async function leaveDeadSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, [
    "-e",
    `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
  ]);
  await new Promise((resolve) => child.once("exit", resolve));
}
