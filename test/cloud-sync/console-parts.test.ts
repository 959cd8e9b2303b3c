import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { parse } from "yaml";
import { z } from "zod";
import { BAD_FROM, END_STATES, QUALITIES } from "../../cloud-sync/console/api/answers.ts";
import { SseReader } from "../../cloud-sync/console/api/sse-reader.ts";
import { ageFrom } from "../../cloud-sync/console/city/city-model.ts";
import { municipalityOf, NO_MUNICIPALITY } from "../../cloud-sync/console/city/contours.ts";
import {
  HEARTBEAT_LATE_MS,
  LOOK,
  LOOKS,
  lookOf,
  type PlaceFacts,
} from "../../cloud-sync/console/city/look.ts";
import { toMetres } from "../../cloud-sync/console/city/plane.ts";
import { moved, zoomed } from "../../cloud-sync/console/map/camera.ts";
import { DARK, LIGHT, type LookStyle } from "../../cloud-sync/console/map/palette.ts";
import { makeStamp } from "../../cloud-sync/console/map/stamps.ts";
import { type Outline, outlineOf } from "../../cloud-sync/console/map/symbols.ts";
import { adviceText, stateText, stepOf } from "../../cloud-sync/console/texts/command-texts.ts";
import { argumentText, pointText, qualityText } from "../../cloud-sync/console/texts/device-texts.ts";
import { POINT_NAMES } from "../../cloud-sync/console/texts/point-names.ts";
import { LANGUAGES, TEXTS } from "../../cloud-sync/console/texts/texts.ts";
import { VALUE_WORDS } from "../../cloud-sync/console/texts/value-texts.ts";
import { Wording } from "../../cloud-sync/console/texts/wording.ts";
import { choosePoints } from "../../cloud-sync/http/console-point-choice.ts";
import * as command from "../../domain/command.ts";
import { DEVICE_CLASSES } from "../../domain/profile.ts";
import { QUALITIES as ALL_QUALITIES, isBad } from "../../domain/quality.ts";
import { HEARTBEAT_LATE } from "../../domain/wire/heartbeat.ts";
import { CONTOURS } from "./console-city.ts";

const ROOT = join(import.meta.dirname, "../..");
const PROFILE = z.object({
  points: z.array(
    z.object({
      name: z.string(),
      states: z.array(z.object({ is: z.string() })).optional(),
      address: z.looseObject({ names: z.record(z.string(), z.number()).optional() }),
      args: z.array(z.object({ name: z.string() })).optional(),
    }),
  ),
});

t.test("the console knows the qualities, ends and causes of the domain", async (t) => {
  t.strictSame(QUALITIES, ALL_QUALITIES);
  for (const [code, quality] of QUALITIES.entries()) t.equal(code >= BAD_FROM, isBad(quality), quality);
  t.strictSame(END_STATES, command.END_STATES);
  for (const language of LANGUAGES) {
    for (const cause of Object.keys(command.REJECTION_CAUSES))
      t.not(adviceText(language, { name: "rejected", cause }), cause, `${cause} in ${language}`);
    for (const name of END_STATES) {
      t.not(stateText(language, name), name);
      t.equal(stepOf(name), "succeeded");
    }
    for (const quality of QUALITIES) t.notMatch(qualityText(language, quality), "/", quality);
  }
});

