import { readFileSync } from "node:fs";
import t from "tap";
import { isSlug } from "../../domain/ids.ts";
import { apportion } from "../../simulators/city/apportion.ts";
import { Contour, distance, loadContours } from "../../simulators/city/contour.ts";
import { deviceIdOf, equipmentDevices } from "../../simulators/city/equipment-config.ts";
import { MUNICIPALITIES } from "../../simulators/city/municipalities.ts";
import { EQUIPMENT_KINDS } from "../../simulators/city/place-equipment.ts";
import { placeCity } from "../../simulators/city/placement.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";

const city = placeCity({ seed: 1 });
const cabinets = city.municipalities.flatMap((municipality) => municipality.cabinets);
const lamps = cabinets.flatMap((cabinet) => cabinet.lamps);
const contours = loadContours();

t.test("34,000 light points stand in 725 cabinets of 23 municipalities, by population", (t) => {
  t.equal(city.municipalities.length, 23);
  t.equal(cabinets.length, 725);
  t.equal(lamps.length, 34_000);
  const people = MUNICIPALITIES.reduce((sum, { population }) => sum + population, 0);
  for (const { name, population, cabinets } of city.municipalities) {
    const count = cabinets.reduce((sum, cabinet) => sum + cabinet.lamps.length, 0);
    t.ok(Math.abs(count - (34_000 * population) / people) <= 1, name);
  }
  t.end();
});

t.test("every cabinet and every lamp is inside its municipality, and lamps stand by their cabinet", (t) => {
  const placed = city.municipalities.flatMap(({ insee, cabinets }) => {
    const contour = contours.get(insee) ?? new Contour([]);
    return cabinets.flatMap(({ position, lamps }) => {
      const cabinet = contour.spotOf(position);
      const spots = [cabinet, ...lamps.map((lamp) => contour.spotOf(lamp.position))];
      return spots.map((spot) => ({ away: distance(spot, cabinet), isInside: contour.contains(spot) }));
    });
  });
  const outside = placed.filter(({ isInside }) => !isInside).length;
  const farthest = placed.reduce((most, { away }) => Math.max(most, away), 0);
  t.equal(placed.length, 34_725);
  t.equal(outside, 0);
  t.ok(farthest < 1_000, `the farthest lamp is ${Math.round(farthest)} m away`);
  const apart = new Set(lamps.map(({ position }) => `${position.latitude} ${position.longitude}`));
  t.ok(apart.size > 33_900, `lamps stand apart: ${apart.size} places`);
  t.end();
});

t.test("cabinets keep apart", (t) => {
  for (const { insee, name, cabinets } of city.municipalities) {
    const contour = contours.get(insee);
    const spots = cabinets.flatMap(({ position }) => contour?.spotOf(position) ?? []);
    const nearest = spots.flatMap((spot, at) => spots.slice(at + 1).map((other) => distance(spot, other)));
    t.ok(Math.min(...nearest, 1_000) > 50, `${name}: ${Math.round(Math.min(...nearest, 1_000))} m`);
  }
  t.end();
});

t.test(
  "identifiers are slugs of their own; short addresses, feeders and groups are within their bounds",
  (t) => {
    const ids = [...cabinets, ...lamps, ...cabinets.flatMap(({ groups }) => groups)].map(({ id }) => id);
    t.ok(ids.every(isSlug));
    t.equal(new Set(ids).size, ids.length);
    t.match(
      cabinets.find(({ id }) => id === "talant-c0007"),
      {
        name: "Talant, cabinet 7",
        lamps: [{ id: "talant-c0007-l01", name: "Talant, cabinet 7, lamp 1", shortAddress: 0 }],
      },
    );
    const isGood = cabinets.every(({ lamps, feeders, groups }) => {
      const all = lamps.map(({ shortAddress }) => shortAddress).join();
      const ways = feeders.map(({ feeder }) => feeder);
      return (
        lamps.length >= 1 &&
        lamps.length <= 64 &&
        lamps.every(({ shortAddress }, at) => shortAddress === at) &&
        feeders.flatMap(({ shortAddresses }) => shortAddresses).join() === all &&
        ways.length >= 4 &&
        ways.length <= 8 &&
        ways.every((way, at) => way === at + 1) &&
        groups.flatMap(({ shortAddresses }) => shortAddresses).join() === all &&
        groups.every(({ shortAddresses }) => shortAddresses.length <= 44)
      );
    });
    t.ok(isGood);
    t.end();
  },
);

