import t from "tap";
import { PointNumber } from "../../domain/ids.ts";
import { operation } from "./field/host-bench.ts";
import { pause, Supervised } from "./field/supervised-host.ts";

t.setTimeout(120_000);

const OPERATIONS = 15;
/** How long each picture of the healthy host is taken. */
const WATCHED_MS = 2_500;

/** What the healthy host's own bus says of itself, and what its commands take. */
interface Picture {
  /** Worst of the reached intervals over the asked one. */
  readonly intervalShare: number;
  readonly commandMs: number;
}

/** Each thing that can happen to a host, done to the one that is not watched. */
const DISTURBANCES: readonly {
  readonly name: string;
  readonly hurt: (host: Supervised) => unknown;
  /** Whether the supervisor sees it within seconds; a driver that hangs is given 65 s. */
  readonly end: "restarted" | "hangs on";
}[] = [
  { name: "killed", hurt: (host) => process.kill(host.supervisor.pid ?? 0, "SIGKILL"), end: "restarted" },
  { name: "stopped", hurt: (host) => process.kill(host.supervisor.pid ?? 0, "SIGSTOP"), end: "restarted" },
  // Point 1009 of the scripted driver never gives the event loop back.
  { name: "spinning", hurt: (host) => write(host, 1_009), end: "restarted" },
  { name: "leaking memory", hurt: (host) => write(host, 1_008), end: "restarted" },
  { name: "wedged in its driver", hurt: (host) => write(host, 1_007), end: "hangs on" },
];

t.test(
  "a host that is killed, stopped, spinning, leaking or wedged leaves the other's intervals and commands as they were",
  async (t) => {
    await using lighting = new Supervised("lighting");
    await using access = new Supervised("access");
    const isGood = (change: { readonly quality: string }): boolean => change.quality === "good";
    await Promise.all([lighting.see(0, isGood), access.see(0, isGood)]);
    const calm = await picture(access);
    for (const { name, hurt, end } of DISTURBANCES) {
      const start = performance.now();
      hurt(lighting);
      const disturbed = await picture(access);
      t.ok(
        disturbed.intervalShare <= Math.max(1.5, calm.intervalShare * 1.5),
        `${name}: polled at ${disturbed.intervalShare.toFixed(2)} of the asked interval, calm ${calm.intervalShare.toFixed(2)}`,
      );
      t.ok(
        disturbed.commandMs <= calm.commandMs * 3 + 50,
        `${name}: a command takes ${disturbed.commandMs.toFixed(1)} ms, calm ${calm.commandMs.toFixed(1)} ms`,
      );
      t.equal(
        access.changes(start).filter((change) => change.cause === "field-host-down").length,
        0,
        `${name}: no outage told`,
      );
      if (end === "hangs on") continue;
      await lighting.see(start, (change) => change.cause === "field-host-down");
      await lighting.see(performance.now() - 1, isGood);
    }
  },
);

function write(host: Supervised, point: number): void {
  void host.supervisor.runOperation(operation({ point: PointNumber(point) }), new AbortController().signal);
}

async function picture(host: Supervised): Promise<Picture> {
  const start = performance.now();
  const tookMs: number[] = [];
  while (performance.now() - start < WATCHED_MS) {
    if (tookMs.length < OPERATIONS) tookMs.push(await timedOperation(host));
    await pause(150);
  }
  // Figures come every 5 s: the first that speak of this time are waited for.
  const figures = await figuresAfter(host, start + WATCHED_MS);
  const shares = figures.flatMap(({ units }) =>
    units.flatMap((unit) =>
      unit.intervals.map(({ askedMs, reachedMs }) => (reachedMs ?? Number.POSITIVE_INFINITY) / askedMs),
    ),
  );
  return { intervalShare: Math.max(...shares), commandMs: median(tookMs) };
}

async function timedOperation(host: Supervised): Promise<number> {
  const start = performance.now();
  const result = await host.supervisor.runOperation(operation(), new AbortController().signal);
  if (result.outcome !== "succeeded")
    throw new Error(`the healthy host's command ended as ${result.outcome}`);
  return performance.now() - start;
}

async function figuresAfter(host: Supervised, after: number) {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const told = host.reports.find(({ at, report }) => at > after && report.kind === "figures");
    if (told?.report.kind === "figures") return told.report.figures;
    await pause(10);
  }
  throw new Error("no figures within 10 s");
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
