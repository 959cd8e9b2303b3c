import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    // Erasing the types of some hundred files costs more than all that is tested; a second start finds them erased.
    NODE_COMPILE_CACHE: join(tmpdir(), `nerve-test-compile-cache-${process.getuid?.() ?? 0}`),
    ...around.env,
  };
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

const LAMP =
  "{ id: lamp-1, name: Door, profile: intesis-dali-lamp, bus: bridge, unit: 1, parameters: { shortAddress: 0 } }";

/** A site file with one lamp behind a bridge at `port`. */
export const lampSite = (port: number): string =>
  [
    "site: { id: old-town, name: Old town }",
    "gateway: gw-1",
    "dataFolder: data",
    "broker: { host: 127.0.0.1, port: 0 }",
    `buses: [{ id: bridge, driver: modbus, transport: tcp, host: 127.0.0.1, port: ${port}, requestTimeout: 500 ms }]`,
    `devices: [${LAMP}]`,
    "",
  ].join("\n");

/** A folder with `site.yaml`; short, so that the socket stands in it. */
export function plantSite(t: { teardown(then: () => void): void }, port = 9): string {
  const folder = mkdtempSync(join(tmpdir(), "nerve-cli-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "site.yaml"), lampSite(port));
  return folder;
}
