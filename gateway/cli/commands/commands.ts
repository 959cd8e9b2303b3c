import type { Command } from "commander";
import type { Act } from "../act.ts";
import { CliError } from "../cli-error.ts";
import { exitOf } from "../exit-codes.ts";
import { formatCommands, formatOutcome } from "../format-command.ts";
import { palette } from "../paint.ts";

const LIMIT_MAX = 1_000;

export function addCommands(program: Command, act: Act): void {
  program
    .command("commands")
    .summary("the latest commands and how they ended")
    .description(
      "The latest commands, whoever gave them, newest first; or one with its evidence (the exit code tells its end).",
    )
    .argument("[command]", "id of a command")
    .option("--limit <n>", "how many, 1 to 1000", "20")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve commands --limit 5\n  nerve commands 0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n",
    )
    .action(
      act<{ readonly limit: string }>(async ({ shell, options, args }) => {
        const limit = parseLimit(options.limit);
        const { askGateway } = await import("../ask-gateway.ts");
        const [id] = args;
        const colours = palette(shell.colour);
        if (id !== undefined) {
          const command = await askGateway(options, shell, (client) => client.findCommand(id));
          shell.output.write(options.json ? `${JSON.stringify(command)}\n` : formatOutcome(command, colours));
          return exitOf(command.state);
        }
        const answer = await askGateway(options, shell, (client) => client.commands(limit));
        shell.output.write(
          options.json ? `${JSON.stringify(answer)}\n` : formatCommands(answer.commands, colours),
        );
        return "ok";
      }),
    );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new CliError(
    "usage",
    `--limit takes a whole number from 1 to ${LIMIT_MAX}, not ${JSON.stringify(text)}`,
  );
}
