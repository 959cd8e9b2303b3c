import type { ExitName } from "./exit-codes.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Shell } from "./shell.ts";

/** What an action of a command is given. */
export interface Acting<Own> {
  readonly shell: Shell;
  readonly options: GlobalOptions & Own;
  /** The command's arguments in their order. */
  readonly args: readonly (string | undefined)[];
}

/** How an action ends: by name, or with the code of the program that it started. */
export type ActionEnd = ExitName | { readonly code: number };

/** Makes a commander action of a function of ours: hands it shell and options, and turns its end into the exit code. */
export type Act = <Own extends object = object>(
  action: (acting: Acting<Own>) => Promise<ActionEnd>,
) => (...given: readonly unknown[]) => Promise<void>;