t.test("every text says the same things with the same values in both languages", async (t) => {
  const values = (text: string): readonly string[] =>
    [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
  for (const [key, { en, fr }] of Object.entries(TEXTS)) {
    t.strictSame(values(en), values(fr), key);
    t.ok(en.length > 0 && fr.length > 0, key);
  }
});

t.test("numbers, units and ages are written as people of each language write them", async (t) => {
  const [fr, en] = [new Wording("fr"), new Wording("en")];
  t.equal(fr.number(34_000.5).replace(/\s/g, " "), "34 000,5");
  t.equal(en.number(34_000.5), "34,000.5");
  t.equal(en.value(21.5, "Cel"), "21.5 °C");
  t.equal(fr.value(true, "1"), "oui");
  t.equal(en.value(null, "%"), "–");
  t.equal(fr.age(90_000), "il y a 90 s");
  t.equal(en.age(3 * 3_600_000), "3 h ago");
  t.equal(en.age(Number.POSITIVE_INFINITY), "never");
  t.equal(pointText("fr", "feeder-3-breaker-tripped"), "Départ 3 · disjoncteur déclenché");
  t.equal(pointText("en", "something-new"), "Something new");
});

t.test("every point and every state of the profiles that come with Nerve has words", async (t) => {
  const profiles = globSync("profiles/*/*.yaml", { cwd: ROOT }).map((file) =>
    PROFILE.parse(parse(readFileSync(join(ROOT, file), "utf8"))),
  );
  t.ok(profiles.length > 15);
  for (const { name, states, address, args } of profiles.flatMap(({ points }) => points)) {
    const stem = name.replace(/^(feeder|detector)-\d+-/, "").replace(/-l?\d+(-to-\d+)?$/, "");
    t.ok(Object.hasOwn(POINT_NAMES, stem), name);
    const values = [...(states ?? []).map(({ is }) => is), ...Object.keys(address.names ?? {})];
    for (const value of values) t.ok(VALUE_WORDS.includes(value), `${name}: ${value}`);
    for (const argument of args ?? []) t.not(argumentText("fr", argument.name), argument.name);
  }
});

const facts = fc.record<PlaceFacts>({
  meaning: fc.constantFrom("light", "activity"),
  level: fc.integer({ min: -1, max: 100 }),
  quality: fc.integer({ min: -1, max: QUALITIES.length - 1 }),
  alarm: fc.constantFrom(0, 1),
  age: fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.constant(Number.POSITIVE_INFINITY)),
  maxAge: fc.constantFrom(0, 30_000, 90_000),
  link: fc.constantFrom("up", "degraded", "down"),
});
const FINE: readonly number[] = LOOKS.map((_, code) => code).filter(
  (code) => code !== LOOK.unknown && code !== LOOK.old && code !== LOOK.silent,
);

t.test("what is too old, without link, never told or bad never looks fine", async (t) => {
  fc.assert(
    fc.property(facts, (place) => {
      const fine = FINE.includes(lookOf(place)) && lookOf(place) !== LOOK.alarm;
      const old = place.maxAge > 0 && place.age > place.maxAge + HEARTBEAT_LATE;
      return !(fine && (old || place.link === "down" || place.quality === -1 || place.quality >= BAD_FROM));
    }),
  );
  const good: PlaceFacts = {
    meaning: "light",
    level: 100,
    quality: 0,
    alarm: 0,
    age: 10,
    maxAge: 90_000,
    link: "up",
  };
  t.equal(lookOf(good), LOOK["level-5"]);
  t.equal(lookOf({ ...good, level: 1 }), LOOK["level-1"]);
  t.equal(lookOf({ ...good, level: 0 }), LOOK.off);
  t.equal(HEARTBEAT_LATE_MS, HEARTBEAT_LATE, "as the center counts");
  t.equal(
    lookOf({ ...good, age: 90_000 + HEARTBEAT_LATE }),
    LOOK["level-5"],
    "the heartbeat may be on its way",
  );
  t.equal(lookOf({ ...good, age: 90_001 + HEARTBEAT_LATE }), LOOK.old);
  t.equal(lookOf({ ...good, link: "down" }), LOOK.unknown);
  t.equal(lookOf({ ...good, alarm: 1 }), LOOK.alarm);
  t.equal(lookOf({ ...good, meaning: "activity" }), LOOK.active, "an open barrier is no light");
  t.equal(lookOf({ ...good, meaning: "activity", level: 0 }), LOOK.present);
});

t.test("the age is that of the younger proof, and a time ahead of the clock proves nothing", async (t) => {
  t.equal(ageFrom(100_000, 40_000, 90_000), 10_000);
  t.equal(ageFrom(100_000, 95_000, 90_000), 5_000);
  t.equal(ageFrom(100_000, 900_000, undefined), Number.POSITIVE_INFINITY);
  t.equal(ageFrom(100_000, 0, undefined), Number.POSITIVE_INFINITY);
});

t.test("no two looks are told apart by colour alone", async (t) => {
  for (const palette of [DARK, LIGHT]) {
    for (const outline of OUTLINES) {
      const pictures = LOOKS.map((look) => pictureOf(palette.looks[look], outline));
      t.equal(new Set(pictures).size, LOOKS.length, `each look of ${outline} differs in form or brightness`);
    }
  }
});

t.test("each class of device has a figure of its own, whatever it looks like", async (t) => {
  t.equal(new Set(OUTLINES).size, Object.keys(DEVICE_CLASSES).length);
  for (const look of LOOKS) {
    // A lamp and a cabinet in alarm are triangles without more.
    const figures = OUTLINES.filter((each) => look !== "alarm" || each !== "square");
    const pictures = figures.map((outline) => pictureOf({ ...DARK.looks[look], glow: 0 }, outline));
    t.equal(new Set(pictures).size, figures.length, look);
  }
});

