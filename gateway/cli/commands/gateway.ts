import type { Command } from "commander";
import type { Act, Acting, ActionEnd } from "../act.ts";
import { argumentsAfter } from "../arguments-after.ts";
import { CliError } from "../cli-error.ts";
import { PROGRAMS, runProgram } from "../run-program.ts";

interface ClaimOptions {
  readonly claim?: string;
}

export function addGateway(program: Command, act: Act): void {
  const gateway = program
    .command("gateway")
    .summary("start a gateway, check its site file, enrol it")
    .description("Start the gateway of a site, check its site file, or enrol it with the center.");
  gateway
    .command("run")
    .summary("start the gateway of a site, in the foreground")
    .description(
      "Starts the gateway of a site in the foreground, until Ctrl-C. Logs go to standard error as JSON lines.\nAll arguments go to the program: --in-process and --log LEVEL too.",
    )
    .option("--claim <claim>", "enrol with the center first; only needed once")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      "after",
      "\nExamples:\n  nerve gateway run --site site.yaml\n  nerve gateway run --site site.yaml --claim nerve-claim-1.eyJnYXRl… --log debug\n",
    )
    .action(act<ClaimOptions>(run));
  gateway
    .command("check")
    .summary("check a site file with its profiles; nothing is started")
    .description(
      "Checks a site file and the profiles it uses, and lists everything that is wrong with file:line:column.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  nerve gateway check --site site.yaml\n  nerve gateway check --site site.yaml --json | jq .problems\n",
    )
    .action(
      act(({ shell, options }) =>
        start(PROGRAMS.siteCheck, ["--site", siteOf(options), ...jsonOf(options)], shell),
      ),
    );
  gateway
    .command("enrol")
    .summary("turn a claim of the center into this gateway's identity")
    .description(
      "Makes the gateway's key here, and has the center sign it with the one-time claim. Nothing is started.",
    )
    .option("--claim <claim>", "the line that the center gave for this gateway")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve gateway enrol --site site.yaml --claim nerve-claim-1.eyJnYXRl…\n",
    )
    .action(
      act<ClaimOptions>(({ shell, options }) => {
        if (options.claim === undefined)
          throw new CliError(
            "usage",
            "which claim? give --claim CLAIM, the line that the center shows for this gateway",
          );
        const args = ["--site", siteOf(options), "--claim", options.claim, ...jsonOf(options)];
        return start(PROGRAMS.enrol, args, shell);
      }),
    );
}

async function run({ shell, options }: Acting<ClaimOptions>): Promise<ActionEnd> {
  const own = argumentsAfter(shell.args, ["gateway", "run"]);
  const isNamed = own.some((arg) => arg === "--site" || arg.startsWith("--site="));
  return await start(PROGRAMS.gateway, isNamed ? own : ["--site", siteOf(options), ...own], shell);
}

async function start(
  program: string,
  args: readonly string[],
  shell: Acting<object>["shell"],
): Promise<ActionEnd> {
  return { code: await runProgram(program, args, shell) };
}

function siteOf({ site }: { readonly site?: string }): string {
  if (site === undefined) throw new CliError("usage", "which site? give --site FILE");
  return site;
}

function jsonOf({ json }: { readonly json?: true }): readonly string[] {
  return json ? ["--json"] : [];
}
