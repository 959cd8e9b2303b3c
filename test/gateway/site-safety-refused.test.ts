import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { DeviceClass } from "../../domain/profile.ts";
import { Seconds } from "../../domain/time.ts";
import { safetyComplaints } from "../../gateway/site/profile/safety-complaints.ts";
import type { WrittenPoint } from "../../gateway/site/profile-schema.ts";
import {
  load,
  METER,
  type Planted,
  point,
  profileText,
  proveRefused,
  type RefusedCase,
  siteText,
} from "./planted-site.ts";

/** A shipped profile under the planted name, with one thing changed. */
function shipped(file: string, change: (text: string) => string = (text) => text): Planted {
  const text = readFileSync(join(import.meta.dirname, "../../profiles", file), "utf8");
  const profile = change(text.replace(/^id: .*$/m, "id: meter-x"));
  return { site: siteText(METER), profile };
}
const barrier = (change?: (text: string) => string): Planted =>
  shipped("barrier/neutral-barrier.yaml", change);
const bollard = (change: (text: string) => string): Planted =>
  shipped("bollard/neutral-bollard.yaml", change);
const cabinet = (change: (text: string) => string): Planted =>
  shipped("segment-cabinet/neutral-segment-cabinet.yaml", change);

/** `change` inside the entry of one point. */
function inPoint(name: string, change: (entry: string) => string): (text: string) => string {
  return (text) => {
    const entry = new RegExp(`  - name: ${name}\n(?:    .*\n)+`).exec(text)?.[0];
    if (entry === undefined) throw new Error(`no point ${name}`);
    const changed = change(entry);
    if (changed === entry) throw new Error(`nothing changed in ${name}`);
    return text.replace(entry, changed);
  };
}
const without = (key: string) => (entry: string) =>
  entry.replace(new RegExp(`    ${key}: .*\n`), "").replace("- name:", "- ‸name:");

const condition = (name: string): string => `      - { point: ${name}, equals: false }\n`;
/** Out of the interlock of closing; the cursor goes to the point that now lacks it. */
const withoutCondition = (order: string, name: string) => (text: string) =>
  inPoint(order, (entry) => entry.replace(/interlock: /, "interlock: ‸"))(
    text.replace(
      new RegExp(`(may-${order}:\n    all:\n(?:.*\n)*?)${condition(name).replace(/[{}]/g, "\\$&")}`),
      "$1",
    ),
  );

