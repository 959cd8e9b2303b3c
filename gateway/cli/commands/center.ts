import type { Command } from "commander";
import type { Act } from "../act.ts";
import { argumentsAfter } from "../arguments-after.ts";
import { PROGRAMS, runProgram } from "../run-program.ts";

export function addCenter(program: Command, act: Act): void {
  program
    .command("center")
    .summary("start the center")
    .description("Start the center that gateways sync with.")
    .command("run")
    .summary("start the center, in the foreground")
    .description(
      "Starts the center in the foreground, until Ctrl-C. All arguments go to the program, which checks them.",
    )
    .argument("[arguments...]", "arguments of the center, e.g. --data DIR")
    .allowUnknownOption()
    .addHelpText("after", "\nExamples:\n  nerve center run --data /var/lib/nerve-center\n")
    .action(
      act(async ({ shell }) => ({
        code: await runProgram(PROGRAMS.center, argumentsAfter(shell.args, ["center", "run"]), shell),
      })),
    );
}
