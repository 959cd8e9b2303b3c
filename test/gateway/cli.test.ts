import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readPasswordFile } from "../../gateway/broker/password-file.ts";
import { lampSite, nerve, plantSite } from "./spawned-nerve.ts";

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
    lampSite(9).replace("driver: modbus", "driver: modbuss").replace("unit: 1", "units: 1"),
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
  const down = await nerve(["status", "--json"], { folder });
  t.equal(down.code, 3);
  t.match(JSON.parse(down.output), {
    running: false,
    undecided: [],
    lastCommandAt: null,
    backlog: { A: Number },
  });
});
