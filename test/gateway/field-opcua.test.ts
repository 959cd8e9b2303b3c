import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";

import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import { Millis, Seconds } from "../../domain/time.ts";
import { openGateway } from "../../gateway/gateway.ts";
import { newCommandId } from "../../gateway/local-api/client/command-id.ts";
import { LocalApiClient } from "../../gateway/local-api/client.ts";
import { loadSite } from "../../gateway/site/load-site.ts";
import { Fields } from "../../simulators/input-fields.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";

/** The whole way: OPC UA server → subscription → store → local API, and a hazardous order back to the cabinet. */
const cabinets = ["junction-1", "junction-2"];
const config = { devices: [{ id: "junctions", kind: "traffic-controllers", cabinets }] };
const simulation = await startSimulation(parseSimulationConfig(config));
const device = simulation.getDevice("junctions");
const { url } = device.reach as { readonly url: string };
const folder = mkdtempSync(join(tmpdir(), "nerve-opcua-"));
writeFileSync(
  join(folder, "site.yaml"),
  JSON.stringify({
    site: { id: "old-town", name: "Old town" },
    gateway: "gw-1",
    dataFolder: "data",
    broker: { host: "127.0.0.1", port: 0 },
    buses: [{ id: "server", driver: "opcua", endpoint: url, security: "none", publishInterval: "100 ms" }],
    devices: cabinets.map((unit) => ({ id: unit, profile: "neutral-traffic-cabinet", bus: "server", unit })),
  }),
);
const site = await loadSite(join(folder, "site.yaml"));
const parts = { site, identity: null, hosting: "in-process", software: "nerve 0.0.0-test" } as const;
const logger = pino({ level: "silent" });
const gateway = await openGateway({ ...parts, clock: systemClock, random: systemRandom, logger });
const stop = new AbortController();
const run = gateway.run(stop.signal);
t.teardown(async () => {
  stop.abort();
  await run;
  await simulation[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const api = new LocalApiClient({
  socketPath: join(folder, "data/nerve.sock"),
  timeout: Seconds(5),
  clock: systemClock,
  signal: stop.signal,
});

async function shows(point: string, expected: object, unit = "junction-1"): Promise<boolean> {
  for (let turn = 0; turn < 150; turn += 1) {
    await systemClock.sleep(Millis(100), stop.signal);
    const answer = await api.point({ device: unit, point }).catch(() => ({}));
    if (Object.entries(expected).every(([key, value]) => Reflect.get(answer, key) === value)) return true;
  }
  return false;
}

async function order(point: string, value: string | number, unit = "junction-1") {
  const commandId = newCommandId(systemClock.now(), systemRandom);
  return await api.command(
    { name: "test", commandId, device: unit, point, value, deadlineMs: 3_000 },
    Seconds(10),
  );
}

async function treat(action: string, more: object): Promise<void> {
  const found = device.actions.find(({ name }) => name === action);
  await found?.prepare(new Fields(more))();
}

t.test(
  "a gateway sees a cabinet by subscription, commands it as a lease, and is refused by its key",
  async (t) => {
    t.ok(await shows("control-mode", { value: "control", quality: "good" }));
    t.match(await order("functional-position", "yellow-flash"), { state: { name: "succeeded" } });
    t.ok(await shows("functional-position-source", { value: "forced" }), "and the change comes by itself");
    await treat("police-key", { cabinet: "junction-2", position: 3 });
    t.ok(
      await shows("functional-position", { value: "all-red", quality: "good/local-override" }, "junction-2"),
    );
    t.match(await order("functional-position", "dark", "junction-2"), {
      state: { name: "rejected", cause: "blocked", detail: /police-key is all-red, but must be off/ },
    });
    t.match(await order("requested-plan", 2), { state: { name: "succeeded" } });
    const moved = simulation.journal
      .query({ kind: "effect" })
      .entries.filter(({ kind }) => kind === "effect");
    t.notOk(
      moved.some((entry) => "cause" in entry && entry.cause.by === "order" && entry.device === "junction-2"),
      "nothing of the refused order reached the cabinet",
    );
  },
);

t.test(
  "points of a server that restarts are bad at once, and come back whatever its namespaces are",
  async (t) => {
    const restarted = treat("restart-server", { namespaces: "reversed", downMs: 800 });
    t.ok(await shows("police-key", { quality: "bad/no-communication", value: null }));
    await restarted;
    t.ok(await shows("police-key", { quality: "good", value: "off" }));
    t.ok(await shows("police-key", { quality: "good", value: "all-red" }, "junction-2"), "each its own");
  },
);
