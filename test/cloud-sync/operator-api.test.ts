import t from "tap";
import { DayPartitions } from "../../cloud-sync/store/tables/day-partitions.ts";
import { moveStates } from "../../cloud-sync/store/tables/point-states.ts";
import { GatewayId, PointNumber, Token } from "../../domain/ids.ts";
import { Instant, Millis } from "../../domain/time.ts";
import { rowsOf } from "./center-for-tests.ts";
import { GATEWAY } from "./dispatch-for-tests.ts";
import { openTestOperators } from "./operators-for-tests.ts";

const ORDER = { gatewayId: "gw-test", pointId: "lamp-1/dim-level", value: 40 };

t.test("every route but the open ones asks for a token, and each role may do its own", async (t) => {
  const center = await openTestOperators(t);
  const { ask } = center;
  t.equal((await ask("GET", "/health", { token: "" })).status, 200);
  t.match(await ask("GET", "/api/v1/gateways", { token: "" }), {
    status: 401,
    body: { error: { code: "not-authenticated" } },
  });
  t.equal((await ask("GET", "/api/v1/gateways", { token: `nerve_${"a".repeat(43)}` })).status, 401);
  const cases = [
    { method: "GET", path: "/api/v1/gateways", role: "viewer", status: 200 },
    { method: "POST", path: "/api/v1/commands", role: "viewer", body: ORDER, status: 403 },
    { method: "POST", path: "/api/v1/commands", role: "operator", body: ORDER, status: 202 },
    {
      method: "POST",
      path: "/api/v1/gateways",
      role: "operator",
      body: { id: "gw-b", name: "B" },
      status: 403,
    },
    { method: "POST", path: "/api/v1/gateways", role: "admin", body: { id: "gw-b", name: "B" }, status: 201 },
    { method: "GET", path: "/api/v1/tokens", role: "operator", status: 403 },
    { method: "GET", path: "/api/v1/tokens", role: "admin", status: 200 },
    { method: "GET", path: "/api/v1/nothing", role: "admin", status: 404 },
  ] as const;
  for (const { status, method, path, ...more } of cases) {
    t.equal((await ask(method, path, more)).status, status, `${method} ${path} as ${more.role}`);
  }
});

t.test("a token is shown once, works until it is revoked, and is kept as a hash", async (t) => {
  const { ask, database } = await openTestOperators(t);
  const made = await ask("POST", "/api/v1/tokens", { body: { name: "anna", role: "operator" } });
  const token = String(made.body["token"]);
  t.equal(made.status, 201);
  t.equal((await ask("POST", "/api/v1/tokens", { body: { name: "anna", role: "viewer" } })).status, 409);
  const ordered = await ask("POST", "/api/v1/commands", { token, body: ORDER });
  t.equal(ordered.body["issuedBy"], "operator/anna");
  const kept = JSON.stringify(await rowsOf(database, "select * from access_tokens, center_audit"));
  t.notOk(kept.includes(token), "I42 it stands nowhere");
  t.notOk(JSON.stringify((await ask("GET", "/api/v1/tokens")).body).includes(token));
  t.equal((await ask("DELETE", "/api/v1/tokens/anna")).status, 200);
  t.equal((await ask("GET", "/api/v1/gateways", { token })).status, 401);
  t.equal((await ask("DELETE", "/api/v1/tokens/anna")).status, 404);
  const expired = await ask("POST", "/api/v1/tokens", {
    body: { name: "old", role: "admin", expiresAtMs: 1 },
  });
  t.equal((await ask("GET", "/api/v1/gateways", { token: String(expired.body["token"]) })).status, 401);
});

t.test("wrong tokens from one address are slowed down, good ones are not", async (t) => {
  const { ask } = await openTestOperators(t);
  const statuses: number[] = [];
  for (let tries = 0; tries < 25; tries += 1)
    statuses.push((await ask("GET", "/api/v1/gateways", { token: "x" })).status);
  t.equal(statuses[0], 401);
  t.equal(statuses.at(-1), 429);
  t.equal((await ask("GET", "/api/v1/gateways")).status, 200);
});

