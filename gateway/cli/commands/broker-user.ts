import type { Command } from "commander";
import type { Act, Acting } from "../act.ts";
import { CliError } from "../cli-error.ts";
import type { ExitName } from "../exit-codes.ts";
import { askProgram, PROGRAMS } from "../run-program.ts";
import type { Shell } from "../shell.ts";

const PASSWORD_MIN_CHARACTERS = 8;
const PASSWORD_MAX_BYTES = 256;

interface BrokerUserOptions {
  readonly role: string;
  readonly passwordStdin?: true;
}

export function addBrokerUser(program: Command, act: Act): void {
  program
    .command("broker-user")
    .summary("make a line for the broker's password file")
    .description(
      "Makes the line of one MQTT user for the broker's password file (broker.passwordFile in the site file).\nThe password is asked on the terminal, or read from standard input; it is never an argument.",
    )
    .argument("<name>", "user name: lower-case words joined by hyphens")
    .requiredOption("--role <role>", "reader: sees twins and verdicts; operator: may give orders too")
    .option("--password-stdin", "read the password from standard input, one line")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve broker-user panel --role operator >> mqtt-users\n  pass show nerve/panel | nerve broker-user panel --role reader --password-stdin\n",
    )
    .action(act<BrokerUserOptions>(brokerUser));
}

async function brokerUser({ shell, options, args }: Acting<BrokerUserOptions>): Promise<ExitName> {
  const [name = ""] = args;
  const { role } = options;
  if (role !== "reader" && role !== "operator")
    throw new CliError("usage", `--role takes reader or operator, not ${JSON.stringify(role)}`);
  const password = options.passwordStdin ? await readPassword(shell) : await askPassword(shell);
  const { code, output, errors } = await askProgram(PROGRAMS.brokerUser, [name, role], password);
  if (code !== 0) throw new CliError("usage", errors.trim());
  const line = output.trim();
  shell.output.write(options.json ? `${JSON.stringify({ name, role, line })}\n` : `${line}\n`);
  return "ok";
}

async function askPassword(shell: Shell): Promise<string> {
  if (shell.terminal === "none")
    throw new CliError("usage", "there is no terminal to ask the password on: give it with --password-stdin");
  const { askSecret } = await import("../ask-person.ts");
  const password = checked(await askSecret("Password: ", shell));
  const again = await askSecret("Again: ", shell);
  if (again !== password) throw new CliError("usage", "the two are not the same: run it again");
  return password;
}

async function readPassword(shell: Shell): Promise<string> {
  let text = "";
  for await (const chunk of shell.input) {
    text += String(chunk);
    if (text.length > 2 * PASSWORD_MAX_BYTES) break;
  }
  return checked(text.replace(/\r?\n$/, ""));
}

function checked(password: string): string {
  const isLong = [...password].length >= PASSWORD_MIN_CHARACTERS;
  const isSafe = Buffer.byteLength(password) <= PASSWORD_MAX_BYTES && !/[\r\n\0]/.test(password);
  if (isLong && isSafe) return password;
  throw new CliError(
    "usage",
    `a password has ${PASSWORD_MIN_CHARACTERS} characters or more, at most ${PASSWORD_MAX_BYTES} bytes, on one line: choose another`,
  );
}
