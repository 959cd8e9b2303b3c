import { setTimeout as wait } from "node:timers/promises";
import t from "tap";
import { z } from "zod";
import { SseReader, type StreamEvent } from "../../cloud-sync/console/api/sse-reader.ts";
import { GatewayId } from "../../domain/ids.ts";
import { SMALL_CITY } from "./console-city.ts";
import { type ConsoleCenter, movePoint, openConsoleCenter, settled } from "./console-for-tests.ts";

const LAMP = "dijon-011-07";
const numbers = z.array(z.number());
const PlacesAnswer = z.object({
  tag: z.string(),
  ...{ classes: z.array(z.string()), gateways: z.array(z.string()), points: z.array(z.string()) },
  id: z.array(z.string()),
  ...{
    class: numbers,
    gateway: numbers,
    level: numbers,
    command: numbers,
    parent: numbers,
    members: numbers,
  },
  commandClass: numbers,
  lon: z.array(z.number().nullable()),
  lat: z.array(z.number().nullable()),
});
const LevelsAnswer = z.object({
  tag: z.string(),
  nowMs: z.number(),
  ...{ level: numbers, quality: numbers, alarm: numbers, at: numbers },
  gateways: z.array(
    z.looseObject({
      id: z.string(),
      sweeps: z.array(z.tuple([z.number(), z.number()])),
      lanes: z.array(z.unknown()),
    }),
  ),
});
const center = await openConsoleCenter(t, SMALL_CITY);

t.test("places are told once as columns, and again only when they changed", async (t) => {
  const first = await center.ask("places", { "accept-encoding": "gzip" });
  t.equal(first.headers.get("content-encoding"), "gzip");
  const places = PlacesAnswer.parse(await first.json());
  const place = places.id.indexOf(LAMP);
  const told = (column: readonly number[]): number => column[place] ?? Number.NaN;
  t.equal(places.classes[told(places.class)], "streetlight");
  t.equal(places.gateways[told(places.gateway)], "gw-dijon");
  t.equal(places.points[told(places.level)], "actual-level", "what proves a command shows the lamp");
  t.equal(places.points[told(places.command)], "dim-level");
  t.equal(places.id[told(places.parent)], "dijon-cab-011");
  t.ok(Math.abs((places.lat[place] ?? 0) - 47_320_000) < 100_000, "micro-degrees");
  const group = places.id.indexOf("dijon-cab-011-group-1");
  t.match({ lon: places.lon[group], members: places.members[group] }, { lon: null, members: 40 });
  const cabinet = places.id.indexOf("dijon-cab-011");
  t.equal(places.commandClass[cabinet], 3);
  const etag = first.headers.get("etag") ?? "";
  const second = await center.ask("places", { "if-none-match": etag });
  t.equal(second.status, 304);
  await center.database.query(
    { name: "test-rename", text: "update devices set name = 'Rue de la Gare 7' where device_id = $1" },
    [LAMP],
  );
  center.events.tell("catalogue-changed", { gatewayId: GatewayId("gw-dijon") });
  t.equal((await center.ask("places", { "if-none-match": etag })).status, 200);
});

t.test("levels stand in the order of the places, each with quality, alarm and time", async (t) => {
  const places = PlacesAnswer.parse(await (await center.ask("places")).json());
  const levels = LevelsAnswer.parse(await (await center.ask("levels")).json());
  t.equal(levels.tag, places.tag);
  t.equal(levels.level.length, places.id.length);
  const place = places.id.indexOf(LAMP);
  const [row] = await center.database.query<{ value: number }>(
    {
      name: "test-level",
      text: "select value_number as value from point_states join points using (point_no) where point_id = $1",
    },
    [`${LAMP}/actual-level`],
  );
  t.match({ level: levels.level[place], quality: levels.quality[place] }, { level: row?.value, quality: 0 });
  t.ok(levels.nowMs - (levels.at[place] ?? 0) < 24 * 3_600_000);
  const group = places.id.indexOf("dijon-cab-011-group-1");
  t.equal(levels.quality[group], -1, "never told");
  const alarms = await center.database.query<{ count: number }>(
    {
      name: "test-alarms",
      text: `select count(distinct p.device_id) from points p join point_states s using (point_no)
             where p.name in ('lamp-failure', 'rcd-tripped', 'door-open') and s.value_number = 1`,
    },
    [],
  );
  t.equal(
    levels.alarm.reduce((sum, each) => sum + each, 0),
    alarms[0]?.count,
  );
  const gateway = levels.gateways.find((each) => each.id === "gw-dijon");
  const swept = gateway?.sweeps[0]?.[1] ?? 0;
  t.ok(levels.nowMs - swept < 10_000, "a sweep is told by the center's clock");
  t.match(gateway?.lanes[2], { lane: "C", written: 90_000, held: 89_988, backlog: 12, lost: 0 });
});

