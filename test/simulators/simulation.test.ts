import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import t from "tap";
import type { SimulatorClock } from "../../simulators/clock.ts";
import { InvalidField } from "../../simulators/input-fields.ts";
import { type EffectEntry, Journal, type JournalEntry } from "../../simulators/journal.ts";
import { CannotBind, startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";
import { RawClient } from "./modbus-client.ts";
import { StillClock } from "./still-clock.ts";

const one = { bridges: [{ id: "quai-nord", lamps: 4, fadeMs: 0 }], control: "127.0.0.1:0" };

async function start(config: object = one, clock?: SimulatorClock) {
  const simulation = await startSimulation(parseSimulationConfig(config), clock);
  const client = await RawClient.open(simulation.getBridge("quai-nord").server.address);
  const dispose = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    await simulation[Symbol.asyncDispose]();
  };
  const ask = async (method: string, path: string, body?: unknown) => {
    const { host, port } = simulation.control ?? { host: "", port: 0 };
    const init =
      body === undefined
        ? { method }
        : { method, body: typeof body === "string" ? body : JSON.stringify(body) };
    const answer = await fetch(`http://${host}:${port}${path}`, init);
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  return { simulation, client, ask, [Symbol.asyncDispose]: dispose };
}

const effectsIn = (entries: readonly JournalEntry[]): EffectEntry[] =>
  entries.filter((entry) => entry.kind === "effect");

t.test("the journal tells each write that arrived, and each effect once, with its request", async (t) => {
  const clock = new StillClock();
  await using at = await start(one, clock);
  await at.client.write(115, 40);
  clock.advance(25);
  await at.client.write(115, 40);
  await at.client.write(115, 101);
  await at.client.write(6_800, 40);
  const { entries, overwritten } = at.simulation.journal.query({});
  t.equal(overwritten, 0);
  t.match(entries, [
    {
      seq: 1,
      kind: "write",
      outcome: "executed",
      request: { transaction: 1, function: 6, address: 115, values: [40] },
    },
    {
      seq: 2,
      kind: "effect",
      effectSeq: 1,
      lamp: "quai-nord-0-1",
      deviceSeq: 1,
      what: "level",
      from: 0,
      to: 40,
    },
    { seq: 3, kind: "write", outcome: "executed", monotonicMs: 1_025, wallMs: 1_700_000_001_025 },
    { seq: 4, kind: "write", outcome: "exception-3" },
    { seq: 5, kind: "write", outcome: "executed", request: { address: 6_800 } },
    { seq: 6, lamp: "quai-nord-0-0", deviceSeq: 1, effectSeq: 2 },
    { seq: 7, lamp: "quai-nord-0-2", deviceSeq: 1, effectSeq: 3 },
    { seq: 8, lamp: "quai-nord-0-3", deviceSeq: 1, effectSeq: 4 },
  ]);
  t.equal(entries.length, 8);
  t.match(entries[1], {
    monotonicMs: 1_000,
    cause: { by: "request", writeSeq: 1, request: { connection: 1 } },
  });
  t.equal(at.simulation.journal.query({ device: "quai-nord-0-1" }).entries.length, 1);
  t.equal(at.simulation.journal.query({ kind: "effect", since: 6, limit: 1 }).entries[0]?.seq, 7);
});

t.test("a frozen bridge acknowledges and shows the order, and its read-back contradicts", async (t) => {
  await using at = await start();
  await at.client.write(115, 40);
  at.simulation.getBridge("quai-nord").server.faults.add({ kind: "freeze-level", count: 1 });
  t.equal(await at.client.write(115, 90), "060073005a");
  t.same(await at.client.read(115), [90]);
  t.same(await at.client.read(106), [40]);
  t.match(at.simulation.journal.query({ since: 2 }).entries, [{ kind: "write", outcome: "frozen" }]);
  await at.client.write(115, 90);
  t.same(await at.client.read(106), [90]);
});

t.test("what a fault keeps from the lamp is in the journal, and is no effect", async (t) => {
  await using at = await start();
  at.simulation.getBridge("quai-nord").server.faults.add({ kind: "exception", code: 6, count: 1 });
  t.equal(await at.client.write(115, 90), "8606");
  t.match(at.simulation.journal.query({}).entries, [{ kind: "write", outcome: "fault-exception" }]);
  t.equal(at.simulation.journal.effects, 0);
});

t.test("the ring forgets the oldest and says how many, the file forgets nothing", async (t) => {
  const file = `${t.testdir()}/journal.jsonl`;
  await using at = await start({ ...one, journalFile: file, journalCapacity: 100 });
  for (let write = 0; write < 150; write += 1) await at.client.write(115, write % 100);
  const page = at.simulation.journal.query({ limit: 10_000 });
  t.equal(page.entries.length, 100);
  t.equal(page.entries.at(-1)?.seq, page.newest);
  t.equal(page.overwritten, page.newest - 100);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const written: JournalEntry[] = lines.map((line) => JSON.parse(line));
  t.same(
    written.map(({ seq }) => seq),
    Array.from({ length: page.newest }, (_, at) => at + 1),
  );
  const effects = effectsIn(written);
  t.same(
    effects.map(({ deviceSeq }) => deviceSeq),
    effects.map((_, at) => at + 1),
  );
  for (const [at, effect] of effects.entries()) {
    if (at > 0 && effects[at - 1]?.to !== effect.from)
      t.fail(`effect ${at} starts where the last did not end`);
  }
  t.throws(() => new Journal({ clock: new StillClock(), file: "/nowhere/at/all" }).open(), {
    code: "ENOENT",
  });
});

t.test("the control API shows and treats lamps, sets and lifts faults, and reads the journal", async (t) => {
  await using at = await start();
  t.match(await at.ask("GET", "/health"), {
    status: 200,
    body: { status: "ok", bridges: [{ id: "quai-nord", lamps: 4 }] },
  });
  t.equal((await at.ask("GET", "/lamps")).body.lamps.length, 4);
  await at.client.write(215, 50);
  t.match(await at.ask("GET", "/lamps/quai-nord-0-2"), {
    status: 200,
    body: { levelPercent: 51, orderedPercent: 50 },
  });
  const failed = await at.ask("POST", "/lamps/quai-nord-0-2", { action: "lamp-failure" });
  t.match(failed, { status: 200, body: { levelPercent: 0, lampFailed: true, effects: 2 } });
  t.same(await at.client.read(0), [0b100]);
  t.match(await at.ask("POST", "/lamps/quai-nord-0-2", { action: "restore" }), {
    body: { levelPercent: 51 },
  });
  t.match(await at.ask("GET", "/journal?device=quai-nord-0-2&since=2"), {
    body: {
      newest: 4,
      entries: [{ cause: { by: "control", action: "lamp-failure" }, from: 51, to: 0 }, { to: 51 }],
    },
  });
  const fault = { bridge: "quai-nord", kind: "exception", code: 4, functions: [3], count: 5 };
  t.match(await at.ask("POST", "/faults", fault), {
    status: 201,
    body: { faults: [{ bridge: "quai-nord", id: 1 }] },
  });
  t.equal((await at.client.ask("03 0000 0001")).toString("hex"), "8304");
  t.match(await at.ask("GET", "/faults"), {
    body: { faults: [{ id: 1, met: 1, spec: { kind: "exception", code: 4 } }] },
  });
  t.equal((await at.ask("DELETE", "/faults/1?bridge=quai-nord")).status, 200);
  t.equal((await at.ask("DELETE", "/faults/1?bridge=quai-nord")).status, 404);
  t.equal((await at.ask("POST", "/faults", { kind: "silent" })).status, 201);
  t.equal((await at.ask("DELETE", "/faults")).status, 200);
  t.same(await at.client.read(0), [0]);
});

t.test("the control API names the field that is wrong", async (t) => {
  await using at = await start();
  const wrong = [
    { path: "/faults", body: { kind: "tired" }, field: "/kind" },
    { path: "/faults", body: { kind: "slow" }, field: "/delayMs" },
    { path: "/faults", body: { kind: "exception", code: 7 }, field: "/code" },
    { path: "/faults", body: { kind: "silent", count: 0 }, field: "/count" },
    { path: "/faults", body: { kind: "silent", functions: [3, 0] }, field: "/functions/1" },
    { path: "/faults", body: { kind: "silent", executes: "after-delay" }, field: "/executes" },
    { path: "/faults", body: { kind: "silent", forever: true }, field: "/forever" },
    { path: "/faults", body: { kind: "silent", bridge: "elsewhere" }, field: "/bridge" },
    { path: "/faults", body: [], field: "" },
    { path: "/faults", body: "{", field: "" },
    { path: "/lamps/quai-nord-0-2", body: { action: "explode" }, field: "/action" },
  ];
  for (const { path, body, field } of wrong) {
    const answer = await at.ask("POST", path, body);
    t.match(answer, { status: 400, body: { error: { field } } }, JSON.stringify(body));
  }
  t.match(await at.ask("GET", "/journal?since=soon"), { status: 400, body: { error: { field: "/since" } } });
  t.equal((await at.ask("POST", "/lamps/quai-nord-0-9", { action: "restore" })).status, 404);
  t.equal((await at.ask("GET", "/nothing")).status, 404);
  t.equal((await at.ask("POST", "/faults", `"${"x".repeat(70_000)}"`)).status, 413);
});

t.test("a configuration that can not be meant stops the start and names its field", (t) => {
  const wrong = [
    [{}, "/bridges"],
    [{ bridges: [] }, "/bridges"],
    [{ bridges: [{ id: "Quai Nord" }] }, "/bridges/0/id"],
    [{ bridges: [{ id: "a" }, { id: "a" }] }, "/bridges/1/id"],
    [{ bridges: [{ id: "a", lamps: 65 }] }, "/bridges/0/lamps"],
    [{ bridges: [{ id: "a", channels: 3 }] }, "/bridges/0/channels"],
    [{ bridges: [{ id: "a", listen: "localhost" }] }, "/bridges/0/listen"],
    [{ bridges: [{ id: "a", groups: [{ group: 1, lamps: [9] }] }] }, "/bridges/0/groups/0/lamps/0"],
    [{ bridges: [{ id: "a", colour: "red" }] }, "/bridges/0/colour"],
    [{ bridges: [{ id: "a" }], control: "0.0.0.0:80" }, "/control"],
  ] as const;
  for (const [config, pointer] of wrong) {
    t.throws(() => parseSimulationConfig(config), { name: "InvalidField", pointer }, pointer);
  }
  t.ok(new InvalidField("/a", "b").message.includes("/a"));
  t.end();
});

t.test("a taken port says which setting changes it, and leaves nothing open", async (t) => {
  await using at = await start();
  const { host, port } = at.simulation.getBridge("quai-nord").server.address;
  const clash = { bridges: [{ id: "a" }, { id: "b", listen: `${host}:${port}` }] };
  const refused = await startSimulation(parseSimulationConfig(clash)).catch((error: unknown) => error);
  t.ok(refused instanceof CannotBind);
  t.match(refused, { message: /change \/bridges\/1\/listen/, cause: { code: "EADDRINUSE" } });
});

t.test("725 bridges with 47 lamps fit in one process", async (t) => {
  const bridges = Array.from({ length: 725 }, (_, at) => ({ id: `cabinet-${at}`, lamps: 47 }));
  const before = process.memoryUsage().rss;
  await using simulation = await startSimulation(parseSimulationConfig({ bridges }));
  await using client = await RawClient.open(simulation.getBridge("cabinet-724").server.address);
  await client.write(4_615, 30);
  t.match(simulation.journal.query({ kind: "effect" }).entries, [{ lamp: "cabinet-724-0-46", to: 30 }]);
  t.ok(process.memoryUsage().rss - before < 150_000_000);
});

const main = new URL("../../simulators/main.ts", import.meta.url).pathname;

async function run(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const errors: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  const ended = once(child, "close").then(([code]) => ({ code, stderr: errors.join("") }));
  return { child, ended, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

t.test("the program says when it is ready, and ends with 0 on SIGTERM and on SIGINT", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const file = `${t.testdir()}/journal.jsonl`;
    const flags = ["--bridge", "127.0.0.1:0", "--bridge", "127.0.0.1:0", "--lamps", "3", "--fade-ms", "0"];
    const { child, ended, lines } = await run([
      ...flags,
      "--control",
      "127.0.0.1:0",
      "--journal",
      file,
      "--seed",
      "5",
    ]);
    const ready = JSON.parse((await lines.next()).value ?? "");
    t.match(ready, {
      event: "ready",
      bridges: [{ id: "bridge-1" }, { id: "bridge-2" }],
      control: { host: "127.0.0.1" },
    });
    await using client = await RawClient.open(ready.bridges[1]);
    await client.write(215, 30);
    t.match(JSON.parse(readFileSync(file, "utf8").split("\n")[1] ?? ""), { lamp: "bridge-2-0-2", to: 30 });
    child.kill(signal);
    t.match(await ended, { code: 0, stderr: "" });
  }
});

t.test(
  "the program runs from a file, explains itself, and refuses what it does not understand",
  async (t) => {
    const dir = t.testdir();
    writeFileSync(`${dir}/good.json`, JSON.stringify({ bridges: [{ id: "quai-nord", unit: 3 }] }));
    const good = await run(["--config", `${dir}/good.json`]);
    t.match(JSON.parse((await good.lines.next()).value ?? ""), {
      bridges: [{ id: "quai-nord", unit: 3 }],
      control: null,
    });
    good.child.kill("SIGTERM");
    t.match(await good.ended, { code: 0 });
    const help = await run(["--help"]);
    t.match((await help.lines.next()).value, /Simulated DALI bridges/);
    t.match(await help.ended, { code: 0 });
    t.match(await (await run(["--lamps", "65"])).ended, { code: 2, stderr: /\/bridges\/0\/lamps/ });
    t.match(await (await run(["--lampz", "6"])).ended, { code: 2, stderr: /lampz/ });
    t.match(await (await run(["--config", `${dir}/good.json`, "--seed", "1"])).ended, { code: 2 });
    t.match(await (await run(["--bridge", "192.0.2.1:0"])).ended, {
      code: 1,
      stderr: /change \/bridges\/0\/listen/,
    });
  },
);
