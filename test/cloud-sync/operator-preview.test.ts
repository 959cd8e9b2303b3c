import t from "tap";
import { GATEWAY } from "./dispatch-for-tests.ts";
import { openTestOperators } from "./operators-for-tests.ts";
import { tellerOf } from "./told-points.ts";

const WHERE = "/api/v1/preview?gateway=gw-test&point=lamp-1/open";

/** The operators' interface of a gateway whose points are told by hand. */
async function opened(t: Parameters<typeof openTestOperators>[0]) {
  const center = await openTestOperators(t);
  const { links, ask, link } = center;
  const { tell, gatewayNo } = await tellerOf(center);
  const order = (body: object = {}) =>
    ask("POST", "/api/v1/commands", {
      role: "operator",
      body: { gatewayId: "gw-test", pointId: "lamp-1/open", value: true, ...body },
    });
  links.activate(GATEWAY, gatewayNo, "1.1");
  link.up("1.1");
  return { ...center, tell, order };
}

t.test(
  "a preview shows the point, what proves it and its interlock points, and stands for their values",
  async (t) => {
    const { ask, tell, clock } = await opened(t);
    await tell("open", false);
    await tell("opened", false);
    const incomplete = await ask("GET", WHERE, { role: "viewer" });
    t.match(incomplete.body, {
      preview: null,
      commandClass: "K3",
      link: "up",
      problems: [/lamp-1\/local is bad/],
    });
    await tell("local", false);
    await clock.advance(2_000);
    const { body } = await ask("GET", WHERE, { role: "viewer" });
    t.match(body, {
      gatewayId: "gw-test",
      pointId: "lamp-1/open",
      preview: /^[0-9a-f]{64}$/,
      points: [
        { pointId: "lamp-1/open", role: "point", value: false, quality: "good", confirmedAgeMs: 2_000 },
        { pointId: "lamp-1/opened", role: "read-back", value: false },
        { pointId: "lamp-1/local", role: "interlock", value: false },
      ],
    });
    t.same(body["problems"], []);
    t.equal((await ask("GET", WHERE)).body["preview"], body["preview"], "whoever asks");
    t.equal((await ask("GET", `${WHERE}x`)).status, 404);
    t.equal((await ask("GET", "/api/v1/preview?gateway=gw-test&point=x")).status, 400);
  },
);

t.test("a hazardous order needs the preview as it stands now, and an operator", async (t) => {
  const { ask, tell, order, clock, link, links } = await opened(t);
  for (const name of ["open", "opened", "local"]) await tell(name, false);
  const seen = (await ask("GET", WHERE)).body["preview"];
  const confirm = { preview: seen };
  t.match(await order(), { status: 409, body: { error: { code: "conflict", pointer: "/confirm" } } });
  const viewer = {
    role: "viewer",
    body: { gatewayId: "gw-test", pointId: "lamp-1/open", value: true, confirm },
  } as const;
  t.equal((await ask("POST", "/api/v1/commands", viewer)).status, 403);
  t.match(await order({ confirm }), { status: 202, body: { state: { name: "queued" }, commandClass: "K3" } });
  await tell("local", true);
  const changed = await order({ confirm });
  t.match(changed, {
    status: 409,
    body: { error: { pointer: "/confirm/preview", message: /not stand any more/ } },
  });
  await tell("local", false);
  await clock.advance(97_000);
  links.heard(GATEWAY, "1.1");
  t.type(
    (await ask("GET", WHERE)).body["preview"],
    "string",
    "the heartbeat that confirms it may be on its way",
  );
  await clock.advance(2_000);
  links.heard(GATEWAY, "1.1");
  const old = await order({ confirm: { preview: (await ask("GET", WHERE)).body["preview"] ?? "" } });
  t.match(old, { status: 409, body: { error: { pointer: "/confirm/preview", message: /too-old/ } } });
  link.down();
  await clock.advance(20_000);
  links.judge();
  const offline = await order({ confirm });
  t.match(
    offline,
    { status: 202, body: { state: { name: "rejected", cause: "offline" } } },
    "I28 at once, on record",
  );
});
