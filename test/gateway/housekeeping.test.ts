import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import t from "tap";
import { Instant, Minutes } from "../../domain/time.ts";
import { Housekeeping } from "../../gateway/housekeeping.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { disk, onBreakingDisk } from "./breaking-disk.ts";
import { openTestStore } from "./store-run.ts";

const MIB = 1024 ** 2;
const TRUST: ConstructorParameters<typeof Housekeeping>[1] = { quality: () => "synced" };

/** Lets what waits for the disk come to its end. */
async function until(holds: () => boolean): Promise<boolean> {
  for (let tries = 0; !holds() && tries < 20_000; tries += 1) await turn();
  return holds();
}

t.test("the first minute makes the ballast, and remembers the time", async (t) => {
  const folder = t.testdir();
  const clock = new SimulatedClock(Instant(1_800_000_000_000));
  await using store = await openTestStore({ folder, ballastBytes: 2 * MIB }, { clock });
  const stop = new AbortController();
  const logger = pino({ level: "silent" });
  const run = new Housekeeping(store, TRUST, { clock, logger }).run(stop.signal);
  t.notOk(existsSync(join(folder, "ballast")), "no start waits for it");
  await clock.advance(Minutes(1));
  t.ok(await until(() => existsSync(join(folder, "ballast"))));
  t.equal(store.sync.safeTime(), clock.now());
  stop.abort();
  await run;
});

onBreakingDisk("a disk that fails does not end housekeeping, and with it the gateway", async (t, folder) => {
  const clock = new SimulatedClock(Instant(1_800_000_000_000));
  const store = await openTestStore({ folder }, { clock });
  const stop = new AbortController();
  const warnings: unknown[] = [];
  const logger = pino({ level: "warn" }, { write: (line) => void warnings.push(JSON.parse(line)) });
  const run = new Housekeeping(store, TRUST, { clock, logger }).run(stop.signal);
  let ended = false;
  void run.finally(() => {
    ended = true;
  });
  await clock.advance(Minutes(1));
  await until(() => store.sync.safeTime() === clock.now());
  disk("break");
  // It tidies up every few minutes, and a minute that comes while it still waits for the disk does not count.
  for (let minute = 0; warnings.length === 0 && minute < 60; minute += 1) {
    await clock.advance(Minutes(1));
    for (let turns = 0; turns < 100; turns += 1) await turn();
  }
  t.ok(await until(() => warnings.length > 0));
  t.match(warnings[0], { err: { code: /not-durable|read-only/ }, msg: /tidied up/ });
  disk("mend");
  t.equal(ended, false);
  stop.abort();
  await run;
  await store[Symbol.asyncDispose]();
});
