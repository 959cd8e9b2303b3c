import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { ReadFinding } from "../../domain/wire/fresh-read.ts";
import { rowsOf } from "./center-for-tests.ts";
import { GATEWAY, PROOF } from "./dispatch-for-tests.ts";
import { type OperatorContext, openTestOperators } from "./operators-for-tests.ts";
import { tellerOf } from "./told-points.ts";

const BODY = { gatewayId: "gw-test", pointIds: ["lamp-1/open", "lamp-1/opened"] };

async function opened(t: OperatorContext) {
  const center = await openTestOperators(t);
  const { link, links, reads, ask } = center;
  const { tell, gatewayNo } = await tellerOf(center);
  const linkUp = (actions: readonly string[] = ["write", "select", "operate", "read"]): void => {
    link.actions = actions;
    links.activate(GATEWAY, gatewayNo, "1.1", actions);
    link.up("1.1");
  };
  const read = (body: object = BODY) => ask("POST", "/api/v1/read", { role: "operator", body });
  /** What the gateway was asked last, once it was. */
  const frame = async (count: number) => {
    while (link.reads.length < count) await turn();
    const last = link.reads.at(-1);
    if (last === undefined) throw new Error("nothing was asked");
    return last;
  };
  const answer = (readId: string, points: readonly ReadFinding[]): void =>
    reads.take(GATEWAY, { session: "1.1", readId, points: [...points] });
  return { ...center, tell, verdict: center.tell, linkUp, read, frame, answer };
}

const good = (pointId: string, value: boolean): ReadFinding => ({
  pointId,
  value,
  quality: "good",
  cause: "none",
});

t.test(
  "K0 a read goes to the gateway and back, is in the audit, and stands beside what was told",
  async (t) => {
    const { read, linkUp, frame, answer, tell, clock, database } = await opened(t);
    linkUp();
    await tell("open", false);
    await clock.advance(12_000);
    linkUp();
    const asking = read();
    const { readId, pointIds, requester, budgetMs } = await frame(1);
    t.same(
      { pointIds, requester, budgetMs },
      { pointIds: BODY.pointIds, requester: "operator/test-operator", budgetMs: 3_000 },
    );
    answer("00".repeat(16), [good("lamp-1/open", false)]);
    answer(readId, [good("lamp-1/open", true)]);
    const { status, body } = await asking;
    t.equal(status, 200);
    t.match(body, {
      outcome: "read",
      points: [
        {
          pointId: "lamp-1/open",
          read: { value: true, quality: "good" },
          told: { value: false, quality: "good", confirmedAgeMs: 12_000 },
        },
        {
          pointId: "lamp-1/opened",
          read: { value: null, quality: "bad/waiting-for-initial-data" },
          told: null,
        },
      ],
    });
    const audit = await rowsOf(
      database,
      "select actor, subject, detail from center_audit where action = 'read'",
    );
    t.match(audit, [
      { actor: "operator/test-operator", subject: "gw-test", detail: { pointIds: BODY.pointIds } },
    ]);
  },
);

t.test("a preview rests on what was read, until the gateway has told something newer", async (t) => {
  const { ask, linkUp, read, frame, answer, tell, clock } = await opened(t);
  linkUp();
  for (const name of ["open", "opened", "local"]) await tell(name, false);
  await clock.advance(5_000);
  linkUp();
  const where = "/api/v1/preview?gateway=gw-test&point=lamp-1/open";
  const before = (await ask("GET", where)).body["preview"];
  const asking = read();
  answer((await frame(1)).readId, [good("lamp-1/open", true), good("lamp-1/opened", false)]);
  await asking;
  await clock.advance(1_000);
  const shown = (await ask("GET", where)).body;
  t.match(shown["points"], [
    { value: true, source: "read", confirmedAgeMs: 1_000 },
    { value: false, source: "read" },
    { value: false, source: "told", confirmedAgeMs: 6_000 },
  ]);
  t.not(shown["preview"], before);
  const order = { gatewayId: "gw-test", pointId: "lamp-1/open", value: true };
  const confirmed = { ...order, confirm: { preview: shown["preview"] } };
  t.equal(
    (await ask("POST", "/api/v1/commands", { body: confirmed })).status,
    202,
    "what was read is confirmed",
  );
  await tell("open", false);
  t.match((await ask("GET", where)).body["points"], [{ value: false, source: "told" }]);
});

