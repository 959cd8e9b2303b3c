import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../domain/system-clock.ts";
import type { Clock } from "../domain/time.ts";
import { type BenchLine, formatLine } from "./bench-line.ts";

const BENCHES: Readonly<
  Record<string, () => Promise<(folder: string, clock: Clock) => Promise<readonly BenchLine[]>>>
> = {
  acquire: () => import("./acquire.ts").then((module) => module.benchAcquire),
  center: () => import("./center.ts").then((module) => module.benchCenter),
  command: () => import("./command.ts").then((module) => module.benchCommand),
  line: () => import("./line.ts").then((module) => module.benchLine),
  opcua: () => import("./opcua.ts").then((module) => module.benchOpcUa),
  start: () => import("./start.ts").then((module) => module.benchStart),
};
const NAMES = Object.keys(BENCHES);
const HELP = `npm run bench -- [NAME …] [--json]

  NAME     ${NAMES.join(", ")}; none: all
  --json   a JSON line for each figure, with its ratio to a raw loop over the same library in the same run

Exit codes: 0 every goal met, 1 a goal missed or a program failed, 2 wrong arguments.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  });
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`no bench ${JSON.stringify(unknown)}\n${HELP}`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  process.stderr.write(
    `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.versions.node}\n`,
  );
  return await report(
    positionals.length > 0 ? positionals : NAMES,
    values.json ? (line) => JSON.stringify({ ...line.details, ...line }) : formatLine,
  );
}

async function report(names: readonly string[], format: (line: BenchLine) => string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "nerve-bench-"));
  try {
    const lines = await runAll(names, folder);
    for (const line of lines) process.stdout.write(`${format(line)}\n`);
    return lines.every((line) => line.ok) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAll(names: readonly string[], folder: string): Promise<readonly BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const name of names) {
    process.stderr.write(`running ${name}\n`);
    const bench = await BENCHES[name]?.();
    if (bench !== undefined) lines.push(...(await bench(join(folder, name), systemClock)));
  }
  return lines;
}