t.test("the same seed gives the same city, another seed another, as plain data", (t) => {
  const written = JSON.stringify(city);
  t.ok(JSON.stringify(placeCity({ seed: 1 })) === written);
  t.ok(JSON.stringify(structuredClone(city)) === written);
  const [other] = placeCity({ seed: 2, lightPoints: 34_000 }).municipalities;
  t.not(JSON.stringify(other), JSON.stringify(city.municipalities[0]));
  t.end();
});

t.test("a smaller city has every municipality, and one beyond reason is refused", (t) => {
  for (const lightPoints of [500, 1_000, 5_000, 40_000]) {
    const small = placeCity({ seed: 1, lightPoints });
    const sizes = small.municipalities.flatMap(({ cabinets }) => cabinets.map(({ lamps }) => lamps.length));
    t.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      lightPoints,
    );
    t.ok(Math.max(...sizes) <= 64 && Math.min(...sizes) >= 1, `${lightPoints}`);
    t.ok(small.municipalities.every(({ cabinets }) => cabinets.length >= 1));
  }
  t.throws(() => placeCity({ seed: 1, lightPoints: 499 }), { name: "RangeError" });
  t.throws(() => apportion(1, [1, 1], () => 1), { name: "AssertionError" });
  t.end();
});

t.test("the contours carry their attribution", (t) => {
  const file = readFileSync(new URL("../../simulators/city/communes.geojson", import.meta.url), "utf8");
  t.match(JSON.parse(file).attribution, /IGN Admin Express 2018 \(Licence Ouverte\)/);
  t.equal(contours.size, 23);
  t.end();
});

t.test(
  "113 junctions and the other equipment stand inside their municipalities, in all under names of their own",
  (t) => {
    const equipment = city.municipalities.flatMap((municipality) => municipality.equipment);
    const count = (kind: string): number => equipment.filter((each) => each.kind === kind).length;
    t.equal(count("junction") + count("wire-junction"), 113);
    t.equal(count("building"), 180);
    t.same(
      EQUIPMENT_KINDS.filter((kind) => count(kind) === 0),
      [],
      "every kind is there",
    );
    const ids = [...equipment, ...cabinets, ...lamps].map(({ id }) => id);
    t.equal(new Set(ids).size, ids.length);
    t.ok(ids.every(isSlug));
    for (const { insee, name, equipment } of city.municipalities) {
      const contour = contours.get(insee) ?? new Contour([]);
      t.ok(
        equipment.every(({ position }) => contour.contains(contour.spotOf(position))),
        name,
      );
    }
    t.same(
      placeCity({ seed: 1 }).municipalities[7]?.equipment,
      city.municipalities[7]?.equipment,
      "by its seed",
    );
    t.not(placeCity({ seed: 2 }).municipalities[7]?.equipment[0]?.position, equipment[0]?.position);
    t.end();
  },
);

t.test("a simulation can be made of it: every socket, line and server of the equipment", (t) => {
  const equipment = city.municipalities.flatMap((municipality) => municipality.equipment);
  const setting = { doorKey: () => "0123456789abcdef0123456789abcdef", pkiFolder: undefined };
  const { devices } = parseSimulationConfig({ devices: equipmentDevices(equipment, setting) });
  const served = new Set(devices.map(({ id }) => id));
  t.ok(equipment.every((each) => served.has(deviceIdOf(each))));
  t.equal(devices.filter(({ kind }) => kind === "osdp-line").length, 8);
  t.end();
});
