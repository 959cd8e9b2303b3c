import t, { type Test } from "tap";
import { decodeEntry } from "../../domain/wire/entry.ts";
import type { ReadFrame } from "../../domain/wire/fresh-read.ts";
import { decodeEvidenceRecord } from "../../domain/wire/record-kinds.ts";
import { CenterReads } from "../../gateway/control/center-reads.ts";
import { StoreError } from "../../gateway/store/store.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { CABINET_AT_REST, POINTS, ScriptedRunner, SILENT } from "./control-bench.ts";
import { entriesOf, openTestStore } from "./store-run.ts";

const NEVER = new AbortController().signal;

async function bench(t: Test) {
  const clock = new SimulatedClock();
  const store = await openTestStore({ folder: t.testdir() }, { clock });
  t.teardown(() => store[Symbol.asyncDispose]());
  const runner = new ScriptedRunner();
  const reads = new CenterReads({ points: POINTS, runner, store, clock, logger: SILENT });
  return { clock, store, runner, reads };
}

const asked = (pointIds: readonly string[]): ReadFrame => ({
  kind: "read",
  session: "1.1",
  readId: "ab".repeat(16),
  pointIds: [...pointIds],
  requester: "operator/anna",
  budgetMs: 3_000,
});

t.test("what the bus shows now, point by point, and why where it shows nothing", async (t) => {
  const { runner, reads, store } = await bench(t);
  const findings = await reads.read(
    asked(["cabinet-1/feedback", "lamp-9/level", "lamp-1/reset", "cabinet-1/tripped", "lamp-1/actual-level"]),
    NEVER,
  );
  t.strictSame(findings, [
    { pointId: "cabinet-1/feedback", value: false, quality: "good", cause: "none" },
    { pointId: "lamp-9/level", value: null, quality: "bad/configuration-error", cause: "unknown-address" },
    { pointId: "lamp-1/reset", value: null, quality: "bad/configuration-error", cause: "not-readable" },
    { pointId: "cabinet-1/tripped", value: false, quality: "good", cause: "none" },
    { pointId: "lamp-1/actual-level", value: null, quality: "bad/no-communication", cause: "timeout" },
  ]);
  const last = entriesOf(store, "A").at(-1);
  t.match(decodeEvidenceRecord(decodeEntry(last?.frame ?? new Uint8Array()).body).body, {
    kind: "audit",
    action: "read",
    actor: "operator/anna",
    detail: /^cabinet-1\/feedback /,
  });
  t.equal(runner.operations.length, 0, "nothing moves");
});

t.test("a unit that does not answer says so of each of its points", async (t) => {
  const { runner, reads } = await bench(t);
  runner.onRead = () => null;
  const [only] = await reads.read(asked(["cabinet-1/feedback"]), NEVER);
  t.match(only, { value: null, quality: "bad/no-communication", cause: "timeout" });
});

t.test("eight at once share the lines with polling; the ninth is told to come again", async (t) => {
  const { runner, reads } = await bench(t);
  const { promise, resolve } = Promise.withResolvers<null>();
  runner.onRead = () => promise;
  const running = Array.from({ length: 8 }, () => reads.read(asked(["cabinet-1/feedback"]), NEVER));
  t.match(await reads.read(asked(["cabinet-1/feedback"]), NEVER), [{ value: null, cause: "busy" }]);
  resolve(null);
  await Promise.all(running);
  runner.onRead = () => CABINET_AT_REST;
  t.match(await reads.read(asked(["cabinet-1/feedback"]), NEVER), [{ value: false }]);
});

t.test("what can not be put in the audit is not read", async (t) => {
  const { runner, clock } = await bench(t);
  const evidence = {
    append: (): never => {
      throw new StoreError("not-durable", "writing critical.db failed");
    },
  };
  let reached = 0;
  runner.onRead = () => {
    reached += 1;
    return CABINET_AT_REST;
  };
  const reads = new CenterReads({
    points: POINTS,
    runner,
    store: { evidence } as never,
    clock,
    logger: SILENT,
  });
  t.match(await reads.read(asked(["cabinet-1/feedback"]), NEVER), [
    { value: null, cause: "store-unavailable" },
  ]);
  t.equal(reached, 0);
});
