import t from "tap";
import { HistoryAdmission } from "../../cloud-sync/ingest/history-admission.ts";
import { SimulatedClock } from "../simulated-clock.ts";

/** Work that ends when the test says so, and says when it began. */
function bench() {
  const clock = new SimulatedClock();
  const admission = new HistoryAdmission(clock);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (name: string, kind: "history" | "current" | "state"): Promise<void> =>
    admission[kind](async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await clock.advance(0);
  };
  return { clock, admission, begun, start, end };
}

t.test("history waits while anything current is taken, and current things never wait", async (t) => {
  const { clock, begun, start, end } = bench();
  const runs = [start("live-1", "current"), start("old-1", "history"), start("live-2", "current")];
  await clock.advance(1_000);
  t.same(begun, ["live-1", "live-2"]);
  await end("live-1");
  t.same(begun, ["live-1", "live-2"], "one is still being taken");
  await end("live-2");
  t.same(begun, ["live-1", "live-2", "old-1"]);
  await end("old-1");
  await Promise.all(runs);
  t.equal(clock.pendingTimers, 0);
});

t.test("history waits on between two tellings of a gateway that comes back", async (t) => {
  const { clock, begun, start, end } = bench();
  const runs = [start("state-1", "state"), start("old", "history")];
  await end("state-1");
  await clock.advance(500);
  runs.push(start("state-2", "state"));
  await end("state-2");
  await clock.advance(700);
  t.same(begun, ["state-1", "state-2"]);
  await clock.advance(50);
  t.same(begun, ["state-1", "state-2", "old"]);
  await end("old");
  await Promise.all(runs);
  t.equal(clock.pendingTimers, 0);
});

t.test("I18 history has its turn after 8 s at the latest, however much is current", async (t) => {
  const { clock, begun, start, end } = bench();
  const runs = [start("live", "current"), start("old-1", "history"), start("old-2", "history")];
  await clock.advance(7_900);
  t.same(begun, ["live"]);
  await clock.advance(200);
  t.same(begun, ["live", "old-1", "old-2"]);
  for (const name of begun) await end(name);
  await Promise.all(runs);
});

t.test("four batches of history are taken at once, longest waiting first, 64 wait at most", async (t) => {
  const { clock, begun, start, end } = bench();
  const names = Array.from({ length: 70 }, (_, index) => `old-${index + 1}`);
  const runs = names.map((name) => start(name, "history"));
  await clock.advance(0);
  t.same(begun, [...names.slice(0, 4), "old-69", "old-70"], "what can not wait is taken as it comes");
  for (const name of [...begun]) await end(name);
  t.same(begun.slice(6), names.slice(4, 8));
  for (let at = 6; at < begun.length; at += 1) await end(begun[at] ?? "");
  t.same(begun.length, 70);
  await Promise.all(runs);
  t.equal(clock.pendingTimers, 0);
});

t.test("work that fails gives its place back", async (t) => {
  const { admission, begun, start, end } = bench();
  await t.rejects(admission.current(() => Promise.reject(new Error("the database is gone"))));
  await t.rejects(admission.history(() => Promise.reject(new Error("the database is gone"))));
  const run = start("old", "history");
  t.same(begun, ["old"]);
  await end("old");
  await run;
});
