import { verify, X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { CertificateAuthority } from "../../cloud-sync/registry/certificate-authority.ts";
import { DownlinkRegistry, type DownlinkStream } from "../../cloud-sync/registry/downlinks.ts";
import { LinkWatch } from "../../cloud-sync/registry/link-watch.ts";
import { GatewayId, Token } from "../../domain/ids.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Days } from "../../domain/time.ts";
import { welcomeSignedBytes } from "../../domain/wire/hello.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  claimFor,
  client,
  enrolGateway,
  makeRequest,
  openTestCenter,
  reading,
  rowsOf,
  TestGateway,
} from "./center-for-tests.ts";

const alarmsOf = async (center: Awaited<ReturnType<typeof openTestCenter>>) =>
  (await rowsOf(center.database, "select name from center_alarms order by name")).map((row) => row["name"]);

t.test("the authority keeps its keys to itself and its fingerprint over restarts", async (t) => {
  const folder = t.testdir();
  const clock = new SimulatedClock();
  const first = await CertificateAuthority.open(folder, clock);
  const server = await first.serverIdentity(["center.example"]);
  const again = await CertificateAuthority.open(folder, clock);
  t.equal(again.fingerprint, first.fingerprint);
  t.equal((await again.serverIdentity(["center.example"])).certificate, server.certificate);
  for (const name of ["authority-key.pem", "server-key.pem"])
    t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  await clock.advance(Days(336));
  t.not(
    (await again.serverIdentity(["center.example"])).certificate,
    server.certificate,
    "renewed 30 days before its end",
  );
  t.not(
    (await again.serverIdentity(["other.example"])).certificate,
    (await again.serverIdentity(["center.example"])).certificate,
    "and when its names change",
  );
});

t.test("a gateway's certificate names it and is good for a client only", async (t) => {
  const authority = await CertificateAuthority.open(t.testdir(), new SimulatedClock());
  const { certificateRequest } = await makeRequest("gw-a");
  const issued = await authority.issueGateway("gw-a", certificateRequest);
  const certificate = new X509Certificate(issued.certificate);
  t.equal(certificate.subject, "CN=gw-a");
  t.strictSame(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  await t.rejects(authority.issueGateway("gw-b", certificateRequest), RangeError);
  await t.rejects(authority.issueGateway("gw-a", "nonsense"), RangeError);
});

t.test("a claim works once: for its gateway, in its time, and again only for the same key", async (t) => {
  // Certificates are checked by the machine's own clock.
  const clock = new SimulatedClock(systemClock.now());
  const center = await openTestCenter(t, { clock });
  const claim = await claimFor(center, "gw-a");
  const fresh = await makeRequest("gw-a");
  const redeem = (gatewayId: string, code: string, request = fresh) =>
    center.enrolment.redeem({ gatewayId, code, certificateRequest: request.certificateRequest }, "test");
  t.equal(await redeem("gw-b", claim.code), "refused", "for another gateway");
  t.equal(await redeem("gw-a", "0".repeat(26)), "refused", "an unknown code");
  t.match(await redeem("gw-a", claim.code), { certificate: /BEGIN/, commandKey: /BEGIN PUBLIC/ });
  t.match(await redeem("gw-a", claim.code), { certificate: /BEGIN/ }, "an answer may get lost");
  t.equal(await redeem("gw-a", claim.code, await makeRequest("gw-a")), "refused", "another key");
  const late = await claimFor(center, "gw-a");
  await clock.advance(Days(1) + 1);
  t.equal(await redeem("gw-a", late.code), "refused", "after 24 h");
  const held = await rowsOf(center.database, "select code_hash from claims");
  t.notOk(JSON.stringify(held).includes(claim.code), "codes are not kept");
});

t.test("a new enrolment ends the old key's certificate, and a revocation ends all", async (t) => {
  const center = await openTestCenter(t);
  const old = await enrolGateway(center);
  t.equal((await old.hello()).status, 200);
  const fresh = await enrolGateway(center);
  t.match(await old.hello(), { status: 401, data: { error: { code: "authentication" } } });
  await fresh.begin();
  await center.enrolment.revoke({ gatewayId: GatewayId("gw-test"), reason: "stolen", by: "operator/anna" });
  t.match(await fresh.send(fresh.readings(1, [reading()])), { status: 401 });
  const audit = await rowsOf(
    center.database,
    "select action, previous_hash, hash from center_audit order by audit_no",
  );
  t.strictSame(
    audit.map((row) => row["action"]),
    ["claim-made", "gateway-enrolled", "claim-made", "gateway-enrolled", "gateway-revoked"],
  );
  t.ok(
    audit.every((row, index) => index === 0 || row["previous_hash"] === audit[index - 1]?.["hash"]),
    "chained",
  );
});

t.test("WELCOME's time is signed over the nonce", async (t) => {
  const center = await openTestCenter(t);
  const { data } = await (await enrolGateway(center)).hello();
  const signed = (nonce: string) =>
    verify(
      null,
      welcomeSignedBytes(nonce, data.centerTimeMs),
      center.timeKey.publicKey,
      Buffer.from(data.timeSignature, "base64"),
    );
  t.ok(signed("ab".repeat(16)));
  t.notOk(signed("00".repeat(16)));
});

t.test("I7 a delayed HELLO does not displace a live session; a used one fences all lower", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  const live = gateway.session;
  await gateway.hello();
  const next = gateway.session;
  t.strictSame([live, next], ["1.1", "1.2"]);
  t.match((await gateway.send(gateway.readings(1, [reading()], { session: live }))).data, {
    outcomes: [{ outcome: "stored" }],
  });
  t.match((await gateway.send(gateway.readings(2, [reading({ stateVersion: 2 })], { session: next }))).data, {
    outcomes: [{ outcome: "stored" }],
  });
  for (const session of [live, "1.99", "0.5", "nonsense"]) {
    t.match(
      (await gateway.send(gateway.readings(3, [reading({ stateVersion: 3 })], { session }))).data,
      { refusal: "fence" },
      session,
    );
  }
  t.match(await gateway.heartbeat("cd".repeat(16), live), {
    status: 409,
    data: { error: { code: "fence" } },
  });
  t.strictSame(await alarmsOf(center), [], "late requests of one process are no rivals");
});

