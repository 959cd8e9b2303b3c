import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseDuration, Seconds } from "../../domain/time.ts";
import type { Act, ActionEnd } from "./act.ts";
import { CliError } from "./cli-error.ts";
import { EXIT_CODES, formatExitCodes } from "./exit-codes.ts";
import { processShell } from "./main.ts";
import type { Shell } from "./shell.ts";

/** Each command is loaded when it is named, all of them for help: start time is felt at a cabinet. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command, act: Act) => void>>> = {
  status: async () => (await import("./commands/status.ts")).addStatus,
  buses: async () => (await import("./commands/buses.ts")).addBuses,
  devices: async () => (await import("./commands/devices.ts")).addDevices,
  read: async () => (await import("./commands/read.ts")).addRead,
  write: async () => (await import("./commands/write.ts")).addWrite,
  commands: async () => (await import("./commands/commands.ts")).addCommands,
  gateway: async () => (await import("./commands/gateway.ts")).addGateway,
  profile: async () => (await import("./commands/profile.ts")).addProfile,
  "broker-user": async () => (await import("./commands/broker-user.ts")).addBrokerUser,
  "unit-key": async () => (await import("./commands/unit-key.ts")).addUnitKey,
  center: async () => (await import("./commands/center.ts")).addCenter,
  city: async () => (await import("./commands/city.ts")).addCity,
};

const ABOUT = `Nerve, the gateway of a street cabinet: see, read and command its devices; start its programs.

It talks to the gateway on this machine over its unix socket, with or without a network. Which gateway: --data-folder,
--site, the variable NERVE_DATA, ./data, else the only one under .nerve/gateways.`;
const EXAMPLES = `
Examples:
  nerve gateway run --site site.yaml      start the gateway of a site
  nerve status                            how it does
  nerve buses                             its lines: who costs what, who is silent, what to do
  nerve devices lamp-0042                 every point of a device, with quality and age
  nerve read lamp-0042 actual-level       ask the device now
  nerve write lamp-0042 dim-level 40%     command it, and wait for the proof

${formatExitCodes()}
`;

/** Runs `nerve` with the arguments of the process; sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const shell = processShell(argv);
  process.exitCode = await runCli(shell);
}

/** One run of `nerve`. Resolves with the exit code. */
async function runCli(shell: Shell): Promise<number> {
  const run: { end: ActionEnd } = { end: shell.args.length === 0 ? "usage" : "ok" };
  const act: Act =
    (action) =>
    async (...given) => {
      const command = given.at(-1);
      if (!(command instanceof Command)) throw new Error("commander hands the command over last");
      run.end = await action({ shell, options: command.optsWithGlobals(), args: command.processedArgs });
    };
  try {
    const program = await buildProgram(shell, act);
    if (shell.args.length === 0) program.outputHelp({ error: true });
    else await program.parseAsync([...shell.args], { from: "user" });
    return typeof run.end === "string" ? EXIT_CODES[run.end].code : run.end.code;
  } catch (error) {
    return failed(error, shell);
  }
}

async function buildProgram(shell: Shell, act: Act): Promise<Command> {
  const program = new Command("nerve")
    .description(ABOUT)
    .addHelpText("after", EXAMPLES)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => shell.output.write(text),
      writeErr: (text) => shell.errors.write(text),
    })
    .exitOverride()
    .showHelpAfterError("Every command tells its arguments with --help.")
    .option("--json", "answers as JSON, errors too")
    .option("--data-folder <dir>", "data folder of the gateway to talk to")
    .option("--site <file>", "site file: of the gateway to talk to, or to start")
    .addOption(
      new Option("--timeout <duration>", "longest wait for an answer of the gateway, e.g. 2s")
        .default(Seconds(10), "10 s")
        .argParser(parseTimeout),
    );
  const named = Object.keys(COMMANDS).filter((name) => shell.args.includes(name));
  for (const name of named.length > 0 ? named : Object.keys(COMMANDS))
    (await COMMANDS[name]?.())?.(program, act);
  return program;
}

function parseTimeout(text: string) {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "not a duration");
  }
}

/** Tells the error where its reader looks for it, and gives the exit code. */
function failed(error: unknown, shell: Shell): number {
  // Commander has written its own message already, or the help that was asked for.
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
  const exit = error instanceof CliError ? error.exit : "fault";
  const message = error instanceof CliError ? error.message : `nerve itself failed: ${stackOf(error)}`;
  if (shell.args.includes("--json"))
    shell.errors.write(`${JSON.stringify({ error: { code: exit, message } })}\n`);
  else shell.errors.write(`${message}\n`);
  return EXIT_CODES[exit].code;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