const CASES: readonly RefusedCase[] = [
  {
    name: "a barrier that is commanded as K2",
    ...barrier(inPoint("open", (entry) => entry.replace("commandClass: K3", "commandClass: ‸K2"))),
    pointers: ["/points/0/commandClass"],
    says: /found K2, expected K3: nobody has the key/,
  },
  {
    name: "a barrier whose order stays switched when the gateway dies",
    ...barrier(inPoint("close", without("pulse"))),
    pointers: ["/points/1/pulse"],
    says: /close, an output that is held, expected an output that falls back by itself: never onto somebody/,
  },
  {
    name: "a bollard that is held by a maintained output of another name",
    ...bollard((text) => text.replace("  - name: fire-open\n", "  - ‸name: hold-down\n")),
    pointers: ["/points/3/pulse"],
    says: /whatever else moves here is hazardous/,
  },
  {
    name: "a barrier that closes whatever the safety loop says",
    ...barrier(withoutCondition("close", "safety-loop-occupied")),
    pointers: ["/points/1/interlock"],
    says: /close without the condition safety-loop-occupied.*rule 26/,
  },
  {
    name: "a bollard that rises whatever the photocell says",
    ...bollard(withoutCondition("raise", "photocell-interrupted")),
    pointers: ["/points/1/interlock"],
    says: /raise without the condition photocell-interrupted/,
  },
  {
    name: "a barrier that closes onto the safety loop when it is occupied",
    ...barrier((text) =>
      inPoint("close", (entry) => entry.replace(/interlock: /, "interlock: ‸"))(
        text.replace(
          "point: safety-loop-occupied, equals: false",
          "point: safety-loop-occupied, equals: true",
        ),
      ),
    ),
    pointers: ["/points/1/interlock"],
    says: /safety-loop-occupied, equals: false/,
  },
  {
    name: "a barrier that opens against the local key",
    ...barrier(withoutCondition("open", "local-key")),
    pointers: ["/points/0/interlock"],
    says: /open without the condition local-key/,
  },
  {
    name: "a barrier that opens with a motor fault",
    ...barrier(withoutCondition("open", "motor-fault")),
    pointers: ["/points/0/interlock"],
    says: /open without the condition motor-fault/,
  },
  {
    name: "a safety loop that may be a second old",
    ...barrier(inPoint("safety-loop-occupied", (entry) => entry.replace("maxAge: 500 ms", "maxAge: ‸1 s"))),
    pointers: ["/points/6/maxAge"],
    says: /found 1000 ms, expected at most 500 ms/,
  },
  {
    name: "a safety loop of another device, and so perhaps of another bus",
    ...barrier((text) => text.replace("point: safety-loop-occupied", "point: ‸lane-2-safety-loop-occupied")),
    pointers: ["/interlocks/may-close/all/0/point", "/points/1/interlock"],
    says: /unknown point lane-2-safety-loop-occupied, expected a point of the profile that is read/,
  },
  {
    name: "a barrier that is reversed at once",
    ...barrier(inPoint("close", (entry) => entry.replace("minInterval: 3 s", "minInterval: ‸1 s"))),
    pointers: ["/points/1/minInterval"],
    says: /found 1 s, expected at least 3 s/,
  },
  {
    name: "a contactor that is commanded as K2",
    ...cabinet(
      inPoint("feeder-1-contactor-demand", (entry) => entry.replace("commandClass: K3", "commandClass: ‸K2")),
    ),
    pointers: ["/points/9/commandClass"],
    says: /expected K3/,
  },
  {
    name: "a contactor without rest",
    ...cabinet(inPoint("feeder-1-contactor-demand", without("minInterval"))),
    pointers: ["/points/9/minInterval"],
    says: /no minInterval, expected at least 60 s/,
  },
  {
    name: "a device on unit 0, which is everybody and answers nobody",
    ...barrier(),
    site: siteText(METER.replace("unit: 1", "unit: ‸0")),
    pointers: ["/devices/0/unit"],
    says: /0 is broadcast, which nobody answers/,
  },
  {
    name: "a counter of people that is asked every 5 s",
    site: siteText(METER.replace("bus: bridge", "bus: ‸bridge")).replace(
      "port: 1502 }",
      "port: 1502, pollIntervals: { meter: 5 s } }",
    ),
    profile: profileText(point("people-in", 1)).replace("class: meter", "class: counter"),
    pointers: ["/devices/0/bus"],
    says: /polls meter every 5 s, and so people-in, expected at least 60 s/,
  },
  {
    name: "two states that claim the same number",
    site: siteText(METER),
    profile: profileText(
      '  - { name: loop, type: text, access: read, address: { table: input, register: 1 }, states: [{ from: 0, to: 9, is: short }, { from: ‸9, to: 20, is: normal }], pollClass: fast, maxAge: 2 s, source: "Loop manual, p. 3" }',
    ),
    pointers: ["/points/0/states/1/from"],
    says: /9 to 20, which meets short/,
  },
  {
    name: "a probe that asks a point which the profile has not",
    site: siteText(METER),
    profile: profileText(point("volts", 1), "probe: [{ point: ‸volt, min: 1, max: 2, why: is it a meter }]"),
    pointers: ["/probe/0/point"],
    says: /did you mean volts\?/,
  },
  {
    name: "a probe that can never hold",
    site: siteText(METER),
    profile: profileText(point("volts", 1), "probe: [{ point: volts, min: ‸3, max: 2, why: is it a meter }]"),
    pointers: ["/probe/0/min"],
    says: /at most 2, the max: swap/,
  },
  {
    name: "a probe that looks for a text in a number",
    site: siteText(METER),
    profile: profileText(point("volts", 1), 'probe: [{ point: volts, matches: ‸"x", why: is it a meter }]'),
    pointers: ["/probe/0/matches"],
    says: /a number, as volts is/,
  },
];

for (const planted of CASES) proveRefused(t, planted);

t.test("the shipped barrier is what the rules ask for, and its probe-less profile loads", async (t) => {
  const site = await load(t, barrier());
  const points = site.devices[0]?.points.map(({ definition }) => definition) ?? [];
  const commanded = points.filter(({ access }) => access !== "read");
  t.ok(commanded.length > 0 && commanded.every(({ commandClass }) => commandClass === "K3"));
});

t.test("nothing that somebody in the street feels is commanded over Firmata", (t) => {
  const siren: WrittenPoint = {
    name: "siren",
    type: "boolean",
    access: "write",
    address: { pin: 3 },
    pollClass: "normal",
    maxAge: Seconds(30),
    commandClass: "K2",
    source: "board manual, p. 2",
  };
  const of = (deviceClass: DeviceClass, points: readonly WrittenPoint[] = [siren]) =>
    safetyComplaints({ driver: "firmata", interlocks: {}, points: [...points] }, deviceClass);
  for (const deviceClass of ["barrier", "bollard", "access-point", "traffic-cabinet"] as const) {
    const [refused] = of(deviceClass);
    t.strictSame(refused?.path, ["points", 0, "access"], deviceClass);
    t.match(refused?.complaint.expected, /keeps its pins as they were last set.*rule 33/);
    t.match(refused?.complaint.remedy, /remote I\/O/);
  }
  const { commandClass: _, ...rest } = siren;
  t.strictSame(of("barrier", [{ ...rest, access: "read" }]), [], "looking is free");
  t.strictSame(of("io-board"), []);
  t.strictSame(of("building"), []);
  t.end();
});
