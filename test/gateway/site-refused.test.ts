import t from "tap";
import {
  lamp,
  METER,
  point,
  profileText,
  proveRefused,
  type RefusedCase,
  siteText,
  writtenPoint,
} from "./planted-site.ts";

const OLD = siteText(lamp("lamp-1", 1));
const lampWith = (text: string): string => siteText(`  - ${text}`);
const REST = "bus: bridge, unit: 1";
const LAMP = "profile: intesis-dali-lamp";

const SITE_CASES: readonly RefusedCase[] = [
  {
    name: "an unknown key",
    site: OLD.replace("dataFolder: data", "dataFolder: data\n‸brokr: { port: 0 }"),
    pointers: ["/brokr"],
    says: /unknown key brokr.*did you mean broker\?/,
  },
  {
    name: "an unknown key of a device",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, ‸postion: 3 }`),
    pointers: ["/devices/0/postion"],
    says: /did you mean position\?/,
  },
  {
    name: "a wrong type",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: ‸"one" } }`),
    pointers: ["/devices/0/parameters/shortAddress"],
    says: /found "one", expected a whole number/,
  },
  {
    name: "a missing key, at the mapping that lacks it",
    site: OLD.replace("gateway: gw-1\n", "").replace("site:", "‸site:"),
    pointers: ["/gateway"],
    says: /found no gateway, expected lower-case words.*add gateway/,
  },
  {
    name: "a center without TLS",
    site: OLD.replace("dataFolder: data", "dataFolder: data\ncenter: { url: ‸http://center:8443 }"),
    pointers: ["/center/url"],
    says: /https:\/\/host:port/,
  },
  {
    name: "a parameter out of range",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: ‸64 } }`),
    pointers: ["/devices/0/parameters/shortAddress"],
    says: /found 64, expected a whole number from 0 to 63/,
  },
  {
    name: "a parameter out of range in a repeat",
    site: lampWith(`{ repeat: { shortAddress: ‸62..64 }, id: "a-{shortAddress}", ${LAMP}, ${REST} }`),
    pointers: ["/devices/0/repeat/shortAddress"],
    says: /found 64 \(a-64\)/,
  },
  {
    name: "a missing parameter",
    site: lampWith(`‸{ id: a, ${LAMP}, ${REST} }`),
    pointers: ["/devices/0/parameters/shortAddress"],
    says: /found no shortAddress/,
  },
  {
    name: "an unknown parameter",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1, ‸chanel: 0 } }`),
    pointers: ["/devices/0/parameters/chanel"],
    says: /did you mean channel\?/,
  },
  {
    name: "two devices of one id",
    site: siteText(`${lamp("lamp-1", 1)}\n${lamp("‸lamp-1", 2)}`),
    pointers: ["/devices/1/id"],
    says: /\/devices\/0 has it/,
  },
  {
    name: "two buses of one id",
    site: siteText(lamp("a", 1), "  - { id: ‸bridge, driver: modbus, transport: tcp, host: 127.0.0.2 }"),
    pointers: ["/buses/1/id"],
    says: /\/buses\/0 has it/,
  },
  {
    name: "an unknown driver",
    site: siteText(lamp("a", 1), "  - { id: two, driver: ‸modbuss, host: a }"),
    pointers: ["/buses/1/driver"],
    says: /one of firmata, modbus/,
  },
  {
    name: "what the driver does not take, at its key",
    site: siteText(
      lamp("a", 1),
      "  - { id: two, driver: modbus, transport: tcp, host: 127.0.0.2, port: ‸70000 }",
    ),
    pointers: ["/buses/1/port"],
    says: /found 70000, expected a TCP port/,
  },
  {
    name: "a key of ours mistyped on a bus",
    site: siteText(
      lamp("a", 1),
      "  - { id: two, driver: modbus, transport: tcp, host: a, ‸isolationGrup: x }",
    ),
    pointers: ["/buses/1/isolationGrup"],
    says: /did you mean isolationGroup\?/,
  },
  {
    name: "an unknown profile",
    site: lampWith(`{ id: a, profile: ‸intesis-dali-lam, ${REST} }`),
    pointers: ["/devices/0/profile"],
    says: /did you mean intesis-dali-lamp\?/,
  },
  {
    name: "an unknown bus",
    site: lampWith(`{ id: a, ${LAMP}, bus: ‸brigde, unit: 1, parameters: { shortAddress: 1 } }`),
    pointers: ["/devices/0/bus"],
    says: /did you mean bridge\?/,
  },
  {
    name: "an unknown parent",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, parent: ‸cab-1 }`),
    pointers: ["/devices/0/parent"],
    says: /unknown device cab-1/,
  },
  {
    name: "an unknown member",
    site: siteText(
      `${lamp("lamp-1", 1)}\n  - { id: g, profile: intesis-dali-group, ${REST}, parameters: { group: 0 }, members: ‸[lamp-1, lamp-2] }`,
    ),
    pointers: ["/devices/1/members"],
    says: /unknown device lamp-2/,
  },
  {
    name: "a group without members",
    site: lampWith(`‸{ id: g, profile: intesis-dali-group, ${REST}, parameters: { group: 0 } }`),
    pointers: ["/devices/0/members"],
    says: /without them no command to it can be proven/,
  },
  {
    name: "a member on another unit",
    site: siteText(
      `${lamp("lamp-1", 1)}\n  - { id: g, profile: intesis-dali-group, bus: bridge, unit: 2, parameters: { group: 0 }, members: ‸[lamp-1] }`,
    ),
    pointers: ["/devices/1/members"],
    says: /lamp-1 on bus bridge, unit 1, expected devices on bus bridge, unit 2/,
  },
  {
    name: "a member on another channel of the unit",
    site: siteText(
      `${lamp("lamp-1", 1)}\n  - { id: g, profile: intesis-dali-group, ${REST}, parameters: { group: 0, channel: 1 }, members: ‸[lamp-1] }`,
    ),
    pointers: ["/devices/1/members"],
    says: /lamp-1 with channel 0, expected members with channel 1/,
  },
  {
    name: "a member without the read-back point",
    site: siteText(
      `  - { id: b, profile: intesis-dali-bridge, ${REST} }\n  - { id: g, profile: intesis-dali-group, ${REST}, parameters: { group: 0 }, members: ‸[b] }`,
    ),
    pointers: ["/devices/1/members"],
    says: /whose profile intesis-dali-bridge has the unknown point actual-level/,
  },
  {
    name: "members on a device that is no group",
    site: siteText(`${lamp("lamp-1", 1)}\n${lamp("lamp-2", 2, ", ‸members: [lamp-1]")}`),
    pointers: ["/devices/1/members"],
    says: /intesis-dali-lamp is no group/,
  },
  {
    name: "two devices with the same parameters",
    site: siteText(`${lamp("lamp-1", 1)}\n  - ‸${lamp("lamp-2", 1).slice(4)}`),
    pointers: ["/devices/1"],
    says: /lamp-2 with the same unit 1, channel 0, shortAddress 1 as lamp-1/,
  },
  {
    name: "a unit that the driver does not take",
    site: lampWith(`{ id: a, ${LAMP}, bus: bridge, unit: ‸0, parameters: { shortAddress: 1 } }`),
    pointers: ["/devices/0/unit"],
    says: /found 0, expected a unit address from 1 to 247/,
  },
  {
    name: "a device without unit",
    site: lampWith(`‸{ id: a, ${LAMP}, bus: bridge, parameters: { shortAddress: 1 } }`),
    pointers: ["/devices/0/unit"],
    says: /found no unit/,
  },
  {
    name: "a poll interval out of bounds",
    site: siteText(
      lamp("a", 1),
      "  - { id: two, driver: modbus, transport: tcp, host: a, pollIntervals: { lamp: ‸10 ms } }",
    ),
    pointers: ["/buses/1/pollIntervals/lamp"],
    says: /a duration from 50 ms to 24 h/,
  },
  {
    name: "a poll interval after which every value is old",
    site: siteText(
      `  - { id: a, ${LAMP}, bus: ‸two, unit: 1, parameters: { shortAddress: 1 } }`,
      "  - { id: two, driver: modbus, transport: tcp, host: a, pollIntervals: { lamp: 5 min } }",
    ),
    pointers: ["/devices/0/bus"],
    says: /polls lamp every 300 s, expected at most the 90 s after which dim-level/,
  },
  {
    name: "devices of two services on one bus",
    site: siteText(`${lamp("a", 1)}\n${METER}`).replace("  - { id: bridge", "  - ‸{ id: bridge"),
    profile: profileText(point("p", 20_000)).replace("class: meter", "class: io-board"),
    pointers: ["/buses/0"],
    says: /devices of lighting and sensing on bus bridge.*isolationGroup/,
  },
  {
    name: "a command class below the floor",
    site: siteText(METER.replace(" }", ", commandClass: { p: ‸K1 } }")),
    profile: profileText(writtenPoint("p", 1).replace("K1", "K2")),
    pointers: ["/devices/0/commandClass/p"],
    says: /found K1, expected K2 or above/,
  },
  {
    name: "a repeat that is not in the id",
    site: lampWith(`{ repeat: { shortAddress: 0..3 }, id: ‸lamp, ${LAMP}, ${REST} }`),
    pointers: ["/devices/0/id"],
    says: /\{shortAddress\} in it/,
  },
  {
    name: "a repeat that goes backwards",
    site: lampWith(`{ repeat: { shortAddress: ‸3..0 }, id: "a-{shortAddress}", ${LAMP}, ${REST} }`),
    pointers: ["/devices/0/repeat/shortAddress"],
    says: /ascending/,
  },
  {
    name: "a text with a name that nothing repeats",
    site: lampWith(`{ id: ‸"a-{shortAddress}", ${LAMP}, ${REST}, parameters: { shortAddress: 1 } }`),
    pointers: ["/devices/0/id"],
    says: /add shortAddress to repeat/,
  },
  {
    name: "a point that the profile does not have",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, points: [‸actual-levle] }`),
    pointers: ["/devices/0/points/0"],
    says: /unknown point actual-levle.*did you mean actual-level\?/,
  },
  {
    name: "a writable point without the point that proves it, in a repeat",
    site: lampWith(
      `{ repeat: { shortAddress: 0..2 }, id: "a-{shortAddress}", ${LAMP}, ${REST}, points: [lamp-on, ‸dim-level] }`,
    ),
    pointers: ["/devices/0/points/1", "/devices/0/points/1", "/devices/0/points/1"],
    says: /dim-level without actual-level, which proves it.*add actual-level to points/,
  },
  {
    name: "an empty list of points",
    site: lampWith(`{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, points: ‸[] }`),
    pointers: ["/devices/0/points"],
    says: /found an empty list, expected at least one name of a point/,
  },
  {
    name: "a point listed twice",
    site: lampWith(
      `{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, points: [lamp-on, ‸lamp-on] }`,
    ),
    pointers: ["/devices/0/points/1"],
    says: /lamp-on twice/,
  },
  {
    name: "a class on a point that is left out",
    site: lampWith(
      `{ id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, points: [lamp-on], commandClass: { ‸dim-level: K2 } }`,
    ),
    pointers: ["/devices/0/commandClass/dim-level"],
    says: /listed in points/,
  },
  {
    name: "a group whose member lacks the point that proves its commands",
    site: siteText(
      [
        `  - { id: a, ${LAMP}, ${REST}, parameters: { shortAddress: 1 }, points: [lamp-on] }`,
        `  - { id: g, profile: intesis-dali-group, ${REST}, parameters: { group: 1 }, points: [level], members: ‸[a] }`,
      ].join("\n"),
    ),
    pointers: ["/devices/1/members"],
    says: /a without actual-level, which proves level.*add actual-level to points of a/,
  },
];

