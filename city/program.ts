import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { SEMI_SPACE_FLAG, START_HEAP_FLAGS } from "../domain/system/heap.ts";
import { type Clock, Millis } from "../domain/time.ts";

/** How long a program may take to put itself away before it is killed. */
const STOP_TIMEOUT = Millis(15_000);

/**
 * For the environment of the programs. Of itself glibc takes one arena a thread, and more kept of what was freed the larger the
 * pieces were. Its documented defaults, named, give large pieces back at once (mallopt(3)); half of the center's memory
 * outside of its heap was such a rest.
 */
export const MALLOC_CHOICES: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_TRIM_THRESHOLD_: "131072",
};

/** A program of the city did not come up or ended by itself; the message says where its log is. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** One program of the city as a process of its own: told ready by a JSON line on its standard output. */
export interface Program<Ready> extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly ready: Ready;
  /** Settles when the process is gone. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

export interface ProgramOptions<Ready> {
  readonly name: string;
  /** Path of the source file, then its arguments. */
  readonly command: readonly string[];
  readonly logFile: string;
  readonly readyWithin: Millis;
  readonly parseReady: (line: unknown) => Ready;
  readonly clock: Clock;
  /** Ends a start that is under way. Afterwards it means nothing. */
  readonly signal?: AbortSignal;
}

/** Starts the program and waits until it says `{"event":"ready", …}`. @throws {ProgramError} or the signal's reason */
export async function startProgram<Ready>(options: ProgramOptions<Ready>): Promise<Program<Ready>> {
  const { name } = options;
  options.signal?.throwIfAborted();
  const child = spawnProgram(options);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });
  try {
    const ready = await readyOf(child, options, ended);
    return {
      name,
      pid: child.pid ?? 0,
      ready,
      ended,
      kill: (signal) => child.kill(signal),
      [Symbol.asyncDispose]: () => stop(child, ended, options.clock),
    };
  } catch (error) {
    await stop(child, ended, options.clock);
    throw error;
  }
}

function spawnProgram({ command, logFile }: ProgramOptions<unknown>): ChildProcess {
  // It writes its log itself: what it says while it ends must not hang on us.
  const log = openSync(logFile, "a", 0o600);
  try {
    // The channel says nothing; that it breaks tells the program that we are gone, however that came.
    // A group of its own: Ctrl-C reaches the city, which then stops its programs in order.
    return spawn(process.execPath, [...START_HEAP_FLAGS, ...command], {
      stdio: ["ignore", "pipe", log, "ipc"],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** Whether this is the command line of a program that a city started with something of this folder. */
export function isProgramIn(folder: string, commandLine: readonly string[]): boolean {
  return commandLine[1] === SEMI_SPACE_FLAG && commandLine.some((part) => part.startsWith(`${folder}/`));
}

async function readyOf<Ready>(
  child: ChildProcess,
  options: ProgramOptions<Ready>,
  ended: Promise<{ readonly code: number | null }>,
): Promise<Ready> {
  const { name, logFile, clock, readyWithin, parseReady, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const fail = (what: string): void => reject(new ProgramError(`${name} ${what}: its log is ${logFile}`));
  const cancel = clock.schedule(readyWithin, () => fail(`was not ready within ${readyWithin / 1_000} s`));
  void ended.then(({ code }) => fail(`ended with exit code ${code} before it was ready`));
  if (child.stdout === null) throw new ProgramError(`${name} has no output`);
  createInterface(child.stdout).on("line", (line) => {
    const message = parseLine(line);
    if (message?.event === "ready") {
      try {
        resolve(parseReady(message));
      } catch (cause) {
        reject(
          new ProgramError(`${name} said it is ready in a way that was not understood: ${line}`, { cause }),
        );
      }
    }
  });
  try {
    return await promise;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

function parseLine(line: string): { readonly event?: unknown } | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" ? parsed : null;
  } catch {
    return null;
  }
}

async function stop(child: ChildProcess, ended: Promise<unknown>, clock: Clock): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const cancel = clock.schedule(STOP_TIMEOUT, () => child.kill("SIGKILL"));
    await ended;
    cancel();
  }
}