t.test(
  "I6 I7 a copied store shows at its first HELLO, and its rival's writes are refused and alarmed",
  async (t) => {
    const center = await openTestCenter(t);
    const gateway = await enrolGateway(center);
    await gateway.begin();
    const copy = new TestGateway(gateway.gatewayId, gateway.http);
    copy.lineage = gateway.lineage.map((entry) => ({ ...entry }));
    gateway.restart();
    await gateway.begin();
    t.strictSame(await alarmsOf(center), []);
    copy.restart();
    await copy.begin();
    t.strictSame(await alarmsOf(center), ["lineage-fork"]);
    t.match((await gateway.send(gateway.readings(1, [reading()]))).data, { refusal: "fence" });
    t.strictSame(await alarmsOf(center), ["lineage-fork", "two-gateways-one-identity"]);
  },
);

t.test(
  "I7 a session that another replica of the center fenced is refused within the transaction",
  async (t) => {
    const center = await openTestCenter(t);
    const gateway = await enrolGateway(center);
    await gateway.begin();
    await gateway.hello();
    await rowsOf(center.database, "update gateway_links set current_counter = 2");
    const session = "1.1";
    t.match((await gateway.send(gateway.readings(1, [reading()], { session }))).data, { refusal: "fence" });
    t.match(await gateway.snapshot([reading()], session), {
      status: 409,
      data: { error: { code: "fence" } },
    });
    t.match(await gateway.heartbeat("cd".repeat(16), session), { status: 409 });
    gateway.session = session;
    t.match(await gateway.tellCatalogue(), { status: 409 });
    t.strictSame(await rowsOf(center.database, "select seq from readings"), []);
    t.strictSame(await rowsOf(center.database, "select point_no from point_states"), []);
  },
);

t.test("I6 a store put back to before what the center holds shows at its HELLO", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  await gateway.send(
    gateway.readings(1, [reading(), reading({ stateVersion: 2 }), reading({ stateVersion: 3 })]),
  );
  gateway.restart({ A: 0, B: 0, C: 2, D: 0 });
  await gateway.hello();
  t.strictSame(await alarmsOf(center), ["lineage-fork"]);
});

t.test("I2 a lost store leaves an open gap from the last sequence held", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  await gateway.send(gateway.readings(1, [reading(), reading({ stateVersion: 2 })]));
  const lost = gateway.incarnation;
  gateway.lineage = new TestGateway("gw-test", gateway.http).lineage;
  for (const _ of [1, 2]) await gateway.hello();
  t.strictSame(await alarmsOf(center), ["store-lost"]);
  const gaps = await rowsOf(
    center.database,
    "select incarnation, lane, first_seq, record_count from declared_gaps",
  );
  t.strictSame(
    gaps.map((row) => ({ ...row })),
    [{ incarnation: lost, lane: "C", first_seq: 3, record_count: null }],
  );
});

t.test(
  "I37 a center of an older generation offers nothing; one of a newer outranks all sessions seen",
  async (t) => {
    const center = await openTestCenter(t, { generation: 3 });
    const gateway = await enrolGateway(center);
    t.match(await gateway.hello({ highestSession: "4.1" }), {
      status: 409,
      data: { error: { code: "generation-behind" } },
    });
    t.strictSame(await alarmsOf(center), ["generation-behind"]);
    t.match((await gateway.hello({ highestSession: "3.70" })).data, { session: "3.71" });
    t.match((await gateway.hello({ highestSession: "2.500" })).data, { session: "3.72" });
  },
);

