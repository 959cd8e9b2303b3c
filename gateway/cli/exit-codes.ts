import type { CommandState } from "../../domain/command.ts";
import { unreachable } from "../../domain/unreachable.ts";

/** Every way `nerve` ends; told by `nerve --help` and docs/cli.md. */
export const EXIT_CODES = {
  ok: { code: 0, means: "done as asked" },
  fault: { code: 1, means: "the device or the gateway did not do it: a fault, or a command that failed" },
  usage: { code: 2, means: "wrong arguments, or a site file that can not be used" },
  "not-running": { code: 3, means: "no gateway is running there, or this user may not use it" },
  rejected: { code: 4, means: "refused, and nothing was touched: rejected, expired, cancelled, superseded" },
  "outcome-unknown": { code: 5, means: "asked, but what the device did can not be known: go and look" },
  "not-over": { code: 6, means: "the command is still being carried out: ask again" },
  "no-answer": { code: 7, means: "the gateway runs, but gave no usable answer in time" },
  "store-failing": {
    code: 8,
    means: "the gateway runs, but its store takes no writes: commands are refused, see its status",
  },
  "wrong-node": { code: 78, means: "the wrong Node.js, and the project's own is missing" },
  interrupted: { code: 130, means: "ended by Ctrl-C" },
} as const;
export type ExitName = keyof typeof EXIT_CODES;

/** The end of a command as the exit of the program. */
export function exitOf(state: CommandState): ExitName {
  switch (state.name) {
    case "succeeded":
      return "ok";
    case "failed":
      return "fault";
    case "rejected":
    case "expired":
    case "cancelled":
    case "superseded":
      return "rejected";
    case "outcome-unknown":
      return "outcome-unknown";
    case "draft":
    case "awaiting-approval":
    case "authorized":
    case "queued":
    case "sent":
    case "outcome-pending":
    case "selected":
    case "executing":
      return "not-over";
    default:
      return unreachable(state);
  }
}

/** The table as `--help` shows it. */
export function formatExitCodes(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`);
  return `Exit codes:\n${rows.join("\n")}`;
}
