import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import { loadDriver } from "../drivers/registry.ts";
import { loadProfile } from "../gateway/site/load-profile.ts";
import { loadSite } from "../gateway/site/load-site.ts";
import { findProfiles } from "../gateway/site/profile-folders.ts";
import { profileJsonSchema } from "../gateway/site/profile-schema.ts";
import { ProblemList } from "../gateway/site/source/problem-list.ts";

const ROOT = join(import.meta.dirname, "..");
const SCHEMA = join(ROOT, "profiles/profile.schema.json");

const found = await findProfiles([join(ROOT, "profiles")]);

t.test("profiles are shipped, each under an id of its own", (t) => {
  t.ok(found.size >= 4);
  for (const [id, files] of found) t.equal(files.length, 1, id);
  t.end();
});

for (const [id, [file = ""]] of found) {
  t.test(`${id} loads, lies in the folder of its class, and tells the source of every point`, async (t) => {
    const problems = new ProblemList();
    const text = readFileSync(file, "utf8");
    const loaded = await loadProfile({ file, id, text }, loadDriver, problems);
    t.strictSame(problems.sorted(), []);
    t.equal(basename(join(file, "..")), loaded?.profile.class);
    for (const point of loaded?.profile.points ?? []) {
      t.match(point.source, /(manual|map|specification).*\d/i, point.name);
    }
    t.match(
      text,
      /^# yaml-language-server: \$schema=\.\.\/profile\.schema\.json\n/,
      "editors find the schema",
    );
  });
}

t.test("profile.schema.json is what the loader takes (UPDATE=1 writes it anew)", (t) => {
  const current = `${JSON.stringify(profileJsonSchema(), null, 2)}\n`;
  if (process.env["UPDATE"] === "1") writeFileSync(SCHEMA, current);
  t.strictSame(JSON.parse(readFileSync(SCHEMA, "utf8")), JSON.parse(current));
  t.end();
});

t.test("the example site loads", async (t) => {
  const site = await loadSite(join(ROOT, "docs/examples/one-lamp.yaml"));
  t.strictSame(
    site.devices.map(({ id }) => id),
    ["lamp-0"],
  );
});

/** The first YAML block of a guide. */
const blockOf = (guide: string): string =>
  /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, "docs", guide), "utf8"))?.[1] ?? "";

t.test("the guides show a site file and a profile that load", async (t) => {
  const folder = t.testdir({ "site.yaml": blockOf("site-file.md"), "my-profiles": {} });
  const site = await loadSite(join(folder, "site.yaml"));
  t.strictSame(site.devices.at(-1)?.members.length, 47);
  const problems = new ProblemList();
  const profile = { file: "acme-lc10.yaml", id: "acme-lc10", text: blockOf("adding-a-device.md") };
  t.ok(await loadProfile(profile, loadDriver, problems));
  t.strictSame(problems.sorted(), []);
});

t.test("two channels of a bridge with 64 lamps and 16 groups each have no address twice", async (t) => {
  const on = "bus: bridge, unit: 1";
  const text = [
    "site: { id: full, name: Full }",
    "gateway: gw-1",
    "dataFolder: data",
    "buses: [{ id: bridge, driver: modbus, transport: tcp, host: 127.0.0.1 }]",
    "devices:",
    `  - { repeat: { channel: 0..1, shortAddress: 0..63 }, id: "lamp-{channel}-{shortAddress}", profile: intesis-dali-lamp, ${on} }`,
    `  - { repeat: { group: 0..15 }, id: "group-{group}", profile: intesis-dali-group, ${on}, members: ["lamp-0-{0..63}"] }`,
    `  - { repeat: { channel: 0..1 }, id: "bridge-{channel}", profile: intesis-dali-bridge, ${on} }`,
    `  - { repeat: { shortAddress: 0..63 }, id: "d4i-{shortAddress}", profile: intesis-d4i-lamp, bus: bridge, unit: 2 }`,
  ].join("\n");
  const site = await loadSite(join(t.testdir({ "site.yaml": text }), "site.yaml"));
  t.equal(site.devices.length, 128 + 16 + 2 + 64);
});
