import type { Readable } from "node:stream";
import type { RandomSource } from "../../domain/random.ts";
import type { Clock } from "../../domain/time.ts";

/** What surrounds one run of `nerve`; `main.ts` takes it from the process. */
export interface Shell {
  /** Without node and the script. */
  readonly args: readonly string[];
  /** Environment variable `NERVE_DATA`: the data folder of the gateway to talk to. */
  readonly dataVariable: string | undefined;
  readonly workingFolder: string;
  readonly userName: string;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: TextSink;
  readonly errors: TextSink;
  /** Colour on {@link output}: a terminal, and `NO_COLOR` is not set (no-color.org). */
  readonly colour: "on" | "off";
  /** Whether Ctrl-C is pressed where a child process hears it too. */
  readonly terminal: "shared" | "none";
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Aborts at Ctrl-C and SIGTERM; whoever waits for long tells what goes on without it. */
  readonly interrupted: AbortSignal;
}

export interface TextSink {
  write(text: string): void;
}
