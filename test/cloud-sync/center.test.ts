import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { openTestDatabase, type TearsDown } from "./postgres-for-tests.ts";

const MAIN = join(import.meta.dirname, "../../cloud-sync/main.ts");
const PORTS = ["--operators", "127.0.0.1:0", "--gateways", "127.0.0.1:0"];

interface Ready {
  readonly operators: string;
  readonly gateways: string;
  readonly tokenFile: string;
}

/** The program itself, as `npm run center` starts it. */
function startCenter(t: TearsDown, args: readonly string[], databaseUrl: string) {
  const environment = { PATH: process.env["PATH"] ?? "", DATABASE_URL: databaseUrl };
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment,
  });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
    child.emit("told");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const ended = once(child, "close").then(([code]) => {
    child.emit("told");
    return Number(code);
  });
  t.teardown(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const ready = async (): Promise<Ready> => {
    while (!output.out.includes("\n")) {
      await once(child, "told");
      if (child.exitCode !== null && !output.out.includes("\n")) throw new Error(`ended: ${output.err}`);
    }
    return JSON.parse(output.out);
  };
  const stop = (): Promise<number> => {
    child.kill("SIGTERM");
    return ended;
  };
  return { output, ended, ready, stop };
}

t.test(
  "the center says where it is, keeps its token to itself, and is found again after a restart",
  async (t) => {
    const database = await openTestDatabase(t);
    const data = join(t.testdir(), "center");
    const first = startCenter(t, ["--data", data, ...PORTS], database);
    const ready = await first.ready();
    t.match(ready, {
      event: "ready",
      operators: /^http:\/\/127\.0\.0\.1:\d+$/,
      gateways: /^https:\/\/127\.0\.0\.1:\d+$/,
    });
    const token = readFileSync(ready.tokenFile, "utf8").trim();
    t.equal(statSync(ready.tokenFile).mode & 0o777, 0o600);
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${ready.operators}/api/v1/gateways`, { headers });
    t.same(await answer.json(), { gateways: [] });
    const started = performance.now();
    t.equal(await first.stop(), 0);
    t.ok(performance.now() - started < 10_000, "it ends within 10 s");
    t.notOk((first.output.out + first.output.err).includes(token), "I42 the token is printed nowhere");
    const second = startCenter(t, ["--data", data, ...PORTS], database);
    const again = await second.ready();
    t.same([again.operators, again.gateways], [ready.operators, ready.gateways], "the same ports");
    t.equal((await fetch(`${again.operators}/api/v1/gateways`, { headers })).status, 200, "the same token");
    t.equal(await second.stop(), 0);
  },
);

t.test("a port that is taken is told with the setting that changes it", async (t) => {
  const database = await openTestDatabase(t);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const data = join(t.testdir(), "center");
  const taken = `127.0.0.1:${port}`;
  const operators = startCenter(
    t,
    ["--data", data, "--operators", taken, "--gateways", "127.0.0.1:0"],
    database,
  );
  t.equal(await operators.ended, 1);
  t.match(operators.output.err, /choose another one with --operators HOST:PORT/);
  const gateways = startCenter(
    t,
    ["--data", data, "--operators", "127.0.0.1:0", "--gateways", taken],
    database,
  );
  t.equal(await gateways.ended, 1);
  t.match(gateways.output.err, /choose another one with --gateways HOST:PORT/);
});

t.test("wrong arguments end with 2 and say what is wrong", async (t) => {
  const cases = [
    { name: "an unknown option", args: ["--oops"], says: /--oops/ },
    { name: "no port", args: ["--operators", "127.0.0.1"], says: /--operators takes HOST:PORT/ },
    { name: "tokens in the clear", args: ["--operators", "0.0.0.0:8080"], says: /--operators-certificate/ },
    { name: "half a certificate", args: ["--operators-key", "key.pem"], says: /go together/ },
  ];
  await Promise.all(
    cases.map(async ({ name, args, says }) => {
      const center = startCenter(t, args, "");
      t.equal(await center.ended, 2, name);
      t.match(center.output.err, says, name);
    }),
  );
  const help = startCenter(t, ["--help"], "");
  t.equal(await help.ended, 0);
  t.match(help.output.out, /--gateways HOST:PORT/);
});
