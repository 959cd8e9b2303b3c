import t from "tap";
import { load, METER, point, profileText, proveRefused, type RefusedCase, siteText } from "./planted-site.ts";

const WIDTH = "{ bits: 16, maxStep: 10000 }";
/** A point of whole numbers at register 1; `more`: its counter, and what else. */
const count = (name: string, more: string, register = 1): string =>
  point(name, register, more).replace("unit: W", 'unit: "1"').replace("deadband: 1", "deadband: 0");
const total = (more = "", counter = WIDTH): string => count("pulses-total", `, counter: ${counter}${more}`);
const epoch = (more = "", of = "pulses-total"): string =>
  count("pulses-epoch", `, counter: { epochOf: ${of} }${more}`);
const profile = (...points: readonly string[]): string => profileText(points.join("\n"));
const site = siteText(METER);

const CASES: readonly RefusedCase[] = [
  {
    name: "a counter of watts",
    site,
    profile: profile(point("pulses-total", 1, `, ‸counter: ${WIDTH}`), epoch()),
    pointers: ["/points/0/counter"],
    says: /a number that is only read, unit 1, deadband 0, without scale/,
  },
  {
    name: "a counter with a scale",
    site,
    profile: profile(count("pulses-total", `, scale: { factor: 10 }, ‸counter: ${WIDTH}`), epoch()),
    pointers: ["/points/0/counter"],
    says: /and a scale/,
  },
  {
    name: "a counter with a range, which a total would leave",
    site,
    profile: profile(count("pulses-total", `, range: { min: 0, max: 65535 }, counter: ‸${WIDTH}`), epoch()),
    pointers: ["/points/0/counter"],
    says: /no range: a total grows/,
  },
  {
    name: "a step so long that every reset would look like a roll-over",
    site,
    profile: profile(total("", "‸{ bits: 16, maxStep: 32769 }"), epoch()),
    pointers: ["/points/0/counter"],
    says: /at most 32768, half of what 16 bits hold/,
  },
  {
    name: "a total without its epoch",
    site,
    profile: profile(total("", `‸${WIDTH}`)),
    pointers: ["/points/0/counter"],
    says: /epochOf: pulses-total.*a total alone can not be gone on with after a restart/,
  },
  {
    name: "a total with two epochs",
    site,
    profile: profile(total("", `‸${WIDTH}`), epoch(), epoch().replace("pulses-epoch", "other-epoch")),
    pointers: ["/points/0/counter"],
    says: /two such points/,
  },
  {
    name: "an epoch of nothing",
    site,
    profile: profile(total(), epoch(), count("far-epoch", ", counter: ‸{ epochOf: far-total }")),
    pointers: ["/points/2/counter"],
    says: /far-total, a point with counter: \{ bits, maxStep \}/,
  },
  {
    name: "an epoch that is read elsewhere",
    site,
    profile: profile(
      total("", `‸${WIDTH}`),
      count("pulses-epoch", ", counter: ‸{ epochOf: pulses-total }", 2),
    ),
    pointers: ["/points/0/counter", "/points/1/counter"],
    says: /another address or pollClass than pulses-epoch/,
  },
  {
    name: "an epoch that is read at other times",
    site,
    profile: profile(
      total("", `‸${WIDTH}`),
      epoch().replace("pollClass: meter", "pollClass: slow").replace("counter: ", "counter: ‸"),
    ),
    pointers: ["/points/0/counter", "/points/1/counter"],
    says: /another address or pollClass/,
  },
  {
    name: "a counter by which a device is known",
    site,
    profile: profileText(
      [count("pulses-total", `, ‸counter: ${WIDTH}`), epoch()].join("\n"),
      "probe: [{ point: pulses-total, min: 1, max: 2, why: is it a meter }]",
    ),
    pointers: ["/points/0/counter"],
    says: /let the point that shows the device's own number prove it/,
  },
  {
    name: "a device that has a total and not its epoch",
    site: siteText(METER.replace(" }", ", points: [‸pulses-total] }")),
    profile: profile(total(), epoch()),
    pointers: ["/devices/0/points/0"],
    says: /pulses-total without pulses-epoch, with which it counts/,
  },
  {
    name: "a device that has an epoch and not its total",
    site: siteText(METER.replace(" }", ", points: [‸pulses-epoch] }")),
    profile: profile(total(), epoch()),
    pointers: ["/devices/0/points/0"],
    says: /pulses-epoch without pulses-total/,
  },
];

for (const planted of CASES) proveRefused(t, planted);

t.test("total and epoch stand at the place of what the device shows; nothing else may", async (t) => {
  const shown = count("pulses", "");
  const loaded = await load(t, { site, profile: profile(shown, total(), epoch()) });
  t.strictSame(
    loaded.devices[0]?.points.map(({ definition }) => definition.name),
    ["pulses", "pulses-total", "pulses-epoch"],
  );
  const twice = load(t, { site, profile: profile(shown, count("pulses-again", "")) });
  t.match(await twice.catch((error: unknown) => error), { problems: [{ pointer: "/points/1/address" }] });
});
