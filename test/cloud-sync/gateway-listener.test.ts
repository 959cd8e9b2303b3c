import { once } from "node:events";
import { Agent, request } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import t from "tap";
import { openGatewayListener } from "../../cloud-sync/http/gateway-listener.ts";
import { CertificateAuthority } from "../../cloud-sync/registry/certificate-authority.ts";
import { GatewayId } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Millis, Seconds } from "../../domain/time.ts";
import { parseDownlinkLine } from "../../domain/wire/downlink.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  CATALOGUE,
  claimFor,
  client,
  enrolGateway,
  makeRequest,
  openTestCenter,
  reading,
  rowsOf,
  type TestCenter,
  type TestGateway,
} from "./center-for-tests.ts";

t.test("a gateway enrols, says HELLO, tells its catalogue and stores a batch over mutual TLS", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  const welcome = await gateway.hello();
  t.match(welcome.data, { session: "1.1", credits: 12, catalogueHash: null, cursors: [] });
  t.equal((await gateway.tellCatalogue()).status, 200);
  const answer = await gateway.send(
    gateway.readings(1, [reading(), reading({ number: 2, stateVersion: 2 })]),
  );
  t.strictSame(answer.data, { outcomes: [{ first: 1, count: 2, outcome: "stored" }] });
  t.equal((await rowsOf(center.database, "select * from readings")).length, 2);
});

t.test("nobody without a certificate of this center passes, and each refusal says what to do", async (t) => {
  const center = await openTestCenter(t);
  const stranger = client(center);
  for (const path of ["hello", "batch", "snapshot", "catalogue", "heartbeat"]) {
    t.match(
      await stranger.post(`/sync/v1/${path}`, {}),
      { status: 401, data: { error: { code: "authentication", message: /enrol/ } } },
      path,
    );
  }
  t.match(await stranger.get("/sync/v1/downlink?session=1.1"), { status: 401 });
  const other = await CertificateAuthority.open(`${t.testdir({ other: {} })}/other`, systemClock);
  const { key, certificateRequest } = await makeRequest("gw-test");
  const { certificate } = await other.issueGateway("gw-test", certificateRequest);
  await claimFor(center, "gw-test");
  t.match(
    await client(center, { key, cert: certificate }).post("/sync/v1/hello", {}),
    { status: 401 },
    "another authority's",
  );
  const own = await center.authority.issueGateway("gw-test", certificateRequest);
  t.match(
    await client(center, { key, cert: own.certificate }).post("/sync/v1/hello", {}),
    { status: 401 },
    "never written down",
  );
});

t.test("what does not parse is refused with its pointer, and the next request is served", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  t.match(await gateway.http.post("/sync/v1/hello", { ...gateway.helloMessage(), nonce: "short" }), {
    status: 400,
    data: { error: { code: "bad-request", pointer: "/nonce" } },
  });
  t.match(await gateway.hello({ incarnation: "0".repeat(32) }), {
    status: 400,
    data: { error: { pointer: "/incarnation" } },
  });
  t.match(await gateway.hello({ software: "nul \0" }), { status: 400 });
  await gateway.begin();
  const lying = { session: gateway.session, hash: "0".repeat(64), catalogue: CATALOGUE };
  t.match(await gateway.http.post("/sync/v1/catalogue", lying), {
    status: 400,
    data: { error: { pointer: "/hash" } },
  });
  t.match((await gateway.send(Buffer.from("no batch at all"))).data, { refusal: "codec" });
  const bomb = gateway.readings(1, [reading()]);
  t.match((await gateway.send(Buffer.from(bomb).fill(0xff, bomb.length - 20))).data, { refusal: "codec" });
  t.match(await gateway.send(Buffer.alloc(1_300_000)), { status: 400 });
  t.match(await gateway.http.post("/sync/v1/batch", { json: true }), { status: 400 });
  t.match(await gateway.http.get("/sync/v1/nothing"), {
    status: 404,
    data: { error: { code: "not-found" } },
  });
  t.match((await gateway.send(bomb)).data, { outcomes: [{ outcome: "stored" }] });
});