t.test("without a link, and from a gateway that can not, nothing is asked", async (t) => {
  const { read, linkUp, link, ask } = await opened(t);
  const offline = await read();
  t.match(offline, {
    status: 409,
    body: { error: { code: "conflict", message: /no live link.*told last/ } },
  });
  linkUp(["write"]);
  t.match(await read(), { status: 409, body: { error: { message: /update it/ } } });
  t.equal(link.reads.length, 0);
  const viewer = await ask("POST", "/api/v1/read", { role: "viewer", body: BODY });
  t.equal(viewer.status, 403);
  t.equal((await read({ gatewayId: "gw-test" })).status, 400);
  t.equal((await read({ gatewayId: "gw-test", pointIds: ["x"] })).body.error?.pointer, "/pointIds/0");
  t.equal((await read({ gatewayId: "gw-test", deviceId: "lamp-77" })).status, 404);
});

t.test("a gateway that says nothing for 3 s costs no more, and what comes later is dropped", async (t) => {
  const { read, linkUp, frame, answer, tell, clock, reads } = await opened(t);
  linkUp();
  await tell("open", false);
  const asking = read({ gatewayId: "gw-test", deviceId: "lamp-1" });
  const { readId, pointIds } = await frame(1);
  t.notOk(pointIds.includes("lamp-1/absent"));
  t.ok(pointIds.includes("lamp-1/actual-level"), "all that can be read of the device");
  await clock.advance(3_000);
  const { body } = await asking;
  t.match(body, { outcome: "not-answered", tookMs: 3_000 });
  const points = body["points"] as readonly {
    readonly pointId: string;
    readonly read: unknown;
    readonly told: unknown;
  }[];
  t.match(
    points.find(({ pointId }) => pointId === "lamp-1/open"),
    {
      read: null,
      told: { value: false, confirmedAgeMs: 0 },
    },
  );
  answer(readId, [good("lamp-1/open", true)]);
  t.equal(reads.find(GATEWAY, "lamp-1/open" as never), undefined);
});

t.test("I27 an unknown outcome is resolved with what is read back then; it stays unknown", async (t) => {
  const { ask, linkUp, frame, answer, round, find, ...center } = await opened(t);
  linkUp();
  const order = { gatewayId: "gw-test", pointId: "lamp-1/dim-level", value: 40 };
  const { body: given } = await ask("POST", "/api/v1/commands", { role: "operator", body: order });
  await round();
  const command = await find(given["id"] as never);
  await center.verdict(command, { name: "outcome-unknown", evidence: { ...PROOF, acknowledged: null } });
  const where = `/api/v1/commands/${command.id}`;
  const resolve = (note: string) => ask("POST", `${where}/resolve`, { role: "operator", body: { note } });
  const resolving = resolve("looked at the lamp: it burns");
  const { readId, pointIds } = await frame(1);
  t.same(pointIds, ["lamp-1/dim-level", "lamp-1/actual-level"], "the point and what proves it");
  const told = { quality: "good", cause: "none" } as const;
  answer(readId, [{ pointId: "lamp-1/actual-level", value: 38, ...told }]);
  const evidence = {
    outcome: "read",
    points: [
      { pointId: "lamp-1/dim-level", value: null },
      { pointId: "lamp-1/actual-level", value: 38, quality: "good", source: "read" },
    ],
  };
  t.match(await resolving, {
    status: 200,
    body: {
      state: { name: "outcome-unknown" },
      resolution: { by: "operator/test-operator", note: "looked at the lamp: it burns", evidence },
    },
  });
  t.match((await ask("GET", where)).body["resolution"], { evidence });
  t.equal((await resolve("again")).status, 409);
  const audit = await rowsOf(
    center.database,
    "select detail from center_audit where action = 'command-resolved'",
  );
  t.match(audit, [{ detail: { note: /burns/, evidence } }]);
});
