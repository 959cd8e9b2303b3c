import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { planCity } from "../../city/city-plan.ts";
import { processTree } from "../../city/process-tree.ts";
import { eventually } from "./scenario-city.ts";

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
    const { stdout } = await promisify(execFile)(process.execPath, [...args, "--settle", "1"], {
      timeout: 150_000,
    });
    const report = JSON.parse(stdout) as {
      readonly ok: boolean;
      readonly problems: readonly string[];
      readonly start: Readonly<Record<string, number | null>>;
      readonly commands: readonly (Checked & { readonly end: string; readonly states: readonly string[] })[];
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
        "unknown device: rejected (unknown-point)",
        "out of range: rejected (out-of-range)",
        "expired: expired",
      ],
    );
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
    for (const { pid, command } of tree) t.throws(() => process.kill(pid, 0), { code: "ESRCH" }, command);
  },
);

t.test(
  "programs of a city that was killed end by themselves, and the next start ends what was held still",
  async (t) => {
    const folder = `${t.testdir()}/nerve`;
    const start = () => {
      const child = spawn(process.execPath, [MAIN, "--folder", folder, "--cabinets", "3"], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr.on("data", (text: Buffer) => {
        said += text.toString();
      });
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      return { child, ended, said: () => said };
    };
    const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
    const killed = start();
    const programs = await eventually("all its programs run", async () => {
      const found = await processTree(killed.child.pid ?? 0);
      return /all programs run/.test(killed.said())
        ? found.filter(({ pid }) => pid !== killed.child.pid)
        : undefined;
    });
    const simulators = programs.find(({ pid }) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("simulators-2.json"),
    );
    const held = simulators?.pid ?? 0;
    process.kill(held, "SIGSTOP");
    killed.child.kill("SIGKILL");
    await eventually("all others have ended", async () =>
      programs.every(({ pid }) => pid === held || !isAlive(pid)) ? true : undefined,
    );
    t.ok(isAlive(held));
    const next = start();
    await eventually("the held one was ended", async () => (isAlive(held) ? undefined : true));
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
    }
  },
);

t.setTimeout(180_000);
