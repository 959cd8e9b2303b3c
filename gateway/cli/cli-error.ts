import type { ExitName } from "./exit-codes.ts";

/** What ends a command before its work is done; the message ends in what to do. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: ExitName;
  constructor(exit: ExitName, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.exit = exit;
  }
}
