import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { cabinetsOf, takeShare } from "../../simulators/city/cabinet-config.ts";
import { placeCity } from "../../simulators/city/placement.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";
import { RawClient } from "./modbus-client.ts";
import { StillClock } from "./still-clock.ts";

const street = { id: "rue-x", feeders: [[0, 1], [2]], groups: [[0, 2]], fadeMs: 0 };

async function start(t: Test, config: object = {}) {
  const clock = new StillClock();
  const whole = { cabinets: [street], control: "127.0.0.1:0", ...config };
  const simulation = await startSimulation(parseSimulationConfig(whole), clock);
  const [cabinet] = simulation.cabinets;
  if (cabinet === undefined) throw new Error("no cabinet");
  const client = await RawClient.open(cabinet.server.address);
  t.teardown(async () => {
    await client[Symbol.asyncDispose]();
    await simulation[Symbol.asyncDispose]();
  });
  const ask = async (method: string, path: string, body?: unknown) => {
    const { host, port } = simulation.control ?? { host: "", port: 0 };
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const answer = await fetch(`http://${host}:${port}${path}`, init);
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  return { clock, simulation, cabinet, client, ask };
}

t.test("bridge, controller and meter share one socket, and a fourth unit is not there", async (t) => {
  const { client } = await start(t);
  t.equal((await client.ask("03 0069 0002", 1)).toString("hex"), "030400800000");
  t.equal((await client.ask("02 0018 0008", 2)).toString("hex"), "0201ff");
  t.equal((await client.ask("04 0000 0002", 3)).subarray(0, 2).toString("hex"), "0404");
  t.equal((await client.ask("04 0000 0002", 4)).toString("hex"), "840b");
});

t.test(
  "a feeder that opens leaves its lamps dark and silent; closed again, they come back lit",
  async (t) => {
    const { clock, simulation, client, cabinet, ask } = await start(t);
    await client.write(6_800, 40);
    t.equal((await client.ask("05 0000 0000", 2)).toString("hex"), "0500000000");
    clock.advance(80);
    t.same(await client.read(0), [0b011], "the bridge misses two gears");
    t.same(await client.read(105, 2), [0b0000_0001, 0]);
    t.same(await client.read(205, 2), [0b0000_0100, 40], "the other feeder stays");
    await client.write(115, 70);
    t.same(await client.read(106), [0], "no light without power");
    t.match(await ask("GET", "/lamps/rue-x-l01"), { body: { powered: false, levelPercent: 0, powerW: 0 } });
    t.ok((cabinet.controller.view().feeders[1]?.currentMa ?? 0) > 0);
    t.equal(cabinet.controller.view().feeders[0]?.currentMa, 0);
    clock.advance(60_000);
    t.equal((await client.ask("05 0000 ff00", 2)).toString("hex"), "050000ff00");
    clock.advance(80);
    t.same(await client.read(0), [0]);
    t.same(await client.read(105, 2), [0b1000_0100, 100], "at the power-on level, and it says so");
    const { entries } = simulation.journal.query({ device: "rue-x-l01" });
    t.match(entries, [
      { what: "level", to: 40 },
      {
        what: "level",
        from: 40,
        to: 0,
        cause: { by: "request", request: { unit: 2, address: 0, values: [0] } },
      },
      { what: "level", from: 0, to: 100, lamp: "rue-x-l01", bridge: "rue-x" },
    ]);
  },
);

t.test("the control API shows a cabinet and lays hands on it", async (t) => {
  const { clock, ask, simulation } = await start(t);
  t.match(await ask("GET", "/cabinets"), {
    body: { cabinets: [{ id: "rue-x", units: { bridge: 1, controller: 2, meter: 3 } }] },
  });
  t.match(await ask("POST", "/cabinets/rue-x", { action: "open-door" }), {
    status: 200,
    body: { doorOpen: true, mode: 0, feeders: [{ feeder: 1, closed: true, condition: "sound" }] },
  });
  await ask("POST", "/cabinets/rue-x", { action: "trip-breaker", feeder: 2 });
  clock.advance(80);
  const { entries } = simulation.journal.query({ device: "rue-x" });
  t.match(entries, [
    { what: "door-open", to: 1, cause: { by: "control", action: "open-door" } },
    { what: "feeder-2-breaker-tripped", to: 1 },
    { what: "demand-2", to: 0 },
    { what: "contactor-2", to: 0, cause: { by: "control", action: "trip-breaker" } },
  ]);
  const wrong = [
    { body: { action: "explode" }, field: "/action" },
    { body: { action: "trip-breaker" }, field: "/feeder" },
    { body: { action: "trip-breaker", feeder: 9 }, field: "/feeder" },
    { body: { action: "open-door", feeder: 1 }, field: "/feeder" },
  ];
  for (const { body, field } of wrong) {
    t.match(await ask("POST", "/cabinets/rue-x", body), { status: 400, body: { error: { field } } });
  }
  t.equal((await ask("GET", "/cabinets/elsewhere")).status, 404);
  t.match(await ask("GET", "/health"), { body: { bridges: [{ id: "rue-x", lamps: 3 }] } });
});

t.test("lamps fail by age and are repaired, the same ones for the same seed", async (t) => {
  const ageing = { failureEverySec: 100, repairAfterSec: 1_000 };
  const failuresOf = async (seed: number): Promise<string[]> => {
    const { clock, simulation } = await start(t, { ageing, seed });
    const [bridge] = simulation.bridges;
    const seen: string[] = [];
    for (let second = 0; second < 3_000; second += 1) {
      clock.advance(1_000);
      const failed = bridge?.bridge.lamps().filter((lamp) => lamp.lampFailed || lamp.gearFailed) ?? [];
      seen.push(failed.map(({ id }) => id).join());
    }
    return seen;
  };
  const one = await failuresOf(1);
  t.ok(new Set(one).size > 3, "they fail and come back");
  t.ok(one.some((failed) => failed.includes("rue-x")));
  t.same(await failuresOf(1), one);
  t.not((await failuresOf(2)).join(";"), one.join(";"));
});

t.test("a cabinet that can not be meant stops the start and names its field", (t) => {
  const wrong = [
    [{ ...street, id: "Rue" }, "/cabinets/0/id"],
    [{ ...street, feeders: [] }, "/cabinets/0/feeders"],
    [{ ...street, feeders: [[0], [0]] }, "/cabinets/0/feeders"],
    [{ ...street, feeders: [[0], [64]] }, "/cabinets/0/feeders/1/0"],
    [{ ...street, groups: [[3]] }, "/cabinets/0/groups"],
    [{ ...street, listen: "here" }, "/cabinets/0/listen"],
    [{ ...street, unit: 2 }, "/cabinets/0/unit"],
  ] as const;
  for (const [cabinet, pointer] of wrong) {
    t.throws(
      () => parseSimulationConfig({ cabinets: [cabinet] }),
      { name: "InvalidField", pointer },
      pointer,
    );
  }
  const clash = { bridges: [{ id: "rue-x" }], cabinets: [street] };
  t.throws(() => parseSimulationConfig(clash), { name: "InvalidField", pointer: "/cabinets/0/id" });
  const ageing = { failureEverySec: 0, repairAfterSec: 1 };
  t.throws(() => parseSimulationConfig({ cabinets: [street], ageing }), {
    name: "InvalidField",
    pointer: "/ageing/failureEverySec",
  });
  t.end();
});

t.test("shares of the city are apart and together whole, and a share changes no cabinet", async (t) => {
  const cabinets = cabinetsOf(placeCity({ seed: 1, lightPoints: 500 }));
  const [one, two] = [1, 2].map((share) => takeShare(cabinets, { share, shares: 2 }));
  t.same(new Set([...(one ?? []), ...(two ?? [])]), new Set(cabinets));
  t.equal((one?.length ?? 0) + (two?.length ?? 0), cabinets.length);
  const lampsOf = async (list: unknown) => {
    const config = parseSimulationConfig({ cabinets: list });
    await using simulation = await startSimulation(config, new StillClock());
    return simulation.bridges.find(({ id }) => id === two?.[0]?.id)?.bridge.lamps();
  };
  t.same(await lampsOf(two), await lampsOf(cabinets));
});

t.test("the program serves its share of the city and says where", async (t) => {
  const main = new URL("../../simulators/main.ts", import.meta.url).pathname;
  const run = (...args: string[]) =>
    spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const child = run("--city", "--light-points", "600", "--share", "2/2", "--ageing", "30");
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = JSON.parse((await lines.next()).value ?? "");
  t.same(ready.bridges, []);
  const expected = takeShare(cabinetsOf(placeCity({ seed: 1, lightPoints: 600 })), { share: 2, shares: 2 });
  t.same(
    ready.cabinets.map(({ id }: { id: string }) => id),
    expected.map(({ id }) => id),
  );
  await using client = await RawClient.open(ready.cabinets.at(-1));
  t.equal((await client.ask("02 0018 0008", 2)).toString("hex"), "0201ff");
  child.kill("SIGTERM");
  t.equal((await ended)[0], 0);
  for (const [args, code] of [
    [["--city", "--share", "3/2"], 2],
    [["--city", "--bridge", "127.0.0.1:0"], 2],
    [["--ageing", "3"], 2],
    [["--city", "--light-points", "7"], 2],
  ] as const) {
    t.equal((await once(run(...args), "close"))[0], code, args.join(" "));
  }
});
