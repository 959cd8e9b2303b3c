import t, { type Test } from "tap";
import { parseSkyOption } from "../../city/sky-option.ts";
import type { EffectEntry } from "../../simulators/journal.ts";
import { startSimulation } from "../../simulators/simulation.ts";
import { parseSimulationConfig } from "../../simulators/simulation-config.ts";
import { hoursFromMidnight } from "../../simulators/sky/sun.ts";
import { StillClock } from "./still-clock.ts";

const cabinetIn = (slug: string) => ({
  id: `${slug}-c0001`,
  feeders: [Array.from({ length: 20 }, (_, lamp) => lamp), [20, 21, 22, 23]],
  fadeMs: 0,
  minOnOffSec: 0,
});
const DAY_SEC = 86_400;
const MINUTE_MS = 60_000;
/** By the almanac for Dijon, 21 June 2026: sunset 19:37 UTC, sunrise 03:49 UTC. */
const SUNSET_MS = Date.parse("2026-06-21T19:37Z");

async function underSky(t: Test, startsAt: string, more: object = {}) {
  const clock = new StillClock();
  const sky = { startsAt, speed: 60 };
  const whole = { seed: 3, cabinets: [cabinetIn("talant"), cabinetIn("ahuy")], sky, ...more };
  const simulation = await startSimulation(parseSimulationConfig(whole), clock);
  t.teardown(() => simulation[Symbol.asyncDispose]());
  const [one, other] = simulation.cabinets;
  if (one === undefined || other === undefined) throw new Error("no cabinets");
  const begun = clock.monotonicMs();
  const skyMs = (entry: EffectEntry): number => Date.parse(startsAt) + 60 * (entry.monotonicMs - begun);
  /** Switches of lamps so far, with the sky's time. */
  const switches = () =>
    simulation.journal
      .query({ kind: "effect", limit: 10_000 })
      .entries.filter((entry): entry is EffectEntry => entry.kind === "effect" && entry.what === "level")
      .map((entry) => ({ lamp: entry.device, to: entry.to, cause: entry.cause, at: skyMs(entry) }));
  const advance = (skySeconds: number): void => {
    for (let second = 0; second < skySeconds; second += 60) clock.advance(1_000);
  };
  return { simulation, one, other, switches, advance };
}

t.test(
  "street lamps light at dusk one after the other, are reduced in the small hours and go out at dawn",
  async (t) => {
    const run = async () => {
      const { switches, advance } = await underSky(t, "2026-06-21T12:00:00Z");
      advance(DAY_SEC);
      return switches();
    };
    const all = await run();
    t.ok(all.every(({ cause }) => cause.by === "device" && cause.rule === "sun"));
    const mine = all.filter(({ lamp }) => lamp === "talant-c0001-l01").map(({ to }) => to);
    t.same(mine, [100, 51, 0], "in June the night ends before the reduction; 50 % is DALI's 51");
    const lit = all.slice(0, 48);
    t.ok(
      lit.every(({ to }) => to === 100),
      "all are lit before the first is reduced",
    );
    const after = lit.map(({ at }) => (at - SUNSET_MS) / MINUTE_MS);
    t.ok(
      Math.min(...after) > 8 && Math.max(...after) < 40,
      `${Math.min(...after)} … ${Math.max(...after)} min`,
    );
    const last = (slug: string) =>
      Math.max(...lit.filter(({ lamp }) => lamp.startsWith(slug)).map(({ at }) => at));
    t.not(last("talant"), last("ahuy"), "each municipality in its own time");
    t.ok(new Set(lit.map(({ at }) => at)).size > 6, "no cabinet lights all its lamps at once");
    const reduced = all.filter(({ to }) => to === 51).map(({ at }) => hoursFromMidnight(at));
    t.ok(reduced.every((hours) => Math.abs(hours + 2) < 0.2));
    t.same(await run(), all, "the same seed, the same night");
  },
);

t.test(
  "an order holds until the sky's next phase, and what the bridge was told stays what it was told",
  async (t) => {
    const { simulation, one, switches, advance } = await underSky(t, "2026-06-21T21:00:00Z");
    t.same(switches(), [], "what is lit at the beginning was lit before");
    const level = (lamp: string) => one.bridge.findLamp(lamp);
    t.match(level("talant-c0001-l01"), { levelPercent: 100, orderedPercent: 0 });
    one.bridge.writeRegisters({
      address: 15,
      values: [20],
      effect: "normal",
      origin: { connection: 1, transaction: 1, unit: 1, function: 6 },
    } as never);
    advance(1_800);
    t.match(level("talant-c0001-l01"), { levelPercent: 20, orderedPercent: 20 }, "half an hour later too");
    advance(5_400);
    t.match(level("talant-c0001-l01"), { levelPercent: 51, orderedPercent: 20 });
    t.equal(simulation.journal.query({ kind: "write" }).entries.length, 1);
  },
);

t.test("a lamp that gets its voltage back by day lights, and then goes by the sky", async (t) => {
  const { one, advance } = await underSky(t, "2026-06-21T12:00:00Z");
  one.controller.treat("trip-breaker", 1);
  one.controller.treat("reset-breaker", 1);
  one.controller.treat("local-on", 0);
  one.controller.treat("select-local", 0);
  t.match(one.bridge.lamps()[20], { powered: true, levelPercent: 100 }, "the power-on level, for a moment");
  advance(120);
  t.match(one.bridge.lamps()[20], { powered: true, levelPercent: 0 }, "it is day");
});

t.test("a worn lamp takes more power for the same light", async (t) => {
  const { one } = await underSky(t, "2026-06-21T23:00:00Z");
  const { state } = one.bridge;
  const powerAfter = (hours: number): number => {
    state.burnMs[0] = hours * 3_600_000;
    return one.bridge.lamps()[0]?.powerW ?? 0;
  };
  const fresh = powerAfter(0);
  t.ok(Math.abs(powerAfter(50_000) / fresh - 1.075) < 0.001);
  t.ok(Math.abs(powerAfter(300_000) / fresh - 1.15) < 0.001, "and no more");
});

t.test("the city's sky starts where it was asked to", async (t) => {
  const noon = Date.parse("2026-11-26T12:00:30Z");
  t.same(parseSkyOption("now", 1, noon), { speed: 1 });
  t.equal(parseSkyOption("off", 1, noon), null);
  t.same(parseSkyOption("22:30", 60, noon), { startsAt: "2026-11-26T21:30:00.000Z", speed: 60 });
  t.match(parseSkyOption("dusk", 1, noon), { startsAt: /^2026-11-26T1[56]:/ });
  t.match(parseSkyOption("dawn", 1, noon), { startsAt: /^2026-11-27T0[67]:/ });
  for (const wrong of ["24:00", "noon", "7:30"])
    t.throws(() => parseSkyOption(wrong, 1, noon), /--sky takes/);
  t.throws(() => parseSimulationConfig({ cabinets: [cabinetIn("a")], sky: { startsAt: "soon" } }), {
    name: "InvalidField",
    pointer: "/sky/startsAt",
  });
});
