import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import type { PointId } from "../../domain/ids.ts";
import { PointNumber } from "../../domain/ids.ts";
import { catalogueHash, parseCatalogueMessage } from "../../domain/wire/catalogue.ts";
import { catalogueOf } from "../../gateway/catalogue.ts";
import { makeFieldPlans } from "../../gateway/field-plans.ts";
import { loadSite, PRODUCT_SOURCES } from "../../gateway/site/load-site.ts";
import { numberSite } from "../../gateway/site/number-site.ts";
import { PointIndex } from "../../gateway/site/site.ts";
import { lamp, load, METER, point, problemsOf, profileText, siteText } from "./planted-site.ts";

const numberInOrder = (ids: readonly PointId[]): ReadonlyMap<PointId, PointNumber> =>
  new Map(ids.map((id, index) => [id, PointNumber(index + 1)]));

const CABINET = [
  '  - { repeat: { shortAddress: "0..2,5" }, id: "lamp-{shortAddress:2}", name: "Lamp {shortAddress}", profile: intesis-dali-lamp, bus: bridge, unit: 1, parent: cab }',
  "  - { id: cab, profile: intesis-dali-bridge, bus: bridge, unit: 1, position: { latitude: 47.32, longitude: 5.04 } }",
  '  - { id: all, profile: intesis-dali-group, bus: bridge, unit: 1, parameters: { group: 3 }, members: ["lamp-{0..2:2}", lamp-05], commandClass: { level: K2 } }',
].join("\n");
const TWO_UNITS = `${CABINET}\n${METER.replace("unit: 1", "unit: 2")}`;
const METER_PROFILE = profileText(
  `${point("power", 0)}\n${point("energy", "1, coding: u32").replace("meter, maxAge: 5 min", "slow, maxAge: 1 h")}`,
  'quirks: [{ flag: settle-before-read-back, value: 300 ms, why: "answers the old level" }]',
);

t.test("a site resolves to buses, devices and points with the addresses of each device", async (t) => {
  const site = await load(t, { site: siteText(TWO_UNITS), profile: METER_PROFILE });
  const ids = site.devices.map(({ id }) => id);
  t.strictSame(ids, ["lamp-00", "lamp-01", "lamp-02", "lamp-05", "cab", "all", "m-1"]);
  const [, , , lamp5, cab, all] = site.devices;
  t.match(lamp5, { name: "Lamp 5", service: "lighting", busId: "bridge", unitAddress: "1", parent: "cab" });
  const level = lamp5?.points.find(({ id }) => id === "lamp-05/dim-level");
  t.match(level?.definition, { unit: "%", maxAge: 90_000, address: { table: "holding", register: 515 } });
  t.match(cab, { position: { latitude: 47.32, longitude: 5.04 }, members: [] });
  t.strictSame(all?.members, ["lamp-00", "lamp-01", "lamp-02", "lamp-05"]);
  t.match(
    all?.points[0]?.definition,
    { commandClass: "K2", address: { register: 6460 } },
    "the site raises the class",
  );
  t.match(site, { siteId: "old-town", gatewayId: "gw-1", broker: { host: "127.0.0.1", port: 1883 } });
  t.equal(site.dataFolder, join(t.testdirName, "data"), "paths are relative to the site file");
  t.match(site.buses[0], { isolationGroup: "lighting", requestTimeout: 1_000, config: { port: 1502 } });
  t.match(site.devices[6]?.quirks, [{ flag: "settle-before-read-back", value: 300 }]);
});

t.test(
  "devices with equal parameters share their definitions, and everything can cross to a field host",
  async (t) => {
    const other = "  - { id: two, driver: modbus, transport: tcp, host: 127.0.0.1, port: 1503 }";
    const there = lamp("there", 7).replace("bus: bridge", "bus: two");
    const site = numberSite(
      await load(t, { site: siteText(`${lamp("here", 7)}\n${there}`, other) }),
      numberInOrder,
    );
    const [here, elsewhere] = site.devices;
    t.equal(here?.points[0]?.definition, elsewhere?.points[0]?.definition);
    t.strictSame(structuredClone(site), site);
  },
);

