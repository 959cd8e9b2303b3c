import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis } from "../../domain/time.ts";
import { readPasswordFile } from "../../gateway/broker/password-file.ts";
import { openGateway } from "../../gateway/gateway.ts";
import { loadSite } from "../../gateway/site/load-site.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";
import { nerve } from "./spawned-nerve.ts";

const LAMP =
  "{ id: lamp-1, name: Door, profile: intesis-dali-lamp, bus: bridge, unit: 1, parameters: { shortAddress: 0 } }";
const siteOf = (port: number): string =>
  [
    "site: { id: old-town, name: Old town }",
    "gateway: gw-1",
    "dataFolder: data",
    "broker: { host: 127.0.0.1, port: 0 }",
    `buses: [{ id: bridge, driver: modbus, transport: tcp, host: 127.0.0.1, port: ${port}, requestTimeout: 500 ms }]`,
    `devices: [${LAMP}]`,
    "",
  ].join("\n");

/** A folder with `site.yaml`; short, so that the socket stands in it. */
function plantSite(t: { teardown(then: () => void): void }, port = 9): string {
  const folder = mkdtempSync(join(tmpdir(), "nerve-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "site.yaml"), siteOf(port));
  return folder;
}

t.test("help tells the commands, examples and exit codes, and every command its own", async (t) => {
  const { code, output } = await nerve(["--help"]);
  t.equal(code, 0);
  for (const name of [
    "status",
    "devices",
    "read",
    "write",
    "commands",
    "gateway",
    "broker-user",
    "center",
    "city",
  ])
    t.match(output, new RegExp(`^  ${name}\\b`, "m"));
  t.match(output, /Exit codes:\n {4}0 {2}done as asked/);
  const words = [["write"], ["gateway", "run"], ["center", "run"], ["broker-user"]];
  for (const help of await Promise.all(words.map((each) => nerve([...each, "--help"])))) {
    t.equal(help.code, 0);
    t.match(help.output, /Examples:\n {2}/);
    t.match(help.output, "--data-folder", "options of every command are told too");
  }
});

t.test("wrong arguments end with 2 and say what is right, before any gateway is looked for", async (t) => {
  const cases = [
    { args: [], says: /Usage: nerve/ },
    { args: ["statsu"], says: /Did you mean status/ },
    { args: ["read"], says: /missing required argument 'device'/ },
    { args: ["status", "--timeout", "soon"], says: /"90 s"/ },
    { args: ["write", "a", "b", "1", "--deadline", "2 h"], says: /1 ms to 60 s/ },
    { args: ["commands", "--limit", "0"], says: /1 to 1000/ },
    { args: ["read", "a", "--fresh", "--last"], says: /exclude each other/ },
    { args: ["gateway", "check"], says: /--site FILE/ },
  ];
  const ends = await Promise.all(cases.map(({ args }) => nerve(args)));
  for (const [index, { args, says }] of cases.entries()) {
    t.equal(ends[index]?.code, 2, args.join(" "));
    t.match(ends[index]?.errors, says);
  }
});

t.test("without a gateway it says where it looked and how to start one, and ends with 3", async (t) => {
  const folder = plantSite(t);
  const away = await nerve(["status"], { folder });
  t.equal(away.code, 3);
  t.match(away.errors, join(folder, "data/nerve.sock"));
  t.match(away.errors, "nerve gateway run --site FILE");
  t.match(away.errors, "(./data)");
  const json = await nerve(["status", "--json", "--site", "site.yaml"], { folder });
  t.equal(json.code, 3);
  t.match(JSON.parse(json.errors), { error: { code: "not-running", message: /site file site\.yaml/ } });
  const variable = await nerve(["devices"], { folder, env: { NERVE_DATA: "elsewhere" } });
  t.match(variable.errors, `${join(folder, "elsewhere")} (NERVE_DATA)`);
});

t.test("of several gateways under .nerve it asks which one is meant; the only one is taken", async (t) => {
  const folder = plantSite(t);
  const dataOf = (name: string): string => join(folder, ".nerve/gateways", name, "data");
  for (const name of ["gw-a", "gw-b"]) {
    mkdirSync(dataOf(name), { recursive: true });
    if (name === "gw-a") writeFileSync(join(dataOf(name), "critical.db"), "");
  }
  t.match(
    (await nerve(["status"], { folder })).errors,
    `${dataOf("gw-a")} (the only one under .nerve/gateways)`,
  );
  writeFileSync(join(dataOf("gw-b"), "critical.db"), "");
  const both = await nerve(["status"], { folder });
  t.equal(both.code, 2);
  t.match(both.errors, `--data-folder ${dataOf("gw-b")}`);
});

t.test("a site file is checked without a start, with the place of each problem", async (t) => {
  const folder = plantSite(t);
  const good = await nerve(["gateway", "check", "--site", "site.yaml", "--json"], { folder });
  t.match(
    { ...JSON.parse(good.output), code: good.code },
    { ok: true, gatewayId: "gw-1", buses: 1, devices: 1, code: 0 },
  );
  writeFileSync(
    join(folder, "site.yaml"),
    siteOf(9).replace("driver: modbus", "driver: modbuss").replace("unit: 1", "units: 1"),
  );
  const bad = await nerve(["gateway", "check", "--site", "site.yaml"], { folder });
  t.equal(bad.code, 2);
  t.match(bad.errors, /site\.yaml:5:\d+ \/buses\/0\/driver/);
  t.match(bad.errors, /site\.yaml:6:\d+ \/devices\/0/);
  const status = await nerve(["status", "--site", "site.yaml"], { folder });
  t.match(status, { code: 2, errors: /--data-folder DIR/ });
});

t.test("a claim that is cut, or for another gateway, is refused before anything is made", async (t) => {
  const folder = plantSite(t);
  const claimOf = (gatewayId: string): string => {
    const content = {
      gatewayId,
      centerUrl: "https://127.0.0.1:9",
      authorityFingerprint: "0".repeat(64),
      code: "a".repeat(20),
    };
    return `nerve-claim-1.${Buffer.from(JSON.stringify(content)).toString("base64url")}`;
  };
  const enrol = (claim: string) =>
    nerve(["gateway", "enrol", "--site", "site.yaml", "--claim", claim], { folder });
  const [cut, other, away] = await Promise.all([
    enrol(claimOf("gw-1").slice(0, 40)),
    enrol(claimOf("gw-2")),
    enrol(claimOf("gw-1")),
  ]);
  t.equal(cut.code, 2);
  t.match(other, { code: 2, errors: /the claim is for gw-2, the site file says gw-1/ });
  t.match(away, { code: 1, errors: /https:\/\/127\.0\.0\.1:9/ });
});

t.test("the password file's line opens the broker to who knows the password", async (t) => {
  const folder = plantSite(t);
  const made = await nerve(["broker-user", "panel", "--role", "operator", "--password-stdin"], {
    input: "correct horse\n",
  });
  t.equal(made.code, 0);
  writeFileSync(join(folder, "users"), made.output);
  const users = await readPasswordFile(join(folder, "users"));
  t.strictSame(await users.verify("panel", Buffer.from("correct horse")), {
    name: "panel",
    role: "operator",
  });
  t.equal(await users.verify("panel", Buffer.from("correct horse\n")), undefined);
  const refused = await Promise.all([
    nerve(["broker-user", "panel", "--role", "boss", "--password-stdin"], { input: "correct horse" }),
    nerve(["broker-user", "Panel!", "--role", "reader", "--password-stdin"], { input: "correct horse" }),
    nerve(["broker-user", "panel", "--role", "reader", "--password-stdin"], { input: "short" }),
    nerve(["broker-user", "panel", "--role", "reader"]),
  ]);
  t.strictSame(
    refused.map(({ code, output }) => [code, output]),
    Array.from(refused, () => [2, ""]),
  );
  t.match(refused[3]?.errors, "--password-stdin");
});

t.test("a program that is started gets the arguments as written, and its end is ours", async (t) => {
  const help = await nerve(["gateway", "run", "--site", "nowhere.yaml", "--log", "error"]);
  t.match(help, { code: 2, errors: /nowhere\.yaml/ });
  const folder = plantSite(t);
  const started = await nerve(["gateway", "run", "--site", "site.yaml", "--in-process", "--log", "info"], {
    folder,
    signal: "SIGTERM",
  });
  t.equal(started.code, 0, "SIGTERM reaches the gateway, which ends in order");
});

t.test("crew see, read and command a lamp over the socket of a running gateway", async (t) => {
  const config = { bridges: [{ id: "bridge-1", listen: "127.0.0.1:0", lamps: 1 }] };
  const simulation = await startSimulation(parseSimulationConfig(config));
  const [bridge] = simulation.bridges;
  const folder = plantSite(t, bridge?.server.address.port);
  const site = await loadSite(join(folder, "site.yaml"));
  const parts = { site, identity: null, hosting: "in-process", software: "nerve 0.0.0-test" } as const;
  const gateway = await openGateway({
    ...parts,
    clock: systemClock,
    random: systemRandom,
    logger: pino({ level: "silent" }),
  });
  const stop = new AbortController();
  const run = gateway.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await run;
    await simulation[Symbol.asyncDispose]();
  });
  await systemClock.sleep(Millis(1_500), stop.signal);

  const wrote = await nerve(["write", "lamp-1", "dim-level", "40%"], { folder });
  t.match(wrote, {
    code: 0,
    output: /^succeeded: lamp-1\/dim-level to 40 %\n(.*\n)* {2}read back lamp-1\/actual-level: 40 %/,
  });
  const [status, statusJson, devices, device, read, last, readJson] = await Promise.all([
    nerve(["status"], { folder }),
    nerve(["status", "--json", "--site", "site.yaml"], { folder }),
    nerve(["devices"], { folder }),
    nerve(["devices", "lamp-1"], { folder }),
    nerve(["read", "lamp-1", "actual-level"], { folder }),
    nerve(["read", "lamp-1", "actual-level", "--last"], { folder }),
    nerve(["read", "lamp-1", "actual-level", "--json"], { folder }),
  ]);
  t.match(status.output, /^gateway +gw-1 of old-town \(Old town\)\n/);
  t.match(status.output, /^center +none: this gateway works alone$/m);
  t.notMatch(status.output, "\u001b[", "no colour where no terminal is");
  t.match(JSON.parse(statusJson.output), {
    gatewayId: "gw-1",
    points: { bad: 0 },
    buses: [{ id: "bridge" }],
  });
  t.match(devices.output, /^lamp-1 +streetlight +bridge +1 +\d+ +good +Door$/m);
  t.match(
    device.output,
    /^dim-level +\d+ %.* +40 % by crew\/\S+ \(claimed\)$/m,
    "what it is and what it should be",
  );
  t.match(read.output, /^actual-level +40 % +good +\d+ ms ago$/m);
  t.match(read.output, /read on the bus in \d+ ms/);
  t.match(last.output, /^actual-level +\d+ % +good +\S+ (ms|s) ago$/m);
  t.match(JSON.parse(readJson.output), {
    outcome: "read",
    points: [{ pointId: "lamp-1/actual-level", value: 40, unit: "%" }],
  });

  const [range, unit, unknown, commands] = await Promise.all([
    nerve(["write", "lamp-1", "dim-level", "-5", "--json"], { folder }),
    nerve(["write", "lamp-1", "dim-level", "40W"], { folder }),
    nerve(["write", "lamp-9", "dim-level", "40"], { folder }),
    nerve(["commands", "--json"], { folder }),
  ]);
  t.equal(range.code, 4);
  t.match(JSON.parse(range.output).state, { name: "rejected", cause: "out-of-range" });
  t.match(unit, { code: 2, errors: /is in %, not in W/ });
  t.match(unknown, { code: 4, errors: /no device "lamp-9".*nerve devices/ });
  const [latest] = JSON.parse(commands.output).commands.slice(-1);
  t.match(latest, { pointId: "lamp-1/dim-level", value: 40, state: { name: "succeeded" } });
  t.match(await nerve(["commands", latest.id], { folder }), { code: 0, output: /^succeeded:/ });

  await simulation[Symbol.asyncDispose]();
  const silent = await nerve(["read", "lamp-1"], { folder });
  t.match(silent, { code: 1, errors: /lamp-1 was not read .*\n.*--last/ });
});