const OUTLINES = Object.keys(DEVICE_CLASSES).map(outlineOf);

/** A look without its colour. */
function pictureOf(style: LookStyle, outline: Outline): string {
  const { dx, dy, pixel } = makeStamp(style, outline, 6);
  const light = (color: number): number =>
    Math.round((0.3 * (color & 255) + 0.59 * ((color >> 8) & 255) + 0.11 * ((color >> 16) & 255)) / 6);
  return JSON.stringify([...pixel].map((color, at) => [dx[at], dy[at], light(color)]));
}

t.test("a point lies in the municipality whose contour holds it", async (t) => {
  const names = (lon: number, lat: number): string | undefined =>
    CONTOURS[municipalityOf(CONTOURS, toMetres(lon, lat), 0)]?.name;
  t.equal(CONTOURS.length, 23);
  t.equal(names(5.0415, 47.3216), "Dijon");
  t.equal(names(5.1151, 47.3194), "Quetigny");
  t.equal(names(4.9189, 47.2774), "Flavignerot");
  t.equal(municipalityOf(CONTOURS, toMetres(2.35, 48.85), 3), NO_MUNICIPALITY);
});

t.test("zooming keeps what lies under the hand, moving and back is where it was", async () => {
  const camera = fc.record({
    x: fc.integer({ min: -5_000, max: 5_000 }),
    y: fc.integer({ min: -5_000, max: 5_000 }),
    scale: fc.double({ min: 0.05, max: 1, noNaN: true }),
  });
  const size = { width: 1_000, height: 700 };
  const at = fc.record({ x: fc.integer({ min: 0, max: 1_000 }), y: fc.integer({ min: 0, max: 700 }) });
  fc.assert(
    fc.property(camera, at, fc.double({ min: 0.5, max: 2, noNaN: true }), (before, hand, factor) => {
      const after = zoomed(before, factor, hand, size);
      const under = (of: typeof before): number => of.x + (hand.x - size.width / 2) / of.scale;
      const back = moved(moved(before, 40, -30), -40, 30);
      return Math.abs(under(before) - under(after)) < 1e-6 && Math.abs(back.x - before.x) < 1e-6;
    }),
  );
});

t.test("events are read whole, wherever the stream was cut", async () => {
  const text = 'event: hello\ndata: {"a":1}\n\n: still here\n\nevent: levels\ndata: {"é":2}\n\n';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 6 }), (cuts) => {
      const reader = new SseReader();
      const edges = [0, ...cuts.sort((left, right) => left - right), text.length];
      const events = edges.slice(1).flatMap((edge, index) => reader.push(text.slice(edges[index], edge)));
      return (
        JSON.stringify(events) ===
        JSON.stringify([
          { event: "hello", data: '{"a":1}' },
          { event: "levels", data: '{"é":2}' },
        ])
      );
    }),
  );
});

t.test("the points that stand for a device follow from its profile", async (t) => {
  const point = (name: string, more: object = {}) => ({
    profile: "p",
    class: "streetlight",
    name,
    type: "number",
    unit: "%",
    access: "read",
    command_class: null,
    read_back: null,
    sweep: 1,
    ...more,
  });
  const set = { access: "read-write", command_class: "K1" };
  const lamp = [
    point("power-on-level", { ...set, read_back: "power-on-level" }),
    point("dim-level", { ...set, read_back: "actual-level" }),
    point("actual-level"),
    point("lamp-failure", { type: "boolean" }),
    point("lamp-on", { type: "boolean" }),
  ];
  t.strictSame(choosePoints(lamp), { level: "actual-level", command: "dim-level", alarms: ["lamp-failure"] });
  const cabinet = [
    point("door-open", { type: "boolean" }),
    point("min-on-time", { ...set, unit: "s" }),
    point("feeder-1-contactor-demand", {
      ...set,
      type: "boolean",
      command_class: "K3",
      read_back: "feeder-1-contactor-feedback",
    }),
    point("feeder-1-contactor-feedback", { type: "boolean" }),
    point("feeder-1-breaker-tripped", { type: "boolean" }),
  ];
  t.strictSame(choosePoints(cabinet), {
    level: "feeder-1-contactor-feedback",
    command: "feeder-1-contactor-demand",
    alarms: ["door-open", "feeder-1-breaker-tripped"],
  });
  t.strictSame(choosePoints([]), { level: null, command: null, alarms: [] });
});