t.test("a device has only the points that its entry lists, in the order of the profile", async (t) => {
  const six = "points: [lamp-on, actual-level, dim-level]";
  const lamps = `  - { repeat: { shortAddress: 0..1 }, id: "lamp-{shortAddress}", profile: intesis-dali-lamp, bus: bridge, unit: 1, ${six} }`;
  const group = `  - { id: g, profile: intesis-dali-group, bus: bridge, unit: 1, points: [level], members: ["lamp-{0..1}"] }`;
  const whole = lamp("whole", 7);
  const devices = [lamps, group.replace("points", "parameters: { group: 0 }, points"), whole].join("\n");
  const site = numberSite(await load(t, { site: siteText(devices) }), numberInOrder);
  const [first, second, all, other] = site.devices;
  t.strictSame(
    first?.points.map(({ id }) => id),
    ["lamp-0/dim-level", "lamp-0/actual-level", "lamp-0/lamp-on"],
  );
  t.match(second?.points[0]?.definition, { address: { register: 115 } });
  t.strictSame(
    all?.points.map(({ id }) => id),
    ["g/level"],
  );
  t.equal(other?.points.length, 27, "without a list it has all");
  t.equal(new PointIndex(site).find("lamp-0/limit-error" as PointId), undefined, "nobody can command it");
  const { plans } = makeFieldPlans(site);
  t.equal(plans[0]?.buses[0]?.units[0]?.points.length, 3 + 3 + 1 + 27, "nor is it polled");
});

t.test("the same list of points shares the definitions, another does not", async (t) => {
  const other = "  - { id: two, driver: modbus, transport: tcp, host: 127.0.0.1, port: 1503 }";
  const few = (id: string, bus: string, list: string): string =>
    lamp(id, 7).replace("bus: bridge", `bus: ${bus}, points: [${list}]`);
  const here = few("here", "bridge", "actual-level, lamp-on");
  const there = few("there", "two", "lamp-on, actual-level");
  const site = await load(t, { site: siteText(`${here}\n${there}`, other) });
  const [one, same] = site.devices;
  t.equal(one?.points[0]?.definition, same?.points[0]?.definition);
  const apart = await load(t, {
    site: siteText(`${here}\n${lamp("there", 7).replace("bridge", "two")}`, other),
  });
  t.not(apart.devices[0]?.points[0]?.definition, apart.devices[1]?.points[1]?.definition);
});

t.test(
  "sites that are loaded together share a profile until its file changes, and a broken one is told to each",
  async (t) => {
    const folder = t.testdir({ "site.yaml": siteText(METER), own: { "meter-x.yaml": METER_PROFILE } });
    const own = join(folder, "own/meter-x.yaml");
    const sources = { ...PRODUCT_SOURCES, loaded: new Map() };
    const loadPower = async () =>
      (await loadSite(join(folder, "site.yaml"), sources)).devices[0]?.points[0]?.definition;
    const first = await loadPower();
    t.equal(await loadPower(), first);
    await writeFile(own, METER_PROFILE.replace("register: 0", "register: 7"));
    t.match(await loadPower(), { address: { register: 7 } });
    await writeFile(own, METER_PROFILE.replace("holding", "nowhere"));
    for (const _ of [1, 2]) await t.rejects(loadPower(), { name: "SiteFileError", message: /nowhere/ });
  },
);

t.test("a site as JSON is the same site, and its mistakes have their places too", async (t) => {
  const device = { profile: "intesis-dali-lamp", bus: "bridge", unit: 1, parameters: { shortAddress: 1 } };
  const written = (more: object) => ({
    site: { id: "old-town", name: 'Old: "town"' },
    gateway: "gw-1",
    dataFolder: "data",
    buses: [{ id: "bridge", driver: "modbus", transport: "tcp", host: "127.0.0.1", port: 1502 }],
    devices: [{ id: "a", ...device, ...more }],
  });
  const good = JSON.stringify(written({}));
  const folder = t.testdir({
    "good.json": good,
    "wrong.json": JSON.stringify(written({ points: ["lamp-onn"] }), null, 2),
    "twice.json": good.replace('"gateway"', '"gateway":"gw-0","gateway"'),
    "yaml.json": `# a remark\n${good}`,
    "broken.json": good.slice(0, -2),
  });
  const site = await loadSite(join(folder, "good.json"));
  t.match(site, { name: 'Old: "town"', devices: [{ id: "a" }] });
  const refused = (name: string, message: RegExp) =>
    t.rejects(loadSite(join(folder, name)), { name: "SiteFileError", message });
  await refused("wrong.json", /wrong\.json:\d\d:\d+ \/devices\/0\/points\/0: .*did you mean lamp-on\?/);
  await refused("twice.json", /a key that is there already/);
  await refused("yaml.json", /no JSON.*or name the file \.yaml/);
  await refused("broken.json", /no YAML/);
});

