import t from "tap";
import { DayPartitions } from "../../cloud-sync/store/tables/day-partitions.ts";
import { moveStates } from "../../cloud-sync/store/tables/point-states.ts";
import { PointNumber } from "../../domain/ids.ts";
import { Millis } from "../../domain/time.ts";
import { rowsOf } from "./center-for-tests.ts";
import { GATEWAY } from "./dispatch-for-tests.ts";
import { openTestOperators } from "./operators-for-tests.ts";

const WHERE = "/api/v1/preview?gateway=gw-test&point=lamp-1/open";

/** The operators' interface of a gateway whose points are told by hand. */
async function opened(t: Parameters<typeof openTestOperators>[0]) {
  const center = await openTestOperators(t);
  const { database, clock, links, ask, link } = center;
  const rows = await rowsOf(database, "select point_no, gateway_no, name from points");
  const gatewayNo = Number(rows[0]?.["gateway_no"]);
  let version = 0;
  const tell = async (name: string, value: boolean): Promise<void> => {
    version += 1;
    const pointNo = Number(rows.find((row) => row["name"] === name)?.["point_no"]);
    const at = clock.now();
    const stamps = { gatewayTimestamp: at, sourceTimestamp: null, stateVersion: version };
    const reading = { point: PointNumber(1), value, quality: "good", cause: "none", ...stamps } as const;
    const placed = { pointNo, sequence: version, reading, corrected: { at, error: Millis(0) } };
    await new DayPartitions(database).ensure([at], at);
    await database.transaction((tx) =>
      moveStates(tx, { gatewayNo, lineageOrder: 1, readings: [placed], at }),
    );
  };
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
  await clock.advance(91_000);
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
