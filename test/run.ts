/**
 * Runs the tests and says in one closing line how they ended: `N passed, N failed`.
 *
 *     node test/run.ts [--unit] [FILE or FOLDER …]
 *
 * `--unit` leaves out `test/scenarios/`. A skipped test is printed with its reason; with `CI=true` it
 * fails the run, because a build server that skips proves less than it shows.
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { readTapReport, type TapReport } from "./tap-report.ts";

const ROOT = join(import.meta.dirname, "..");
const skipsFail = process.env["CI"] === "true";

const { values, positionals } = parseArgs({ options: { unit: { type: "boolean" } }, allowPositionals: true });
const files = chooseFiles(positionals, values.unit === true ? "unit" : "all");
if (files.length === 0) {
  process.stdout.write(`no test file matches ${positionals.join(" ")}: name files or folders under test/\n`);
  process.stdout.write("0 passed, 1 failed\n");
  process.exit(1);
}
const run = await runTap(files);
process.exitCode = tell(readTapReport(run.output), run.code);

function chooseFiles(wanted: readonly string[], scope: "unit" | "all"): readonly string[] {
  const paths = wanted.map((path) => relative(ROOT, join(process.cwd(), path)).split(sep).join("/"));
  return globSync("test/**/*.test.ts", { cwd: ROOT })
    .map((path) => path.split(sep).join("/"))
    .filter((path) => scope === "all" || !isScenario(path))
    .filter((path) => paths.length === 0 || paths.some((at) => path === at || path.startsWith(`${at}/`)))
    .sort()
    .sort((one, other) => Number(isScenario(other)) - Number(isScenario(one)));
}

/** They take longest: begun first, no job is left with one at the end. */
function isScenario(path: string): boolean {
  return path.startsWith("test/scenarios/");
}

/** Standard error passes through: what a test file says before tap is loaded is seen nowhere else. */
function runTap(paths: readonly string[]): Promise<{ readonly output: string; readonly code: number }> {
  // By our own executable: the `#!` line of the bin would take whatever Node the machine has.
  const tap = join(ROOT, "node_modules", ".bin", "tap");
  // What a test file made of the sources the next ones find: a seventh of their CPU.
  const cache = join(ROOT, "node_modules", ".cache", "nerve-compiled");
  const child = spawn(process.execPath, [tap, "run", "--disable-coverage", "--reporter=tap", ...paths], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: cache, ...process.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    output += `${line}\n`;
    if (/^(?:not )?ok \d+ - /.test(line)) process.stdout.write(`${line}\n`);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ output, code: code ?? 1 }));
  });
}

/** Returns the exit code. tap's own verdict counts too: a run it calls failed never ends in `0 failed`. */
function tell(report: TapReport, tapCode: number): number {
  for (const file of report.files.filter((file) => !file.ok && file.comments.length > 0)) {
    process.stdout.write(`\n${file.name} said: ${file.comments.join(" · ")}\n`);
  }
  for (const failure of report.failures) {
    process.stdout.write(`\nFAILED ${failure.path}\n`);
    for (const line of failure.details) process.stdout.write(`  ${line}\n`);
  }
  if (report.skips.length > 0) process.stdout.write(`\n${report.skips.length} skipped:\n`);
  for (const skip of report.skips) process.stdout.write(`  ${skip}\n`);
  const counted = report.failed + (skipsFail ? report.skips.length : 0);
  const unexplained = counted === 0 && (tapCode !== 0 || report.passed === 0) ? 1 : 0;
  if (unexplained > 0) process.stdout.write(`\ntap ended with code ${tapCode} and ${report.passed} passes\n`);
  process.stdout.write(`${report.passed} passed, ${counted + unexplained} failed\n`);
  return counted + unexplained === 0 ? 0 : 1;
}
