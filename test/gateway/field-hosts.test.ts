import { readFileSync } from "node:fs";
import t from "tap";
import { PointNumber } from "../../domain/ids.ts";
import { operation } from "./field/host-bench.ts";
import { pause, Supervised } from "./field/supervised-host.ts";

const isGood = (change: { readonly quality: string }): boolean => change.quality === "good";
const isDown = (change: { readonly cause: string }): boolean => change.cause === "field-host-down";

/** The longest time between two tellings of the counter of unit 1. */
function longestGap(host: Supervised, after: number): number {
  const told = host.changes(after).filter((change) => change.point === 1_002);
  const times = [after, ...told.map((change) => change.at), performance.now()];
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
}

t.test("a killed field host is told of at once, started again, and the other host polls on", async (t) => {
  await using lighting = new Supervised("lighting");
  await using access = new Supervised("access");
  await Promise.all([lighting.see(0, isGood), access.see(0, isGood)]);
  const first = lighting.supervisor.pid;
  if (first === undefined) throw new Error("the host has no process");
  const killed = performance.now();
  process.kill(first, "SIGKILL");
  const down = await lighting.see(killed, isDown);
  t.ok(down.at - killed < 1_000, `told ${down.at - killed} ms after`);
  t.same(
    lighting
      .changes(killed)
      .filter(isDown)
      .map((change) => [change.point, change.value, change.quality])
      .toSorted(),
    [1_000, 1_001, 1_002, 1_007, 1_008, 1_009, 2_000, 2_001].map((point) => [
      point,
      null,
      "bad/no-communication",
    ]),
    "every point of the group, once",
  );
  await lighting.see(down.at, isGood);
  t.not(lighting.supervisor.pid, first);
  await pause(1_000);
  t.equal(access.changes(0).filter(isDown).length, 0);
  t.ok(
    longestGap(access, killed) < 1_500,
    `the other host's longest gap was ${longestGap(access, killed)} ms`,
  );
});

t.test(
  "each field host is a session of its own, so that the system shares the processor out by services",
  async (t) => {
    await using lighting = new Supervised("lighting");
    await using access = new Supervised("access");
    await Promise.all([lighting.see(0, isGood), access.see(0, isGood)]);
    const pids = [lighting, access].map(({ supervisor }) => supervisor.pid ?? 0);
    t.same(pids.map(sessionOf), pids);
  },
);

/** proc_pid_stat(5), field 6. */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}

t.test("a stopped field host is found by its heartbeats, killed and replaced", async (t) => {
  await using host = new Supervised("lighting");
  await host.see(0, isGood);
  const first = host.supervisor.pid;
  if (first === undefined) throw new Error("the host has no process");
  const stopped = performance.now();
  process.kill(first, "SIGSTOP");
  const pending = host.supervisor.runOperation(operation(), new AbortController().signal);
  const down = await host.see(stopped, isDown);
  t.ok(down.at - stopped < 6_000, `told ${down.at - stopped} ms after`);
  t.match(
    await pending,
    {
      outcome: "outcome-unknown",
      evidence: { acknowledged: null, readBacks: [{ fault: "field-host-down" }] },
    },
    "I26 what was handed over and not answered can not be known",
  );
  await host.see(down.at, isGood);
  t.throws(() => process.kill(first, 0), "the stopped process is gone");
});

t.test(
  "an endless loop in a host ends its operation as unknown; without a host nothing is handed over",
  async (t) => {
    await using host = new Supervised("lighting");
    const early = await host.supervisor.runOperation(operation(), new AbortController().signal);
    t.match(early, { outcome: "succeeded" }, "an order that comes while the host starts waits for it");
    await host.see(0, isGood);
    t.match(await host.supervisor.runOperation(operation(), new AbortController().signal), {
      outcome: "succeeded",
    });
    const wedging = operation({ point: PointNumber(1_009) });
    const start = performance.now();
    t.match(await host.supervisor.runOperation(wedging, new AbortController().signal), {
      outcome: "outcome-unknown",
    });
    t.match(await host.supervisor.runOperation(operation(), new AbortController().signal), {
      outcome: "rejected",
    });
    await host.see(start, isGood);
  },
);

t.test("a host that is told to stop ends the operation in hand and tells its end", async (t) => {
  let ending: Promise<unknown> = Promise.resolve();
  {
    await using host = new Supervised("lighting");
    await host.see(0, (change) => isGood(change) && change.point === 2_000);
    const lost = operation({ unitAddress: "2", point: PointNumber(2_000), readBack: null });
    ending = host.supervisor.runOperation(lost, new AbortController().signal);
    await pause(200);
  }
  t.match(await ending, { outcome: "outcome-unknown", evidence: { detail: /no acknowledgement/ } });
});
