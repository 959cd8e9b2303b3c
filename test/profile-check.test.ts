import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import t from "tap";
import { systemClock } from "../domain/system-clock.ts";
import { Seconds } from "../domain/time.ts";
import { NO_HOLES } from "../drivers/driver.ts";
import { loadDriver } from "../drivers/registry.ts";
import { loadSite } from "../gateway/site/load-site.ts";
import { readProfile } from "../gateway/site/profile/read-profile.ts";
import { startSimulation } from "../simulators/simulation.ts";
import { parseSimulationConfig } from "../simulators/simulation-config.ts";

const ROOT = join(import.meta.dirname, "..");
const GUIDE = readFileSync(join(ROOT, "docs/adding-a-device.md"), "utf8");

/** The blocks of one language in the guide, in their order. */
const blocks = (language: string): readonly string[] =>
  [...GUIDE.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text = ""]) => text);

const [PROFILE = "", SITE = ""] = blocks("yaml");
const [BANK = ""] = blocks("json");

async function nerve(...args: readonly string[]) {
  return await new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const path = join(ROOT, "gateway/profile-main.ts");
    execFile(process.execPath, [path, ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

t.test("the guide's device is checked, polled and commanded against the guide's register bank", async (t) => {
  const folder = t.testdir({ "site.yaml": SITE, "my-profiles": { "acme-lc10.yaml": PROFILE } });
  const { loaded, problems } = await readProfile(join(folder, "my-profiles/acme-lc10.yaml"), loadDriver);
  t.strictSame(problems, []);
  if (loaded === null) return;
  const config = JSON.parse(BANK);
  const given = { devices: [{ ...config.devices[0], listen: "127.0.0.1:0" }] };
  await using simulation = await startSimulation(parseSimulationConfig(given));
  const device = simulation.getDevice("lc10");
  const site = await loadSite(join(folder, "site.yaml"));
  const points = site.devices[0]?.points.map(({ definition }) => definition) ?? [];
  const { host, port } = Object(device.reach);
  const { signal } = new AbortController();
  const context = {
    clock: systemClock,
    logger: pino({ enabled: false }),
    requestTimeout: Seconds(2),
    frames: () => {},
  };
  const { driver } = loaded;
  await using bus = await driver.openBus(
    driver.parseBusConfig({ transport: "tcp", host, port, gapRegisters: 0 }),
    context,
    signal,
  );
  const session = bus.openSession("1", loaded.profile.quirks);
  const samples = [];
  for (const exchange of session.plan(points, NO_HOLES)) {
    samples.push(...(await session.exchange(exchange, signal)));
  }
  t.match(samples, [{ value: 39 }, { value: 40 }], "as the guide says");
  const dim = points.find(({ name }) => name === "dim-level");
  if (dim !== undefined) await session.write(dim, 60, signal);
  t.match(device.view(), { holding: { 706: 39, 715: 60 } }, "the order stands, and nothing moved");
});

t.test("check tells what is wrong with place and remedy, and ends with 2", async (t) => {
  const broken = PROFILE.replace("commandClass: K1", "commandClass: K9").replace(
    'unit: "%"',
    "unit: percent",
  );
  const folder = t.testdir({ "acme-lc10.yaml": broken, right: { "acme-lc10.yaml": PROFILE } });
  const wrong = await nerve("check", join(folder, "acme-lc10.yaml"));
  t.equal(wrong.code, 2);
  t.match(wrong.err, /acme-lc10\.yaml:10:11 \/points\/0\/unit: found "percent".*did you mean %\?/);
  t.match(wrong.err, /\/points\/0\/commandClass: found "K9", expected one of K1, K2, K3/);
  t.match(wrong.err, /can not be used: 2 problems/);
  const right = await nerve("check", join(folder, "right/acme-lc10.yaml"), "--json");
  t.equal(right.code, 0);
  t.match(JSON.parse(right.out), {
    ok: true,
    profile: { id: "acme-lc10", class: "streetlight", points: 2, commanded: 1 },
    problems: [],
    warnings: [{ found: "no probe" }],
  });
  const nowhere = await readProfile(join(folder, "nowhere.yaml"), loadDriver);
  t.match(nowhere, { loaded: null, problems: [{ found: "no readable file (ENOENT)" }] });
});

t.test("list and show tell every model that Nerve brings, and those of one's own", async (t) => {
  const folder = t.testdir({ "acme-lc10.yaml": PROFILE });
  const listed = await nerve("list", "--json", "--folder", folder);
  t.equal(listed.code, 0, listed.err);
  const { profiles } = JSON.parse(listed.out);
  const ids = profiles.map(({ id }: { id: string }) => id);
  for (const id of ["acme-lc10", "neutral-barrier", "schneider-iem3000"]) t.ok(ids.includes(id), id);
  t.match(await nerve("show", "neutral-bollard"), {
    code: 0,
    out: /raise +action +write +K3 +safety-status +Nerve neutral barrier/,
  });
  t.match(await nerve("show", "neutral-bolard"), { code: 2, err: /did you mean neutral-bollard\?/ });
});

t.test("each trap is told once, at its first point, and a profile without traps has none", async (t) => {
  const point = (name: string, more: string) =>
    `  - { name: ${name}, type: number, unit: V, access: read, deadband: 1, pollClass: meter, maxAge: 5 min, ${more} }`;
  const range = "range: { min: 0, max: 300 }";
  const address = (register: number, more = "") =>
    `address: { table: holding, register: ${register}${more} }`;
  const source = 'source: "Meter manual, p. 3"';
  const text = [
    "id: trapped",
    "title: A trapped meter",
    "class: meter",
    "driver: modbus",
    "points:",
    point("one-based", `${address(40_003)}, ${range}, ${source}`),
    point("as-documented", `${address(3_028)}, ${range}, source: "Meter manual, register 3028"`),
    point("wild", `${address(10, ", coding: u32")}, ${range}, ${source}`),
    point("wilder", `${address(12, ", coding: u32")}, ${range}, ${source}`),
    point("unbounded", `${address(20)}, ${source}`),
    point("flicker", `${address(30, ", coding: float32")}, ${range}, ${source}`).replace(
      "deadband: 1",
      "deadband: 0",
    ),
    point("hasty", `${address(40)}, ${range}, ${source}`).replace("5 min", "90 s"),
    point("unproven", `${address(50)}, ${range}, commandClass: K2, ${source}`).replace(
      "access: read",
      "access: read-write",
    ),
    point(
      "echo",
      `${address(60)}, ${range}, commandClass: K1, readBack: { point: echo, tolerance: 0, within: 1 s }, ${source}`,
    ).replace("access: read", "access: read-write"),
    "",
  ].join("\n");
  const folder = t.testdir({ "trapped.yaml": text });
  const { problems, warnings } = await readProfile(join(folder, "trapped.yaml"), loadDriver);
  t.strictSame(problems, []);
  t.strictSame(warnings.map(({ pointer }) => pointer).toSorted(), [
    "",
    "/points/0/address/register",
    "/points/1/address/register",
    "/points/2/sentinels",
    "/points/4/range",
    "/points/5/deadband",
    "/points/6/maxAge",
    "/points/7/commandClass",
    "/points/8/readBack/point",
  ]);
  t.match(
    warnings.find(({ pointer }) => pointer === "/points/2/sentinels")?.found,
    /2 points \(wild, wilder\)/,
  );
  for (const { remedy } of warnings) t.ok(remedy.length > 10);
  const sdm = await readProfile(join(ROOT, "profiles/meter/abb-b23.yaml"), loadDriver);
  t.strictSame(sdm.warnings, []);
});