t.test(
  "a silent link is degraded after 8 s, down after three missed heartbeats, and up when heard again",
  async (t) => {
    const clock = new SimulatedClock();
    const center = await openTestCenter(t, { clock });
    const gateway = await enrolGateway(center);
    const id = GatewayId("gw-test");
    const told: string[] = [];
    center.events.on("link-changed", ({ state }) => told.push(state));
    await gateway.begin();
    t.equal((await gateway.heartbeat("12".repeat(16))).status, 200);
    t.match(center.links.newestToken(id), {
      token: Token("12".repeat(16)),
      session: "1.1",
      receivedAt: clock.uptime(),
    });
    t.equal(center.links.find(id)?.sweeps.get(1), clock.uptime() - 2_000);
    const states = () => rowsOf(center.database, "select state from gateway_links");
    for (const [wait, state] of [
      [7_000, "up"],
      [1_500, "degraded"],
      [7_000, "down"],
    ] as const) {
      await clock.advance(wait);
      await center.register.judgeLinks();
      t.match(await states(), [{ state }]);
    }
    await gateway.heartbeat();
    t.match(await states(), [{ state: "up" }]);
    t.strictSame(told, ["up", "degraded", "down", "up"]);
  },
);

t.test("a downlink that ends puts the link in doubt at once, and the next one mends it", async (t) => {
  const clock = new SimulatedClock();
  const center = await openTestCenter(t, { clock });
  const gateway = await enrolGateway(center);
  const id = GatewayId("gw-test");
  await gateway.begin();
  const stream: DownlinkStream = { pendingBytes: 0, write: () => undefined, close: () => undefined };
  const leave = center.downlinks.open(id, "1.1", stream);
  t.equal(center.links.find(id)?.state, "up");
  leave();
  t.equal(center.links.find(id)?.state, "degraded", "whoever looks sees it");
  await gateway.heartbeat();
  await center.register.judgeLinks();
  const states = () => rowsOf(center.database, "select state from gateway_links");
  t.match(await states(), [{ state: "degraded" }], "heard, and nothing can be sent to it");
  center.downlinks.open(id, "1.1", stream);
  await gateway.heartbeat();
  t.match(await states(), [{ state: "up" }]);
});

t.test("the watch judges each second until it is stopped", async (t) => {
  const clock = new SimulatedClock();
  const stop = new AbortController();
  let looks = 0;
  const register = {
    async judgeLinks() {
      looks += 1;
      if (looks === 2) throw new Error("the database is away");
    },
  };
  const running = new LinkWatch(register, { clock, logger: pino({ level: "silent" }) }).run(stop.signal);
  await clock.advance(3_500);
  t.equal(looks, 4);
  stop.abort();
  await running;
});

t.test(
  "I29 a downlink takes only what its session can be told now; a reader that stands still is cut off",
  async (t) => {
    const registry = new DownlinkRegistry();
    const id = GatewayId("gw-test");
    const lines: string[] = [];
    let closed = 0;
    const stream = (pendingBytes: number): DownlinkStream => ({
      pendingBytes,
      write: (line) => void lines.push(line),
      close: () => {
        closed += 1;
      },
    });
    const beat = { kind: "heartbeat", centerTimeMs: 1 } as const;
    t.equal(registry.send(id, "1.1", beat), false, "nobody there");
    const leave = registry.open(id, "1.1", stream(0));
    t.equal(registry.send(id, "1.2", beat), false, "another session");
    t.equal(registry.send(id, "1.1", beat), true);
    t.equal(
      registry.send(id, "1.1", { kind: "closing", reason: "x".repeat(300_000) }),
      false,
      "longer than a line",
    );
    registry.open(id, "1.2", stream(1024 * 1024));
    t.equal(closed, 1, "the older one is closed");
    leave();
    t.ok(registry.isOpen(id, "1.2"), "whoever left late takes nothing along");
    t.equal(registry.send(id, "1.2", beat), false, "too much waits");
    t.equal(closed, 2);
    t.notOk(registry.isOpen(id, "1.2"));
  },
);

t.test("a session outlives a restart of the center, its token does not", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  await gateway.begin();
  await gateway.heartbeat();
  t.ok(center.links.newestToken(GatewayId("gw-test")));
  await center.register.recover();
  t.match((await gateway.send(gateway.readings(1, [reading()]))).data, { outcomes: [{ outcome: "stored" }] });
  t.equal(center.links.newestToken(GatewayId("gw-test")), undefined);
  t.equal((await client(center).post("/sync/v1/hello", {})).status, 401, "and strangers stay outside");
});