/** Problems of YAML itself have no pointer. */
const YAML_CASES: readonly RefusedCase[] = [
  {
    name: "a syntax error in the site",
    site: OLD.replace("gateway: gw-1", "gateway: ]‸gw-1").replace("]‸", "‸]"),
    pointers: [""],
    says: /no YAML/,
  },
  {
    name: "a key written twice",
    site: OLD.replace("gateway: gw-1", "gateway: gw-1\n‸gateway: gw-2"),
    pointers: [""],
    says: /a key that is there already/,
  },
  {
    name: "an anchor and its alias",
    site: OLD.replace("{ id: old-town, name: Old town }", "{ id: ‸&a old-town, name: *a }").replace(
      "‸&a ",
      "&a ‸",
    ),
    pointers: ["", ""],
    says: /anchor &a/,
  },
  {
    name: "a tag",
    site: OLD.replace("gateway: gw-1", "gateway: !!str ‸gw-1"),
    pointers: [""],
    says: /tag tag:yaml.org,2002:str/,
  },
  { name: "a directive", site: `‸%YAML 1.1\n---\n${OLD}`, pointers: [""], says: /a directive/ },
  {
    name: "a syntax error in a profile",
    site: siteText(METER),
    profile: profileText(point("p", 1)).replace("title: A meter\nclass", "title: [A meter\n‸class"),
    pointers: [""],
    says: /no YAML/,
  },
];

for (const planted of [...SITE_CASES, ...YAML_CASES]) proveRefused(t, planted);
