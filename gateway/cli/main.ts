import { userInfo } from "node:os";
import { systemClock } from "../../domain/system-clock.ts";
import { systemRandom } from "../../domain/system-random.ts";
import type { Shell, TextSink } from "./shell.ts";

/** The surroundings of this process; `nerve.js` has checked its Node before. */
export function processShell(argv: readonly string[]): Shell {
  const { env, stdin, stdout, stderr } = process;
  const colour = stdout.isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  // `nerve devices | head` closes our output early: there is nobody left to tell.
  stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    args: argv.slice(2),
    dataVariable: env["NERVE_DATA"],
    workingFolder: process.cwd(),
    userName: nameOfUser(),
    input: stdin,
    output: sink(stdout),
    errors: sink(stderr),
    colour: colour ? "on" : "off",
    terminal: stdin.isTTY ? "shared" : "none",
    clock: systemClock,
    random: systemRandom,
    interrupted: interruption(),
  };
}

/** A container may run us as a number without a name. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

function sink(stream: NodeJS.WritableStream): TextSink {
  return { write: (text) => void stream.write(text) };
}

/** The second Ctrl-C ends the process as if we did not listen. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => abort.abort(new Error(`ended by ${name}`)));
  return abort.signal;
}