t.test("a body that is wrong is refused with the pointer of what is wrong", async (t) => {
  const { ask } = await openTestOperators(t);
  const cases = [
    { name: "a point that is none", body: { ...ORDER, pointId: "lamp-1" }, pointer: "/pointId" },
    { name: "a gateway that is none", body: { ...ORDER, gatewayId: "GW 1" }, pointer: "/gatewayId" },
    { name: "no value", body: { gatewayId: "gw-test", pointId: "a/b" }, pointer: "/value" },
    { name: "an object as value", body: { ...ORDER, value: {} }, pointer: "/value" },
    { name: "a mistyped member", body: { ...ORDER, ttlms: 5 }, pointer: "/ttlms" },
    { name: "no time at all", body: { ...ORDER, ttlMs: 0 }, pointer: "/ttlMs" },
    { name: "an id that is no UUIDv7", body: { ...ORDER, commandId: "1" }, pointer: "/commandId" },
    {
      name: "too long for its class",
      body: { ...ORDER, pointId: "lamp-1/reset", value: true, ttlMs: 61_000 },
      pointer: "/ttlMs",
    },
    { name: "a list", body: [], pointer: "" },
  ];
  for (const { name, body, pointer } of cases) {
    const answer = await ask("POST", "/api/v1/commands", { body });
    t.match(answer, { status: 400, body: { error: { code: "bad-request", pointer } } }, name);
  }
  t.equal((await ask("POST", "/api/v1/commands", { raw: "{" })).status, 400, "no JSON");
  t.equal(
    (
      await ask("POST", "/api/v1/commands", {
        body: { ...ORDER, value: "a\u0000b", pointId: "lamp-1/label" },
      })
    ).status,
    400,
  );
  t.equal((await ask("POST", "/api/v1/commands", { body: { a: "x".repeat(70_000) } })).status, 413);
  t.match(await ask("GET", "/api/v1/commands?limit=0"), {
    status: 400,
    body: { error: { pointer: "/limit" } },
  });
  t.match(await ask("GET", "/api/v1/history?gateway=gw-test&point=x"), {
    status: 400,
    body: { error: { pointer: "/point" } },
  });
});

t.test("an order is taken, seen, cancelled, and told apart from another with its id", async (t) => {
  const { ask, round, link } = await openTestOperators(t);
  const commandId = "0190a0b0-0000-7000-8000-00000000abcd";
  const taken = await ask("POST", "/api/v1/commands", { body: { ...ORDER, commandId, ttlMs: 60_000 } });
  t.match(taken, { status: 202, body: { id: commandId, state: { name: "authorized" }, commandClass: "K1" } });
  t.equal(Number(taken.body["validUntilMs"]) - Number(taken.body["createdAtMs"]), 60_000);
  t.equal(
    (await ask("POST", "/api/v1/commands", { body: { ...ORDER, commandId } })).status,
    202,
    "the same again",
  );
  t.equal((await ask("POST", "/api/v1/commands", { body: { ...ORDER, commandId, value: 1 } })).status, 409);
  t.match(await ask("GET", `/api/v1/commands/${commandId}`), {
    status: 200,
    body: { id: commandId, value: 40 },
  });
  t.match(await ask("POST", `/api/v1/commands/${commandId}/cancel`), {
    body: { state: { name: "cancelled" } },
  });
  t.equal((await ask("POST", `/api/v1/commands/${commandId}/cancel`)).status, 409);
  t.equal((await ask("POST", `/api/v1/commands/${commandId}/resolve`, { body: { note: "x" } })).status, 409);
  const unknown = await ask("POST", "/api/v1/commands", { body: { ...ORDER, gatewayId: "gw-nowhere" } });
  t.match(unknown, { status: 202, body: { state: { name: "rejected", cause: "unknown-point" } } });
  const list = await ask("GET", "/api/v1/commands?gateway=gw-test&limit=10");
  t.equal((list.body["commands"] as unknown[]).length, 1);
  t.equal((await ask("GET", "/api/v1/commands/0190a0b0-0000-7000-8000-000000000001")).status, 404);
  link.up();
  await round();
  t.same(link.frames, []);
});

