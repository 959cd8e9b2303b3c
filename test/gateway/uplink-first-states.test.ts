import t, { type Test } from "tap";
import { PointId } from "../../domain/ids.ts";
import { numberLamps, reading } from "./store-run.ts";
import { bench, holdsAll, kinds } from "./uplink-bench.ts";

/** A gateway of ten lamps and ten meters: lamps are control state, the rank of the third is least. */
async function startedGateway(test: Test) {
  const made = await bench(test, { control: (store) => numberLamps(store, 10) });
  const lamps = numberLamps(made.store, 10);
  const ids = Array.from({ length: 10 }, (_, index) => PointId(`meter-${index + 1}/power`));
  const meters = [...made.store.telemetry.numberPoints(ids).values()];
  const told = (): readonly string[] => kinds(made.center).filter((what) => /snapshot|batch/.test(what));
  return { ...made, lamps, meters, told };
}

t.test(
  "I10 right after a start control state is told as it is read; the rest, and lanes B and C, come after it",
  async (t) => {
    const { store, center, lamps, meters, told, pass, start, uplink } = await startedGateway(t);
    store.telemetry.accept([...meters, ...lamps.slice(0, 4)].map((point) => reading(point, 1)));
    store.evidence.append({ kind: "audit", action: "started", actor: "test", detail: "" });
    await store.telemetry.flush();
    start();
    await pass(1_250);
    t.same(told(), ["snapshot 1/1 3,1,2", "batch A history"], "the four lamps that were read, and lane A");
    store.telemetry.accept(lamps.slice(4, 7).map((point) => reading(point, 1)));
    await pass(1_000);
    t.same(told().slice(2), ["snapshot 1/1 5,6,7"], "the three that came since, and no meter");
    t.equal(uplink.status().phase, "telling-snapshot");
    store.evidence.append({ kind: "audit", action: "lamp switched", actor: "test", detail: "" });
    await pass(250);
    t.equal(told().at(-1), "batch A live", "a verdict waits for nobody");
    store.telemetry.accept(lamps.slice(7).map((point) => reading(point, 1)));
    await pass(1_000);
    t.equal(uplink.status().phase, "live");
    const rest = told().slice(4);
    t.equal(rest[0], "snapshot 1/1 8,9,10", "lamps are told before meters, and none twice");
    t.same(center.snapshots.flat().toSorted(ascending), [...lamps, ...meters].toSorted(ascending));
    t.equal(center.records.get("B history"), 20, "first readings are of lane B; the snapshot told them");
    t.equal(center.records.get("B live"), 1, "that the link is up");
    const before = told().length;
    store.telemetry.accept(lamps.slice(0, 1).map((point) => reading(point, 2)));
    await pass(1_000);
    t.same(told().slice(before), ["batch C live"]);
    t.ok(holdsAll(center, store));
  },
);

t.test("a lamp that is not read holds the others up for 2 s, not longer", async (t) => {
  const { store, center, lamps, meters, pass, start, uplink } = await startedGateway(t);
  store.telemetry.accept([...meters, ...lamps.slice(1)].map((point) => reading(point, 1)));
  await store.telemetry.flush();
  start();
  await pass(1_750);
  t.equal(uplink.status().phase, "telling-snapshot");
  t.same(center.snapshots.flat().toSorted(ascending), lamps.slice(1));
  await pass(1_000);
  t.equal(uplink.status().phase, "live");
  t.same(center.snapshots.flat().toSorted(ascending), [...lamps.slice(1), ...meters]);
  t.ok(holdsAll(center, store));
});

t.test(
  "I10 however long the first round of a slow line takes, the snapshot is whole after 8 s",
  async (t) => {
    const { store, center, lamps, meters, pass, start, uplink } = await startedGateway(t);
    store.telemetry.accept(meters.map((point) => reading(point, 1)));
    await store.telemetry.flush();
    start();
    for (const lamp of lamps.slice(0, 7)) {
      await pass(1_000);
      store.telemetry.accept([reading(lamp, 1)]);
    }
    await pass(500);
    t.equal(uplink.status().phase, "telling-snapshot");
    t.same(
      center.snapshots.flat().toSorted(ascending),
      lamps.slice(0, 7),
      "one after the other, as they were read",
    );
    await pass(1_500);
    t.equal(uplink.status().phase, "live");
    t.same(center.snapshots.flat().toSorted(ascending), [...lamps.slice(0, 7), ...meters]);
  },
);

t.test(
  "what was known before a restart is told at once as doubtful, and does not count as read",
  async (t) => {
    const { store, center, lamps, pass, start, uplink } = await startedGateway(t);
    const doubtful = { quality: "uncertain/last-usable-value", cause: "gateway-restarted" } as const;
    store.telemetry.accept(lamps.map((point) => ({ ...reading(point, 1), ...doubtful })));
    await store.telemetry.flush();
    start();
    await pass(1_000);
    t.same(center.snapshots.flat().toSorted(ascending), lamps);
    t.equal(uplink.status().phase, "telling-snapshot");
    store.telemetry.accept(lamps.map((point) => reading(point, 1)));
    await pass(1_000);
    t.same(center.snapshots.flat().length, 20, "each is told again, now that it was read");
    t.equal(uplink.status().phase, "live");
  },
);

t.test("a session that comes when all was read long ago begins with one whole snapshot", async (t) => {
  const { store, center, lamps, meters, pass, start, told } = await startedGateway(t);
  store.telemetry.accept([...meters, ...lamps].map((point) => reading(point, 1)));
  await store.telemetry.flush();
  start();
  await pass(250);
  t.equal(told()[0], "snapshot 1/1 3,1,2");
  t.equal(center.snapshots.length, 1);
  t.equal(center.snapshots[0]?.length, 20);
});

function ascending(left: number, right: number): number {
  return left - right;
}
