import type { Test } from "tap";
import type { PointNumber } from "../../domain/ids.ts";
import { coversRange } from "../../domain/lane.ts";
import { seededRandom } from "../../domain/random.ts";
import { Millis, Seconds } from "../../domain/time.ts";
import { type Catalogue, catalogueHash } from "../../domain/wire/catalogue.ts";
import type { CommandFrame } from "../../domain/wire/downlink.ts";
import type { Store } from "../../gateway/store/store.ts";
import { TokenBook } from "../../gateway/uplink/token-book.ts";
import { Uplink } from "../../gateway/uplink/uplink.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { SILENT } from "./control-bench.ts";
import { numberLamps, openTestStore, reading } from "./store-run.ts";
import { MemoryCenter } from "./uplink-center.ts";

export const CATALOGUE: Catalogue = {
  siteId: "old-town",
  name: "Old town",
  kinds: [],
  devices: [],
  retired: [],
};

/** An uplink between a real store and a center in memory, on a simulated clock. */
export async function bench(
  t: Test,
  {
    change = (store) => store,
    control = () => [],
  }: {
    /** What the uplink sees of the store. */
    readonly change?: (store: Store) => Store;
    /** Its control state. */
    readonly control?: (store: Store) => readonly PointNumber[];
  } = {},
) {
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder: t.testdir() }, { clock });
  const center = new MemoryCenter(clock);
  const tokens = new TokenBook(clock, seededRandom(3), () => Millis(clock.uptime()));
  const commands: CommandFrame[] = [];
  const uplink = new Uplink({
    store: change(store),
    transport: center,
    tokens,
    catalogue: { content: () => CATALOGUE, hash: catalogueHash(CATALOGUE) },
    sweeps: () => [],
    order: { rank: (point) => (point === 3 ? 0 : 1), control: control(store) },
    onCommand: (frame) => commands.push(frame),
    onRead: async ({ pointIds }) =>
      pointIds.map((pointId) => ({ pointId, value: 40, quality: "good", cause: "none" })),
    onWelcome: () => undefined,
    timeQuality: () => "synced",
    software: "test",
    reconnect: { min: Seconds(1), max: Seconds(4) },
    clock,
    random: seededRandom(5),
    logger: SILENT,
  });
  const stopping = new AbortController();
  let run = Promise.resolve();
  const start = (): void => {
    run = uplink.run(stopping.signal);
  };
  const stop = async (): Promise<void> => {
    stopping.abort(new Error("over"));
    await run;
  };
  t.teardown(async () => {
    await stop();
    await store[Symbol.asyncDispose]();
  });
  /**
   * Time passes, and the store's worker keeps up with it: what was handed over is durable before the next quarter of a
   * second, however busy the machine is.
   */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      await clock.advance(Math.min(250, left));
      await store.telemetry.flush();
    }
    await clock.advance(0);
  };
  return { clock, store, center, tokens, commands, uplink, pass, start, stop };
}

/** What happened at the center, in order. */
export const kinds = (center: MemoryCenter): readonly string[] => center.log.map(({ what }) => what);

/** Whether the center holds every record of the store, up to now. */
export function holdsAll(center: MemoryCenter, store: Store): boolean {
  return store.sync
    .heads()
    .every(({ incarnation, lane, highestWritten }) =>
      coversRange(center.held.get(`${incarnation}/${lane}`) ?? [], { first: 1, count: highestWritten }),
    );
}

/** Readings of ten lamps, and one record of lane A. */
export function fill(store: Store, rounds: number): void {
  const points = numberLamps(store, 10);
  for (let round = 0; round < rounds; round += 1) {
    store.telemetry.accept(points.map((point) => reading(point, round)));
  }
  store.evidence.append({ kind: "audit", action: "filled", actor: "test", detail: "" });
}
