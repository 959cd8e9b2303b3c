import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";
import t, { type Test } from "tap";
import { openAxiosTransport } from "../../gateway/uplink/axios-transport.ts";
import type { TransportError } from "../../gateway/uplink/center-transport.ts";
import type { GatewayIdentity } from "../../gateway/uplink/identity.ts";
import {
  type Answerer,
  json,
  makeAuthority,
  makeIdentity,
  openCenter,
  transportFault,
} from "./https-center.ts";

const AUTHORITY = await makeAuthority("test authority");
const IDENTITY = await makeIdentity(AUTHORITY);
const NEVER = new AbortController().signal;
const TOKEN = "5ec7e7".padEnd(32, "0");
const HEARTBEAT = {
  session: "1.1",
  token: TOKEN,
  uptimeMs: 1,
  nowMs: 1,
  timeQuality: "synced" as const,
  heads: { A: 0, B: 0, C: 0, D: 0 },
  sweeps: [],
  backlog: { A: 0, B: 0, C: 0, D: 0 },
};
const HEARD = { kind: "heartbeat", centerTimeMs: 1 } as const;

async function open(t: Test, answer: Answerer, identity: GatewayIdentity = IDENTITY) {
  const url = await openCenter(t, AUTHORITY, answer);
  return connect(t, url, identity);
}

function connect(t: Test, url: string, identity: GatewayIdentity) {
  const transport = openAxiosTransport(url, identity);
  t.teardown(() => transport[Symbol.dispose]());
  return transport;
}

/** The error of `work`, which must be one of the transport that gives away nothing (I42). */
async function faultOf(t: Test, work: Promise<unknown>): Promise<TransportError> {
  const error = await transportFault(work);
  const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String(error.stack);
  t.notMatch(shown, /PRIVATE KEY|BEGIN CERTIFICATE|5ec7e7/, "I42 no secret in an error");
  return error;
}

t.test("a request proves who we are, and its body arrives as it was", async (t) => {
  const seen: unknown[] = [];
  const transport = await open(t, (request, response, body) => {
    const { socket } = request as unknown as {
      socket: { getPeerCertificate(): { subject: { CN: string } } };
    };
    seen.push([
      request.method,
      request.url,
      socket.getPeerCertificate().subject.CN,
      request.headers["content-type"],
      body,
    ]);
    json(response, 200, { outcomes: [{ first: 1, count: 2, outcome: "stored" }] });
  });
  const view = new Uint8Array(Uint8Array.from([9, 9, 1, 2, 3, 9]).buffer, 2, 3);
  t.same(await transport.sendBatch(view, NEVER), { outcomes: [{ first: 1, count: 2, outcome: "stored" }] });
  t.same(seen, [["POST", "/sync/v1/batch", "gw-1", "application/vnd.nerve.batch", Buffer.from([1, 2, 3])]]);
  await transport.heartbeat(HEARTBEAT, NEVER);
  t.match(seen[1], ["POST", "/sync/v1/heartbeat", "gw-1", "application/json"]);
});

t.test("every answer that is none ends in a code that says what to do", async (t) => {
  const refusal = (code: string) => ({ error: { code, message: "because" } });
  const cases: readonly (readonly [number, unknown, string])[] = [
    [401, refusal("authentication"), "refused"],
    [403, refusal("claim-refused"), "refused"],
    [409, refusal("fence"), "fence"],
    [409, refusal("rehello"), "rehello"],
    [409, refusal("generation-behind"), "malformed"],
    [404, {}, "malformed"],
    [429, refusal("too-many"), "overloaded"],
    [503, refusal("unavailable"), "overloaded"],
    [500, "oops", "unreachable"],
    [302, {}, "malformed"],
  ];
  for (const [status, content, code] of cases) {
    const transport = await open(t, (_request, response) => json(response, status, content));
    const fault = await faultOf(t, transport.heartbeat(HEARTBEAT, NEVER));
    t.equal(fault.code, code, `${status} ${JSON.stringify(content)}`);
    const heard = await faultOf(
      t,
      transport.listen("1.1", () => undefined, NEVER),
    );
    t.equal(heard.code, code, `downlink ${status} ${JSON.stringify(content)}`);
  }
});