t.test("claims are tried at most forty times a minute from one address", async (t) => {
  const center = await openTestCenter(t);
  const { certificateRequest } = await makeRequest("gw-a");
  const guess = () =>
    client(center).post("/enrol/v1", { gatewayId: "gw-a", code: "0".repeat(26), certificateRequest });
  const answers = [];
  for (let tries = 0; tries < 41; tries += 1) answers.push((await guess()).status);
  t.strictSame(answers, [...Array<number>(40).fill(403), 429]);
});

t.test("strangers are bounded: 256 connections, ten seconds each, one request a connection", async (t) => {
  const clock = new SimulatedClock(systemClock.now());
  const center = await openTestCenter(t, { clock });
  const gateway = await enrolGateway(center);
  const sockets = Array.from({ length: 256 }, () => connect(center.listener.port, "127.0.0.1"));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until(() => center.listener.strangers() === 256);
  const excess = connect(center.listener.port, "127.0.0.1");
  excess.on("error", () => undefined);
  await once(excess, "close");
  t.pass("the 257th is closed");
  const closed = Promise.all(
    sockets.map((socket) => once(socket.on("error", () => undefined).resume(), "close")),
  );
  await clock.advance(10_001);
  await closed;
  t.equal(center.listener.strangers(), 0);
  const answer = await client(center).post("/sync/v1/hello", {});
  t.equal(answer.headers["connection"], "close");
  await gateway.begin();
  const agent = new Agent({ keepAlive: true, ...gateway.http.defaults.httpsAgent.options });
  const tls = connectTls({ port: center.listener.port, host: "127.0.0.1", ...agent.options });
  await once(tls, "secureConnect");
  await until(() => center.listener.strangers() === 0);
  await clock.advance(20_000);
  t.notOk(tls.destroyed, "who showed a certificate stays");
  tls.destroy();
});

t.test(
  "the downlink streams a heartbeat each 5 s and what is sent to its session, until a newer one is used",
  async (t) => {
    const clock = new SimulatedClock(systemClock.now());
    const center = await openTestCenter(t, { clock });
    const gateway = await enrolGateway(center);
    await gateway.begin();
    const downlink = await openDownlink(center, gateway);
    const id = GatewayId("gw-test");
    await until(() => downlink.kinds.length === 1);
    await clock.advance(5_000);
    await until(() => downlink.kinds.length === 2);
    t.ok(center.downlinks.send(id, gateway.session, { kind: "heartbeat", centerTimeMs: 1 }));
    await gateway.hello();
    t.ok(center.downlinks.isOpen(id, "1.1"), "an offered session ends nothing");
    await gateway.heartbeat();
    await downlink.ended;
    t.strictSame(downlink.kinds, ["heartbeat", "heartbeat", "heartbeat", "closing"]);
    t.equal(center.downlinks.send(id, "1.1", { kind: "heartbeat", centerTimeMs: 1 }), false);
    const fenced = await gateway.http.get("/sync/v1/downlink?session=1.1");
    t.match(fenced, { status: 409, data: { error: { code: "fence" } } });
  },
);

t.test("a port that is taken names itself and the setting", async (t) => {
  const center = await openTestCenter(t);
  const again = openGatewayListener(center, { host: "127.0.0.1", port: center.listener.port, names: [] });
  await t.rejects(again, { message: new RegExp(`port ${center.listener.port}.*another port`) });
});

async function openDownlink(center: TestCenter, gateway: TestGateway) {
  const kinds: string[] = [];
  const asked = request(`${center.url}/sync/v1/downlink?session=${gateway.session}`, {
    agent: gateway.http.defaults.httpsAgent,
  });
  asked.end();
  const [response] = await once(asked, "response");
  let rest = "";
  response.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    kinds.push(...lines.map((line) => parseDownlinkLine(line).kind));
  });
  return { kinds, ended: once(response, "end") };
}

/** Waits for what real sockets do; at most 5 s. */
async function until(holds: () => boolean): Promise<void> {
  const end = systemClock.uptime() + Seconds(5);
  while (!holds()) {
    if (systemClock.uptime() > end) throw new Error("waited 5 s in vain");
    await systemClock.sleep(Millis(5), new AbortController().signal);
  }
}
