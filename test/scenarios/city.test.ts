import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { requested, unexpected } from "../../city/check/journal-verdict.ts";
import { planCity } from "../../city/city-plan.ts";
import { processTree } from "../../city/process-tree.ts";
import { Seconds } from "../../domain/time.ts";
import { EQUIPMENT_KINDS } from "../../simulators/city/place-equipment.ts";
import { eventually } from "./scenario-city.ts";

/** A machine that runs much else beside it. */
const SLOW_START = Seconds(100);
const MAIN = join(import.meta.dirname, "../../city/main.ts");

interface Checked {
  readonly name: string;
  readonly problems: readonly string[];
}

t.test(
  "a small city obeys, refuses, breaks, mends and ends, as `npm start -- --check` does it",
  async (t) => {
    // A socket's path has at most 107 bytes, and the test's own folder has its name in it.
    const folder = await mkdtemp(join(tmpdir(), "nerve-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const args = [MAIN, "--check", "--json", "--folder", folder, "--cabinets", "6"];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...args, "--settle", "1"], {
      timeout: 240_000,
    });
    const report = JSON.parse(stdout) as {
      readonly ok: boolean;
      readonly problems: readonly string[];
      readonly start: Readonly<Record<string, number | null>>;
      readonly commands: readonly (Checked & {
        readonly end: string;
        readonly states: readonly string[];
        readonly effects: readonly string[];
      })[];
      readonly readings: readonly Checked[];
      readonly figures: readonly {
        readonly name: string;
        readonly value: number | null;
        readonly unit: string;
        readonly goalAtMost: number | null;
      }[];
      readonly outages: readonly (Checked & { readonly unknownAfterMs: number })[];
      readonly burst: Readonly<Record<string, number | null>>;
      readonly memory: { readonly total: number; readonly byProgram: Readonly<Record<string, number>> };
    };
    t.same(report.problems, []);
    t.ok(report.ok);
    t.same(
      report.commands.map((command) => `${command.name}: ${command.end}`),
      [
        "K1, one lamp: succeeded",
        "K1, a group of 38: succeeded",
        "K2, cabinet light on: succeeded",
        "K2, cabinet light off: succeeded",
        "unknown device: rejected (unknown-point)",
        "out of range: rejected (out-of-range)",
        "expired: expired",
        "K3, local selector: rejected (blocked)",
        "K3, a feeder opened: succeeded",
        "K3, changed since the preview: rejected (preview-changed)",
        ...[
          "junction",
          "wire-junction",
          "barrier",
          "bollard",
          "entrance",
          "text-counter",
          "io-board",
        ].flatMap(
          // An order and what takes it back; a strike lets go by itself.
          (kind) => Array(kind === "entrance" ? 1 : 2).fill(`order, ${kind}: succeeded`),
        ),
        "K3, link cut: rejected (offline)",
        "K3, closed again after its rest: succeeded",
        "K3, closed again after its rest: succeeded",
      ],
    );
    t.same(
      new Set(report.readings.map(({ name }) => name)),
      new Set(EQUIPMENT_KINDS.map((kind) => `reading, ${kind}`)),
      "of every class a hand on site was seen",
    );
    const contacts = report.commands.flatMap(({ name, effects }) =>
      effects.filter((effect) => effect.includes("contactor-")).map((effect) => `${name}: ${effect}`),
    );
    t.same(
      contacts,
      [
        "K3, a feeder opened: dijon-c0001 contactor-1 1 → 0",
        "K3, closed again after its rest: dijon-c0001 contactor-1 0 → 1",
        "K3, closed again after its rest: dijon-c0001 contactor-2 0 → 1",
      ],
      "by the journal each contactor moved once an order, and by no other",
    );
    t.same(
      report.figures.map(({ name, unit, goalAtMost }) => `${name} ${unit} ${goalAtMost}`),
      [
        "levels-good ms 15000",
        "levels-good-from-begin ms null",
        "levels-good-cpu s null",
        "points-good ms 60000",
        "memory bytes 1500000000",
        "settled-cpu cores 1",
        "lamp-command-p50 ms null",
        "lamp-command-p99 ms null",
        "dusk-proven ms null",
        "dusk-shown ms 120000",
      ],
    );
    for (const { name, value } of report.figures) t.ok((value ?? 0) > 0, `${name} was measured`);
    t.match(stderr, /the contactors rest/, "people see how far it is");
    const steps = ["queued", "sent", "executing", "succeeded"];
    const lamp = report.commands[0]?.states ?? [];
    t.same(
      steps.filter((state) => lamp.includes(state)),
      steps,
      "an operator sees each step",
    );
    t.same(
      report.outages.map(({ name }) => name),
      ["core of Dijon killed", "link cut"],
    );
    t.match(report.start, { cabinets: 6, levelsGoodAfterMs: Number, pointsGoodAfterMs: Number });
    t.equal(report.burst["lamps"], report.start["lamps"]);
    const programs = Object.keys(report.memory.byProgram);
    for (const program of ["center", "gateway-dijon field hosts", "gateways-2", "simulators-2"])
      t.ok(programs.includes(program), `${program} was measured`);
    t.ok(report.memory.total > 200_000_000);
  },
);

