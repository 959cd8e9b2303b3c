import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import t from "tap";
import type { PointNumber } from "../../domain/ids.ts";
import { seededRandom } from "../../domain/random.ts";
import type { StoredReading } from "../../domain/reading.ts";
import { decodeEntry } from "../../domain/wire/entry.ts";
import { decodePointsBlock } from "../../domain/wire/points-block.ts";
import { decodeEvidenceRecord } from "../../domain/wire/record-kinds.ts";
import type { Store } from "../../gateway/store/store.ts";
import { entriesOf, numberLamps, openTestStore, reading } from "./store-run.ts";

/** A life costs 0.6 s on an idle machine, and several times that on a busy one. */
t.setTimeout(180_000);
const CYCLES = 16;
const WRITER = fileURLToPath(new URL("./store-writer-main.ts", import.meta.url));

interface Acknowledged {
  readonly readings: Set<number>;
  readonly evidence: Set<number>;
}

t.test("I1 what was acknowledged survives kill -9, once and only once", async (t) => {
  const folder = t.testdir();
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  t.comment(`SEED=${seed}`);
  const random = seededRandom(seed);
  const told: Acknowledged = { readings: new Set(), evidence: new Set() };
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    // Apart, so that what one life wrote and never told is not taken for the next one's.
    const start = (cycle + 1) * 10_000_000;
    await runAndKill({ folder, start, afterMs: Math.floor(random.next() * 250) }, told);
  }
  const store = await openTestStore({ folder });
  t.same(store.findings, [], "a kill damages nothing");
  t.equal(store.lineage.length, CYCLES + 1);
  t.ok(told.readings.size > CYCLES * 50 && told.evidence.size > CYCLES, `${told.readings.size} acknowledged`);

  const readings = readingsOf(store);
  const times = countEach(readings.map(({ value }) => Number(value)));
  t.same(
    [...times].filter(([, count]) => count > 1),
    [],
    "I3 nothing is there twice",
  );
  t.same(
    [...told.readings].filter((value) => !times.has(value)),
    [],
    "no reading is lost",
  );

  const evidence = countEach(entriesOf(store, "A").map(({ frame }) => countOf(frame)));
  t.same(
    [...evidence].filter(([, count]) => count > 1),
    [],
    "no evidence is there twice",
  );
  t.same(
    [...told.evidence].filter((value) => !evidence.has(value)),
    [],
    "no evidence is lost",
  );

  const newest = new Map<PointNumber, StoredReading>();
  for (const each of readings) {
    if ((newest.get(each.point)?.stateVersion ?? 0) < each.stateVersion) newest.set(each.point, each);
  }
  const twins = [...newest.keys()].map((point) => store.telemetry.latest(point));
  t.same(twins, [...newest.values()], "I8 each twin is the newest committed reading of its point");
  // A reading far from the others, so that the twins written at the end are not only the replayed ones.
  const far = numberLamps(store, 1_200).at(-1);
  if (far !== undefined) store.telemetry.accept([reading(far, 1)]);
  await store[Symbol.asyncDispose]();
  await using again = await openTestStore({ folder });
  const kept = [...newest.keys()].map((point) => again.telemetry.latest(point));
  t.same(kept, [...newest.values()], "and still is after an orderly end");
});

function countEach(values: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function countOf(frame: Uint8Array): number {
  const { body } = decodeEvidenceRecord(decodeEntry(frame).body);
  return body.kind === "audit" ? Number(body.detail) : 0;
}

/** One life of the writer, from its opening to a SIGKILL `afterMs` later. */
async function runAndKill(
  life: { readonly folder: string; readonly start: number; readonly afterMs: number },
  told: Acknowledged,
): Promise<void> {
  const child = spawn(process.execPath, [WRITER, life.folder, String(life.start)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  const opened = new Promise<void>((resolve) => {
    child.stdout.on("data", (text: string) => {
      output += text;
      if (output.startsWith("open\n")) resolve();
    });
  });
  const closed = once(child, "close");
  await Promise.race([opened, closed]);
  await wait(life.afterMs);
  child.kill("SIGKILL");
  await closed;
  note(output, told);
}

/** Only whole lines count: the last one may have been cut. */
function note(output: string, told: Acknowledged): void {
  for (const line of output.split("\n").slice(0, -1)) {
    const [kind, from, to] = line.split(" ");
    if (kind === "A") told.evidence.add(Number(from));
    if (kind === "T")
      for (let value = Number(from); value <= Number(to); value += 1) told.readings.add(value);
  }
}

function readingsOf(store: Store): readonly StoredReading[] {
  return (["B", "C"] as const)
    .flatMap((lane) => entriesOf(store, lane))
    .map(({ frame }) => decodeEntry(frame))
    .flatMap((entry) => (entry.kind === "points" ? decodePointsBlock(entry.body).readings : []));
}