t.test("what a WELCOME or an answer to a batch must not be is malformed", async (t) => {
  for (const content of [
    {},
    [],
    "text",
    { session: "x" },
    { outcomes: [{}] },
    { refusal: "because", detail: "" },
  ]) {
    const transport = await open(t, (_request, response) => json(response, 200, content));
    t.equal((await faultOf(t, transport.hello({} as never, NEVER))).code, "malformed");
    t.equal((await faultOf(t, transport.sendBatch(Uint8Array.of(1), NEVER))).code, "malformed");
  }
  const noise = await open(t, (_request, response) => response.end("<html>"));
  t.equal((await faultOf(t, noise.hello({} as never, NEVER))).code, "malformed");
  const endless = await open(t, (_request, response) => {
    const pour = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, "x")));
      response.once("drain", pour);
    };
    pour();
  });
  t.equal(
    (await faultOf(t, endless.hello({} as never, NEVER))).code,
    "malformed",
    "an answer of more than 16 MiB",
  );
});

t.test("only the authority of the enrolment is trusted, and a stranger is refused", async (t) => {
  const other = await makeAuthority("other authority");
  const url = await openCenter(t, other, (_request, response) => json(response, 200, {}));
  const ours = connect(t, url, IDENTITY);
  t.equal((await faultOf(t, ours.heartbeat(HEARTBEAT, NEVER))).code, "not-trusted");
  t.equal(
    (
      await faultOf(
        t,
        ours.listen("1.1", () => undefined, NEVER),
      )
    ).code,
    "not-trusted",
  );
  const stranger = await makeIdentity(other);
  const refusing = await open(t, (_request, response) => json(response, 200, {}), {
    ...stranger,
    authority: AUTHORITY.certificate,
  });
  const { code } = await faultOf(t, refusing.heartbeat(HEARTBEAT, NEVER));
  t.ok(code === "refused" || code === "unreachable", `${code}: the alert may lose against the reset`);
});

t.test("an address where nobody listens, and an abort", async (t) => {
  const silent = createServer((socket) => socket.resume());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const abort = new AbortController();
  const transport = connect(t, `https://127.0.0.1:${port}`, IDENTITY);
  const waiting = transport.heartbeat(HEARTBEAT, abort.signal);
  abort.abort(new Error("over"));
  await t.rejects(waiting, { message: "over" }, "an abort is its reason, not a fault");
  silent.close();
  const nobody = connect(t, `https://127.0.0.1:${port}`, IDENTITY);
  await once(silent, "close");
  t.equal((await faultOf(t, nobody.heartbeat(HEARTBEAT, NEVER))).code, "unreachable");
});

t.test("the downlink may be cut at any byte", async (t) => {
  const closing = { kind: "closing", reason: "für heute – Schluß" } as const;
  const bytes = Buffer.from(
    `${JSON.stringify(HEARD)}\n\n${JSON.stringify(closing)}\n${JSON.stringify(HEARD)}\n`,
  );
  let cut = 0;
  const transport = await open(t, (_request, response) => {
    response.write(bytes.subarray(0, cut));
    setImmediate(() => response.end(bytes.subarray(cut)));
  });
  for (cut = 0; cut <= bytes.length; cut += 1) {
    const heard: unknown[] = [];
    await transport.listen("1.1", (message) => heard.push(message), NEVER);
    if (JSON.stringify(heard) !== JSON.stringify([HEARD, closing, HEARD])) t.same(heard, [], `cut at ${cut}`);
  }
  t.pass("each cut gave the same messages");
});

t.test("a downlink that is none, too long or broken off ends with its code", async (t) => {
  const cases: readonly (readonly [string, Answerer, string])[] = [
    ["not JSON", (_request, response) => response.end("{\n"), "malformed"],
    ["an unknown kind", (_request, response) => response.end('{"kind":"dance"}\n'), "malformed"],
    ["a line of 257 KiB", (_request, response) => response.end("x".repeat(257 * 1024)), "malformed"],
    [
      "a whole line of 257 KiB",
      (_request, response) => response.end(`${" ".repeat(257 * 1024)}${JSON.stringify(HEARD)}\n`),
      "malformed",
    ],
    [
      "a server that dies",
      (_request, response) => {
        response.write(`${JSON.stringify(HEARD)}\n`);
        setTimeout(() => response.socket?.destroy(), 20);
      },
      "unreachable",
    ],
  ];
  for (const [name, answer, code] of cases) {
    const transport = await open(t, answer);
    t.equal(
      (
        await faultOf(
          t,
          transport.listen("1.1", () => undefined, NEVER),
        )
      ).code,
      code,
      name,
    );
  }
  const abort = new AbortController();
  const transport = await open(t, (_request, response) => response.write(`${JSON.stringify(HEARD)}\n`));
  const listening = transport.listen("1.1", () => abort.abort(new Error("over")), abort.signal);
  await t.rejects(listening, { message: "over" });
});
