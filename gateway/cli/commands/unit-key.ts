import type { Command } from "commander";
import type { Act, Acting, ActionEnd } from "../act.ts";
import { CliError } from "../cli-error.ts";
import { PROGRAMS, runProgram } from "../run-program.ts";

interface UnitKeyOptions {
  readonly replace?: true;
}

export function addUnitKey(program: Command, act: Act): void {
  program
    .command("unit-key")
    .summary("give a door unit a key of its own, on site")
    .description(
      "Gives an OSDP unit a key of its own, made by chance, and writes it into the key file of its bus (security.keyFile\nin the site file). The key is never shown. A unit in install mode has the key that everybody knows, and the gateway\nrefuses to talk to it. The gateway has to be stopped meanwhile: the line is needed.",
    )
    .argument("<bus>", "id of the bus in the site file")
    .argument("<unit>", "address of the unit on it, 0 to 126")
    .option("--replace", "the unit has a key of its own already: change it for a new one")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve unit-key doors-1 3 --site site.yaml\n  nerve unit-key doors-1 3 --site site.yaml --replace\n",
    )
    .action(act<UnitKeyOptions>(unitKey));
}

async function unitKey({ shell, options, args }: Acting<UnitKeyOptions>): Promise<ActionEnd> {
  const { site, replace, json } = options;
  if (site === undefined) throw new CliError("usage", "which site? give --site FILE");
  const [bus = "", unit = ""] = args;
  const flags = [...(replace ? ["--replace"] : []), ...(json ? ["--json"] : [])];
  return { code: await runProgram(PROGRAMS.unitKey, [bus, unit, "--site", site, ...flags], shell) };
}