t.test("a value looks fine only while its link lives and somebody confirms it", async (t) => {
  const { ask, database, clock, links } = await openTestOperators(t);
  const [point] = await rowsOf(
    database,
    "select point_no, gateway_no from points where point_id = 'lamp-1/dim-level'",
  );
  const gatewayNo = Number(point?.["gateway_no"]);
  const at = clock.now();
  const reading = {
    point: PointNumber(1),
    value: 40,
    quality: "good",
    cause: "none",
    gatewayTimestamp: at,
    sourceTimestamp: null,
    stateVersion: 1,
  } as const;
  const corrected = { at, error: Millis(0) };
  const placed = { pointNo: Number(point?.["point_no"]), sequence: 1, reading, corrected };
  await new DayPartitions(database).ensure([at], at);
  await database.transaction((tx) => moveStates(tx, { gatewayNo, lineageOrder: 1, readings: [placed], at }));
  const look = async () =>
    ((await ask("GET", "/api/v1/state?gateway=gw-test")).body["states"] as object[])[0];
  t.match(await look(), {
    value: 40,
    quality: "uncertain/last-usable-value",
    cause: "link-down",
    link: "down",
  });
  links.activate(GATEWAY, gatewayNo, "1.1");
  t.match(await look(), { quality: "good", confirmedAgeMs: 0, link: "up", unit: "%", toldQuality: "good" });
  await clock.advance(100_000);
  links.heard(GATEWAY, "1.1");
  t.match(await look(), {
    quality: "uncertain/last-usable-value",
    cause: "too-old",
    confirmedAgeMs: 100_000,
  });
  const heartbeat = {
    session: "1.1",
    token: "ab".repeat(16),
    uptimeMs: 1,
    nowMs: 1,
    timeQuality: "synced" as const,
  };
  const none = { A: 0, B: 0, C: 0, D: 0 };
  links.beat(
    GATEWAY,
    "1.1",
    { ...heartbeat, heads: none, backlog: none, sweeps: [[1, 2_000]] },
    Token(heartbeat.token),
  );
  await clock.advance(1_000);
  t.match(await look(), { quality: "good", confirmedAgeMs: 3_000 }, "the sweep that found it unchanged");
  await clock.advance(20_000);
  links.judge();
  t.match(await look(), { quality: "uncertain/last-usable-value", cause: "link-down", link: "down" });
  t.equal((await ask("GET", "/api/v1/state?gateway=gw-nowhere")).status, 404);
  const named = async (more: string) =>
    (await ask("GET", `/api/v1/state?gateway=gw-test${more}`)).body["states"];
  t.match(await named("&name=dim-level"), [{ pointId: "lamp-1/dim-level" }]);
  t.match(await named("&name=dim-level&device=lamp-1"), [{ pointId: "lamp-1/dim-level" }]);
  t.same(await named("&name=lamp-on"), []);
  t.same(await named("&name=lamp-on&device=lamp-1"), []);
  const devices = (await ask("GET", "/api/v1/devices?gateway=gw-test")).body["devices"] as {
    points: object[];
  }[];
  t.match(devices, [
    { id: "lamp-1", points: [{ id: "lamp-1/dim-level", range: { min: 0, max: 100 }, commandClass: "K1" }] },
  ]);
  t.equal(Instant(Number(at)), at);
});

t.test("events tell what changed, to those who watch that gateway, until the token is gone", async (t) => {
  const center = await openTestOperators(t);
  const open = async (query: string) => {
    const headers = { authorization: `Bearer ${center.held.viewer}` };
    const response = await fetch(`${center.url}/api/v1/events${query}`, { headers });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) throw new Error("no body");
    t.match(String((await reader.read()).value), /^event: hello\n/);
    return reader;
  };
  const all = await open("");
  const other = await open("?gateway=gw-other");
  t.equal(center.hub.watchers, 2);
  const ordered = await center.order();
  const text = String((await all.read()).value);
  t.match(text, /^event: command\ndata: /);
  t.match(JSON.parse(text.split("data: ")[1] ?? ""), {
    command: { id: ordered.id, state: { name: "authorized" } },
  });
  center.events.tell("catalogue-changed", { gatewayId: GatewayId("gw-other") });
  t.match(String((await other.read()).value), /^event: catalogue\n/, "the first thing the other one hears");
  await all.cancel();
  await other.cancel();
});

t.test("the interface documents itself, without anything from elsewhere", async (t) => {
  const { ask, url, held } = await openTestOperators(t);
  const { body } = await ask("GET", "/docs/openapi.json", { token: "" });
  const paths = Object.keys(body["paths"] as object);
  for (const path of [
    "/api/v1/commands",
    "/api/v1/commands/{id}/cancel",
    "/api/v1/state",
    "/api/v1/events",
    "/metrics",
  ])
    t.ok(paths.includes(path), path);
  const docs = await fetch(`${url}/docs`);
  t.match(docs.headers.get("content-security-policy"), /default-src 'none'; style-src 'self'; base-uri/);
  t.notMatch(await docs.text(), /https?:\/\/|<script|\son\w+=/, "it is complete in itself");
  t.equal((await fetch(`${url}/docs/page.css`)).status, 200);
  for (const former of ["/console", "/console/"]) {
    const response = await fetch(url + former, { redirect: "manual" });
    t.match({ status: response.status, to: response.headers.get("location") }, { status: 308, to: "/" });
  }
  const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${held.viewer}` } });
  t.match(await metrics.text(), /nerve_gateways\{link="down"\} 1\n/);
});

t.test("a gateway is shut out by an admin, and alarms are there for all to see", async (t) => {
  const { ask, database } = await openTestOperators(t);
  const body = { reason: "the box was stolen" };
  t.equal((await ask("POST", "/api/v1/gateways/gw-test/revoke", { role: "operator", body })).status, 403);
  t.equal((await ask("POST", "/api/v1/gateways/gw-test/revoke", { body })).status, 200);
  t.equal((await ask("POST", "/api/v1/gateways/gw-none/revoke", { body })).status, 404);
  const gateway = await ask("GET", "/api/v1/gateways/gw-test", { role: "viewer" });
  t.type(gateway.body["revokedAtMs"], "number");
  const [last] = await rowsOf(
    database,
    "select actor, action from center_audit order by audit_no desc limit 1",
  );
  t.same(last, { actor: "operator/test-admin", action: "gateway-revoked" });
  t.same((await ask("GET", "/api/v1/alarms", { role: "viewer" })).body, { alarms: [], total: 0 });
});