t.test(
  "a city has its folder alone, and leaves nothing behind when it is interrupted while it starts",
  async (t) => {
    const folder = `${t.testdir()}/nerve`;
    const args = [MAIN, "--folder", folder, "--cabinets", "3"];
    const city = spawn(process.execPath, args, { stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => city.once("exit", resolve));
    const tree = await eventually("its programs run", async () => {
      const found = await processTree(city.pid ?? 0);
      return found.length > 3 && existsSync(join(folder, "logs/center.log")) ? found : undefined;
    });
    const second = await promisify(execFile)(process.execPath, [...args, "--fresh"]).catch(
      (error: unknown) => error,
    );
    t.match(second, { code: 1, stderr: /belongs to the city that runs as process \d+: end that one first/ });
    city.kill("SIGINT");
    t.equal(await ended, 0);
    for (const { pid, command } of tree) t.notOk(isAlive(pid), command);
  },
);

t.test(
  "programs of a city that was killed end by themselves, and the next start ends what was held still",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "nerve-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const start = () => {
      const child = spawn(process.execPath, [MAIN, "--folder", folder, "--cabinets", "3"], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      t.teardown(() => child.kill("SIGKILL"));
      let said = "";
      child.stderr.on("data", (text: Buffer) => {
        said += text.toString();
      });
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      return { child, ended, said: () => said };
    };
    const killed = start();
    const programs = await eventually(
      "all its programs run",
      async () => {
        const found = await processTree(killed.child.pid ?? 0);
        return /all programs run/.test(killed.said())
          ? found.filter(({ pid }) => pid !== killed.child.pid)
          : undefined;
      },
      SLOW_START,
    );
    const simulators = programs.find(({ pid }) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("simulators-2.json"),
    );
    if (simulators === undefined) throw new Error("no second program of simulators");
    const held = simulators.pid;
    process.kill(held, "SIGSTOP");
    killed.child.kill("SIGKILL");
    await eventually(
      "all others have ended",
      async () => (programs.every(({ pid }) => pid === held || !isAlive(pid)) ? true : undefined),
      SLOW_START,
    );
    t.ok(isAlive(held));
    const next = start();
    await eventually("the held one was ended", async () => (isAlive(held) ? undefined : true), SLOW_START);
    t.match(next.said(), /an earlier city here was killed: its programs \(1\) still run, ending them/);
    next.child.kill("SIGINT");
    next.child.kill("SIGINT");
    t.equal(await next.ended, 0, "a second Ctrl-C does not hurt");
    t.match(next.said(), /Ending the city.*The city has ended; its stores are kept in/s);
  },
);

t.test(
  "a smaller city has the same cabinets, spread over the municipalities, and all three programs",
  async (t) => {
    const whole = planCity("all");
    t.equal(whole.lamps, 34_000);
    t.equal(whole.municipalities.length, 23);
    t.same(
      whole.gatewayPrograms.map(({ municipalities }) => municipalities.length),
      [1, 11, 11],
    );
    const [, one, other] = whole.gatewayPrograms.map(({ municipalities }) =>
      municipalities.reduce((sum, { cabinets }) => sum + cabinets.length, 0),
    );
    t.ok(Math.abs((one ?? 0) - (other ?? 0)) < 40, "two processes of about one size");
    for (const cabinets of [3, 30, 725]) {
      const small = planCity(cabinets);
      t.equal(small.cabinets.length, cabinets);
      const ids = new Set(whole.cabinets.map(({ id }) => id));
      t.ok(small.cabinets.every(({ id }) => ids.has(id)));
      t.ok(small.gatewayPrograms.every(({ municipalities }) => municipalities.length > 0));
      t.equal(small.equipment.length, EQUIPMENT_KINDS.length, "one of each kind");
    }
  },
);

t.test("what the journal says of an order is held against what was asked", async (t) => {
  const asked = [
    { device: "lamp-1", what: "level", to: 40 },
    { device: "cabinet-1", what: "contactor-2", to: 0 },
  ];
  const effect = (device: string, what: string, to: number, by = "request") =>
    ({ kind: "effect", seq: 1, device, what, from: 1, to, cause: { by }, wallMs: 0 }) as const;
  const good = [effect("lamp-1", "level", 41), effect("cabinet-1", "contactor-2", 0)];
  const hand = effect("cabinet-1", "door-open", 1, "control");
  t.same(unexpected(asked, requested([...good, hand])), []);
  t.same(unexpected(asked, [effect("lamp-1", "level", 42)]), [
    "cabinet-1 contactor-2 did not move",
    "lamp-1 level went to 42: asked was 40, once",
  ]);
  t.same(unexpected(asked, [...good, effect("cabinet-1", "contactor-2", 0), effect("lamp-2", "level", 40)]), [
    "cabinet-1 contactor-2 went to 0, then 0: asked was 0, once",
    "lamp-2 level moved, and nobody asked for it",
  ]);
  const motor = { device: "barrier-1", what: "motor", to: 0, via: [1] };
  const runs = effect("barrier-1", "motor", 1, "order");
  const rests = effect("barrier-1", "motor", 0, "order");
  t.same(unexpected([motor], requested([runs, rests])), []);
  t.same(unexpected([motor], requested([rests])), ["barrier-1 motor went to 0: asked was 1, then 0, once"]);
});

/** A zombie has no command line: it has ended, and whoever took it over has not looked yet. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

t.setTimeout(420_000);
