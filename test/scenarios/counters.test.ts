import { join } from "node:path";
import t from "tap";
import { type Program, startProgram } from "../../city/program.ts";
import { systemClock } from "../../domain/system-clock.ts";
import { Seconds } from "../../domain/time.ts";
import { eventually, openStreetScenario } from "./street-scenario.ts";

/** A people counter whose gateway is killed, with what the center knows of its totals. */
const GATEWAY = "gw-square";

t.setTimeout(180_000);
const street = await openStreetScenario(t, {
  gatewayId: GATEWAY,
  simulated: { devices: [{ id: "mat", kind: "modbus-counter", in: 65_530 }] },
  site: ({ mat }) => ({
    buses: [{ id: "square", driver: "modbus", transport: "tcp", host: "127.0.0.1", port: mat?.port ?? 0 }],
    devices: [{ id: "mat", profile: "neutral-people-counter", bus: "square", unit: 1 }],
  }),
});
let gateway: Program<unknown> = street.gateway;
t.teardown(() => gateway[Symbol.asyncDispose]());

/** What the center holds of the counter, once it holds this as good. */
async function holds(expected: Readonly<Record<string, number>>): Promise<true> {
  return await eventually(`the center holds ${JSON.stringify(expected)}`, async () => {
    const { body } = await street.ask("GET", `/api/v1/state?gateway=${GATEWAY}&device=mat`);
    const states = (body["states"] ?? []) as readonly Record<"pointId" | "value" | "quality", unknown>[];
    const good = states.filter(({ quality }) => quality === "good");
    const values = Object.fromEntries(good.map(({ pointId, value }) => [String(pointId).slice(4), value]));
    return Object.entries(expected).every(([name, value]) => values[name] === value) ? true : undefined;
  });
}

const hand = (action: string, more: object = {}) =>
  street.control("POST", "/devices/mat", { action, ...more });

/** As in a power cut: nothing is put away. Meanwhile the square goes on. */
async function killAndStart(meanwhile: () => Promise<unknown>): Promise<void> {
  gateway.kill("SIGKILL");
  await gateway.ended;
  await meanwhile();
  const main = join(import.meta.dirname, "../../gateway/main.ts");
  gateway = await startProgram<unknown>({
    name: "gateway",
    command: [main, "--site", join(street.home, "site.yaml")],
    logFile: join(street.home, "again.log"),
    readyWithin: Seconds(60),
    parseReady: (line) => line,
    clock: systemClock,
  });
}

t.test(
  "the center's total goes on over a gateway that is killed, a roll-over and a loss of power",
  async (t) => {
    t.ok(await holds({ "people-in": 65_530, "people-in-total": 65_530, "people-in-epoch": 0 }));
    await killAndStart(() => hand("pass", { in: 10, out: 2 }));
    t.ok(await holds({ "people-in": 4, "people-in-total": 65_540, "people-in-epoch": 0 }), "round its end");
    await killAndStart(async () => {
      await hand("power-loss");
      await hand("pass", { in: 3 });
    });
    t.ok(await holds({ "people-in": 3, "people-in-total": 65_543, "people-in-epoch": 65_540 }), "began anew");
    t.ok(await holds({ "people-out": 0, "people-out-total": 2, "people-out-epoch": 2 }));
  },
);
