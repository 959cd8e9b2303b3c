import type { Command } from "commander";
import type { Act } from "../act.ts";
import { argumentsAfter } from "../arguments-after.ts";
import { PROGRAMS, runProgram } from "../run-program.ts";

export function addCity(program: Command, act: Act): void {
  program
    .command("city")
    .summary("the whole city on this machine, with simulated devices")
    .description(
      "Starts center, gateways and simulated devices on this machine, as `npm start` does, until Ctrl-C.\nAll arguments go to the program, which checks them.",
    )
    .argument("[arguments...]", "arguments of the city, e.g. --check")
    .allowUnknownOption()
    .addHelpText("after", "\nExamples:\n  nerve city\n  nerve city --check --json\n")
    .action(
      act(async ({ shell }) => ({
        code: await runProgram(PROGRAMS.city, argumentsAfter(shell.args, ["city"]), shell),
      })),
    );
}