t.test(
  "the stream tells what its view shows and nothing else, in one message for many changes",
  async (t) => {
    const all = follow(t, center, "");
    const cabinets = follow(t, center, "?classes=segment-cabinet");
    const elsewhere = follow(t, center, "?bbox=4.8,47.1,4.9,47.2");
    const device = follow(t, center, `?classes=none&device=gw-dijon/${LAMP}`);
    const streams = [all, cabinets, elsewhere, device];
    await settled(async () => streams.every(({ events }) => events.some(named("hello"))) || undefined);
    for (let value = 1; value <= 20; value += 1) {
      await movePoint(center, "gw-dijon", `${LAMP}/actual-level`, value);
      await movePoint(center, "gw-dijon", "dijon-011-08/actual-level", value);
      await wait(30);
    }
    await settled(async () => (lastLevel(all) === 20 ? true : undefined));
    const messages = all.events.filter(named("levels"));
    t.ok(messages.length <= 5, `40 changes in ${messages.length} messages`);
    t.same(JSON.parse(messages.at(-1)?.data ?? "").place.length, 2);
    for (const each of [cabinets, elsewhere, device]) t.notOk(each.events.some(named("levels")));
    t.ok(device.events.some(named("device")));
    t.notOk(all.events.some(named("device")));
  },
);

t.test("a link that is lost and a command that moves are told to all", async (t) => {
  const stream = follow(t, center, "?classes=none");
  await settled(async () => stream.events.find(named("hello")));
  center.links.cut(GatewayId("gw-ahuy"), center.events);
  const told = await settled(async () => stream.events.find(({ data }) => data.includes('"gw-ahuy"')));
  t.match(JSON.parse(told.data).gateways, [{ id: "gw-ahuy", state: "down" }]);
  center.events.tell("command-changed", { gatewayId: GatewayId("gw-ahuy"), commandId: "x" });
  const moved = await settled(async () => stream.events.find(named("commands")));
  t.strictSame(JSON.parse(moved.data), { commands: [{ id: "x", gateway: "gw-ahuy" }] });
});

t.test(
  "history is down-sampled: each bucket has least, mean, greatest and last, and what held before",
  async (t) => {
    const start = 1_700_000_000_000;
    const told: readonly (readonly [number, number, number])[] = [
      [-60, 10, 0],
      [1, 20, 0],
      [2, 40, 0],
      [59, 30, 0],
      [61, 90, 0],
      [62, 0, 4],
    ];
    await center.database.query(
      {
        name: "test-readings",
        text: `insert into readings (point_no, incarnation_no, lane, seq, gateway_at, state_version, value_kind, value_number, quality, cause)
             select p.point_no, 1, 'C', row_number() over (), to_timestamp($2::float8 / 1000 + minute * 60), minute + 100,
               case when q = 4 then 0 else 1 end, case when q = 4 then null else v end, q, 0
             from points p, unnest($3::float8[], $4::float8[], $5::int[]) as r(minute, v, q) where p.point_id = $1`,
      },
      [
        `${LAMP}/actual-level`,
        start,
        told.map(([minute]) => minute),
        told.map(([, value]) => value),
        told.map(([, , quality]) => quality),
      ],
    );
    const span = `from=${start}&to=${start + 4 * 3_600_000}&buckets=4`;
    const answer = await center.ask(`history?gateway=gw-dijon&point=${LAMP}/actual-level&${span}`);
    t.match(await answer.json(), {
      unit: "%",
      before: { value: 10, quality: 0 },
      bucket: [0, 1],
      min: [20, 90],
      mean: [30, 90],
      max: [40, 90],
      last: [30, null],
      quality: [0, 4],
      readings: [3, 2],
    });
    const wrong = await center.ask(`history?gateway=gw-dijon&point=${LAMP}/nothing&${span}`);
    t.equal(wrong.status, 404);
  },
);

t.test("without a token there is no data, and the page itself comes with a strict policy", async (t) => {
  for (const path of ["places", "levels", "gateways", "stream", "device?gateway=a&device=b"])
    t.equal((await fetch(`${center.url}/api/v1/view/${path}`)).status, 401, path);
  t.equal((await center.ask("stream?bbox=here")).status, 400);
  t.equal((await center.ask("device?gateway=gw-dijon&device=nobody")).status, 404);
  const page = await fetch(`${center.url}/`);
  const policy = page.headers.get("content-security-policy") ?? "";
  t.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  t.notMatch(policy, /unsafe|https?:/);
  t.equal(page.headers.get("cache-control"), "no-cache");
  const script = /src="(console-[^"]+)"/.exec(await page.text())?.[1];
  const bundle = await fetch(`${center.url}/${script}`);
  t.match(bundle.headers.get("cache-control"), /immutable/);
});

interface Followed {
  readonly events: StreamEvent[];
}

const named = (name: string) => (each: StreamEvent) => each.event === name;

function lastLevel({ events }: Followed): number | undefined {
  const last = events.findLast(named("levels"));
  return last === undefined ? undefined : JSON.parse(last.data).level[0];
}

function follow(
  t: { teardown(action: () => void): void },
  { url, token }: ConsoleCenter,
  query: string,
): Followed {
  const ended = new AbortController();
  t.teardown(() => ended.abort());
  const events: StreamEvent[] = [];
  const run = async (): Promise<void> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/api/v1/view/stream${query}`, { headers, signal: ended.signal });
    const reader = new SseReader();
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? [])
      events.push(...reader.push(decoder.decode(chunk, { stream: true })));
  };
  run().catch(() => undefined);
  return { events };
}
