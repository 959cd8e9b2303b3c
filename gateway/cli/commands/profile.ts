import type { Command } from "commander";
import type { Act, Acting, ActionEnd } from "../act.ts";
import { argumentsAfter } from "../arguments-after.ts";
import { PROGRAMS, runProgram } from "../run-program.ts";

const VERBS = [
  {
    verb: "check <file>",
    summary: "check one profile, and warn of the traps it may walk into",
    description:
      "Checks a profile by itself and lists everything that is wrong with file:line:column, what was expected and how to\nmend it. Warnings name traps that were met with real devices; they do not change the exit code.",
    example: "nerve profile check my-profiles/acme-lc10.yaml",
  },
  {
    verb: "list",
    summary: "the device models there are",
    description: "Lists the profiles that Nerve brings, and those in --folder.",
    example: "nerve profile list --folder my-profiles",
  },
  {
    verb: "show <id>",
    summary: "the points of a device model, with units and sources",
    description:
      "Shows the points of a profile with type, unit, range and the place in the manual that each comes from.",
    example: "nerve profile show eastron-sdm630",
  },
] as const;

export function addProfile(program: Command, act: Act): void {
  const profile = program
    .command("profile")
    .summary("check, list and show device models")
    .description("Device models: one YAML file each. docs/adding-a-device.md tells how to write one.");
  for (const { verb, summary, description, example } of VERBS) {
    profile
      .command(verb)
      .summary(summary)
      .description(description)
      .option("--folder <dir...>", "also look for profiles here")
      .addHelpText("after", `\nExamples:\n  ${example}\n  ${example} --json\n`)
      .action(act(run));
  }
}

/** The program reads its own arguments: what commander understood is the same. */
async function run({ shell }: Acting<object>): Promise<ActionEnd> {
  const verb =
    VERBS.map((each) => each.verb.split(" ")[0] ?? "").find((name) => shell.args.includes(name)) ?? "";
  const own = argumentsAfter(shell.args, ["profile", verb]);
  const json = shell.args.includes("--json") && !own.includes("--json") ? ["--json"] : [];
  return { code: await runProgram(PROGRAMS.profile, [verb, ...own, ...json], shell) };
}
