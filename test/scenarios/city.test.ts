import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";

const ROOT = join(import.meta.dirname, "../..");

t.test(
  "the whole city comes up on an empty folder, obeys, refuses and ends, as `npm start -- --check` does it",
  async (t) => {
    const folder = `${t.testdir()}/nerve`;
    const run = promisify(execFile);
    const args = [join(ROOT, "city/main.ts"), "--check", "--json", "--folder", folder, "--lamps", "8"];
    const { stdout } = await run(process.execPath, args, { timeout: 120_000 });
    const report = JSON.parse(stdout) as {
      readonly ok: boolean;
      readonly problems: readonly string[];
      readonly commands: readonly {
        readonly name: string;
        readonly end: string;
        readonly states: readonly string[];
      }[];
      readonly memoryBytes: number;
    };
    t.same(report.problems, []);
    t.ok(report.ok);
    t.same(
      report.commands.map((command) => `${command.name}: ${command.end}`),
      [
        "one lamp: succeeded",
        "one group: succeeded",
        "unknown device: rejected (unknown-point)",
        "out of range: rejected (out-of-range)",
        "expired: expired",
      ],
    );
    const lamp = report.commands[0]?.states ?? [];
    t.same(
      ["queued", "sent", "executing", "succeeded"].filter((state) => lamp.includes(state)),
      ["queued", "sent", "executing", "succeeded"],
      "an operator sees each step",
    );
    t.ok(report.memoryBytes > 50_000_000, "memory was measured");
  },
);