t.test("points are numbered by the store and found by id and number", async (t) => {
  const site = numberSite(await load(t, { site: siteText(lamp("a", 1)) }), numberInOrder);
  const index = new PointIndex(site);
  const found = index.findByNumber(PointNumber(2));
  t.equal(found?.point.id, "a/actual-level");
  t.throws(() => numberSite(site, () => new Map()), { message: /gave no number for a\/dim-level/ });
});

t.test(
  "field plans hold each bus once, each unit with its points, and a sweep for each poll class",
  async (t) => {
    const site = numberSite(
      await load(t, { site: siteText(TWO_UNITS), profile: METER_PROFILE }),
      numberInOrder,
    );
    const { plans, sweepOf } = makeFieldPlans(site);
    t.strictSame(
      plans.map(({ group }) => group),
      ["lighting"],
    );
    const units = plans[0]?.buses[0]?.units ?? [];
    t.strictSame(
      units.map(({ unitAddress }) => unitAddress),
      ["1", "2"],
    );
    t.strictSame(
      units.flatMap(({ sweeps }) => sweeps),
      [
        { number: 1, pollClass: "lamp" },
        { number: 2, pollClass: "slow" },
        { number: 3, pollClass: "meter" },
        { number: 4, pollClass: "slow" },
      ],
    );
    const index = new PointIndex(site);
    const sweepOfId = (id: string) => sweepOf(index.find(id as PointId)?.point.number ?? PointNumber(9_999));
    t.equal(sweepOfId("lamp-01/dim-level"), 1);
    t.equal(sweepOfId("m-1/energy"), 4);
    t.equal(sweepOfId("all/power-on-level"), null, "what is only written is not polled");
  },
);

t.test("buses of different isolation groups go to different field hosts", async (t) => {
  const other = "  - { id: two, driver: modbus, transport: tcp, host: a, isolationGroup: tunnel }";
  const there = lamp("there", 7).replace("bus: bridge", "bus: two");
  const site = numberSite(
    await load(t, { site: siteText(`${lamp("here", 7)}\n${there}`, other) }),
    numberInOrder,
  );
  t.strictSame(
    makeFieldPlans(site).plans.map(({ group }) => group),
    ["lighting", "tunnel"],
  );
});

t.test(
  "the catalogue tells every point with its sweep, and retired points, and passes its own schema",
  async (t) => {
    const site = numberSite(
      await load(t, { site: siteText(TWO_UNITS), profile: METER_PROFILE }),
      numberInOrder,
    );
    const numbered = new Map([
      ...numberInOrder(site.devices.flatMap(({ points }) => points.map(({ id }) => id))),
    ]);
    numbered.set("gone/dim-level" as PointId, PointNumber(7_000));
    const catalogue = catalogueOf(site, makeFieldPlans(site), numbered);
    const message = { session: "1-1", hash: catalogueHash(catalogue), catalogue };
    t.strictSame(parseCatalogueMessage(JSON.parse(JSON.stringify(message))).catalogue, catalogue);
    t.strictSame(catalogue.retired, [{ pointId: "gone/dim-level", number: 7_000 }]);
    const [first] = catalogue.devices;
    t.match(first, { id: "lamp-00", parent: "cab", position: null, sweeps: { lamp: 1 } });
    const kind = catalogue.kinds[first?.kind ?? -1];
    t.match(kind, { class: "streetlight", service: "lighting" });
    t.match(kind?.points[0], { name: "dim-level", polled: true, maxAgeMs: 90_000, readBack: "actual-level" });
    t.equal(first?.numbers[0], 1);
    t.equal(first?.numbers.length, kind?.points.length);
  },
);

