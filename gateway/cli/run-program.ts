import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import type { Shell } from "./shell.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What `nerve` starts as processes of their own: it imports neither side (DESIGN §3). */
export const PROGRAMS = {
  gateway: join(ROOT, "gateway/main.ts"),
  siteCheck: join(ROOT, "gateway/site-check-main.ts"),
  profile: join(ROOT, "gateway/profile-main.ts"),
  enrol: join(ROOT, "gateway/enrol-main.ts"),
  brokerUser: join(ROOT, "gateway/broker-user-main.ts"),
  unitKey: join(ROOT, "gateway/unit-key-main.ts"),
  center: join(ROOT, "cloud-sync/main.ts"),
  city: join(ROOT, "city/main.ts"),
} as const;

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;

/** Runs the program in our place: same streams, same signals. Resolves with its exit code, 128 + n for signal n. */
export async function runProgram(
  path: string,
  args: readonly string[],
  shell: Pick<Shell, "terminal">,
): Promise<number> {
  const child = spawn(process.execPath, [path, ...args], { stdio: "inherit" });
  // Ctrl-C reaches the child from the terminal itself; a second one from us would mean "at once".
  const forward = (signal: NodeJS.Signals): void => {
    if (signal !== "SIGINT" || shell.terminal === "none") child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await endOf(child);
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

/** Runs the program to its end and keeps what it says. @param input written to its standard input. */
export async function askProgram(
  path: string,
  args: readonly string[],
  input = "",
): Promise<{ readonly code: number; readonly output: string; readonly errors: string }> {
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  // A program that does not read its input may be gone before we have written it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await endOf(child);
  return { code, output: await output, errors: await errors };
}

function endOf(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)),
    );
  });
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const data = Buffer.from(chunk);
    bytes += data.length;
    if (bytes <= ANSWER_MAX_BYTES) chunks.push(data);
  }
  return Buffer.concat(chunks).toString("utf8");
}
