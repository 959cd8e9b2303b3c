import { spawn } from "node:child_process";
import { join } from "node:path";

const NERVE = join(import.meta.dirname, "../../gateway/cli/nerve.js");

export interface NerveEnd {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface NerveSurroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly folder?: string;
  /** Sent as soon as the process has written to its standard error. */
  readonly signal?: NodeJS.Signals;
}

/** Runs `nerve` as its user does, without a terminal. */
export async function nerve(args: readonly string[], around: NerveSurroundings = {}): Promise<NerveEnd> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...around.env };
  const child = spawn(process.execPath, [NERVE, ...args], { env, cwd: around.folder });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
    if (around.signal !== undefined) child.kill(around.signal);
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(around.input ?? "");
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output, errors };
}