t.test("every mistake is told at once, in the order of the file", async (t) => {
  const devices = [
    lamp("a", 64),
    lamp("b", 1).replace("unit: 1", "unit: 999"),
    lamp("c", 2).replace("bus: bridge", "bus: bridg"),
    METER,
  ].join("\n");
  const site = siteText(devices).replace("gateway: gw-1", "gateway: GW 1");
  const problems = await problemsOf(t, {
    site,
    profile: profileText(point("p", 1).replace("unit: W", "unit: w")),
  });
  t.strictSame(
    problems.map(({ pointer }) => pointer),
    ["/gateway", "/devices/0/parameters/shortAddress", "/devices/1/unit", "/devices/2/bus", "/points/0/unit"],
  );
});

t.test("the message lists each problem with its place, and says how many are left out", async (t) => {
  const many = Array.from({ length: 60 }, (_, index) => lamp(`a-${index}`, 64 + index)).join("\n");
  const folder = t.testdir({ "site.yaml": siteText(many), own: {} });
  await t.rejects(loadSite(join(folder, "site.yaml")), {
    name: "SiteFileError",
    message:
      /can not be used, 60 problems:\n.*site\.yaml:8:\d+ \/devices\/0\/parameters\/shortAddress: found 64[\s\S]*… and 10 more/,
  });
});

t.test("a unit's bits in one register do not overlap, and a bitmap may be read beside them", async (t) => {
  const bit = (name: string, at: number): string =>
    `  - { name: ${name}, type: boolean, access: read, address: { table: holding, register: 9, bit: ${at} }, pollClass: meter, maxAge: 5 min, source: "Meter manual, p. 3" }`;
  t.strictSame(
    await problemsOf(t, { site: siteText(METER), profile: profileText(`${bit("p", 0)}\n${bit("q", 1)}`) }),
    [],
  );
  const twice = await problemsOf(t, {
    site: siteText(METER),
    profile: profileText(`${bit("p", 1)}\n${bit("q", 1)}`),
  });
  t.match(twice, [{ pointer: "/points/1/address" }]);
  const shared = {
    site: siteText(`${METER}\n  - { id: cab, profile: intesis-dali-bridge, bus: bridge, unit: 1 }`),
  };
  t.strictSame(await problemsOf(t, { ...shared, profile: profileText(point("p", 0)) }), []);
  const written = await problemsOf(t, { ...shared, profile: profileText(point("p", 4)) });
  t.match(written, [
    { pointer: "/devices/1", found: /cab\/refresh at holding:4 of unit 1, where m-1\/p is/ },
  ]);
});

t.test("files that are missing, too large, not UTF-8 or nested without end are refused", async (t) => {
  const folder = t.testdir({
    "large.yaml": "#".repeat(16 * 1024 * 1024 + 1),
    "latin.yaml": Buffer.from("name: caf\xe9", "latin1"),
    "deep.yaml": "[".repeat(50_000),
    "list.yaml": "- a",
    "empty.yaml": "",
  });
  const refused = (name: string, message: RegExp) =>
    t.rejects(loadSite(join(folder, name)), { name: "SiteFileError", message });
  await refused("none.yaml", /found no readable file \(ENOENT\).*check the path/);
  await refused("large.yaml", /found 16777217 bytes, expected at most 16777216/);
  await refused("latin.yaml", /bytes that are no UTF-8/);
  await refused("deep.yaml", /deep\.yaml:1:/);
  await refused("list.yaml", /list\.yaml:1:3: found a list, expected a mapping with site/);
  await refused("empty.yaml", /expected a mapping with site/);
});

t.test("a profile that is too large is refused at the profile", async (t) => {
  const profile = `${profileText(point("p", 1))}${"#".repeat(256 * 1024)}`;
  t.match(await problemsOf(t, { site: siteText(METER), profile }), [
    { file: /meter-x\.yaml$/, expected: /262144/ },
  ]);
});

t.test("a profile that is in two folders is refused, since nobody can tell which is meant", async (t) => {
  const own = {
    "intesis-dali-lamp.yaml": profileText(point("p", 1)).replace("meter-x", "intesis-dali-lamp"),
  };
  const folder = t.testdir({ "site.yaml": siteText(lamp("a", 1)), own });
  await t.rejects(loadSite(join(folder, "site.yaml")), { message: /give your own profile another id/ });
});
