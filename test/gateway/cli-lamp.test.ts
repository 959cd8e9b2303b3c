import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis } from "../../domain/time.ts";
import { openGateway } from "../../gateway/gateway.ts";
import { loadSite } from "../../gateway/site/load-site.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";
import { nerve, plantSite } from "./spawned-nerve.ts";

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
