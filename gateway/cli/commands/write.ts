import type { Command } from "commander";
import { Millis, parseDuration } from "../../../domain/time.ts";
import type { PointAnswer } from "../../local-api/client/answers.ts";
import type { Act, Acting } from "../act.ts";
import { CliError } from "../cli-error.ts";
import { type ExitName, exitOf } from "../exit-codes.ts";
import { formatOutcome } from "../format-command.ts";
import { formatValue } from "../format-value.ts";
import { palette } from "../paint.ts";
import { parseArguments, parseValue } from "../parse-value.ts";

/** The gateway waits for the read-back this long past the deadline. */
const READ_BACK_WAIT_MS = 60_000;
const DEADLINE_MAX_MS = 60_000;

interface WriteOptions {
  readonly deadline: string;
  readonly yes?: true;
}

export function addWrite(program: Command, act: Act): void {
  program
    .command("write")
    .summary("command a point, and wait for the proof")
    .description(
      "Commands one point to one value and waits for its end. The gateway admits it like any other command: range, lock-out,\ninterlock, audit and read-back hold for everyone. Classes K2 and K3 (what can hurt somebody) are asked back.",
    )
    .argument("<device>", "id of a device")
    .argument("<point>", "name of a point")
    .argument("<value>", "40, 40%, on, off, true, false or text, as the point takes it; run for an action")
    .argument("[arguments...]", "of an action: name=value for each")
    .option("--deadline <duration>", "later than this nothing moves, 1 ms to 60 s", "5s")
    .option("--yes", "do not ask back")
    .addHelpText(
      "after",
      "\nExamples:\n  nerve write lamp-0042 dim-level 40%\n  nerve write bollard-3 raise on --deadline 2s --yes\n  nerve write junction-7 set-functional-position run position=yellow-flash timeout=30\n  nerve write lamp-0042 dim-level 40 --json | jq .state.name\n",
    )
    .action(act<WriteOptions>(write));
}

async function write({ shell, options, args }: Acting<WriteOptions>): Promise<ExitName> {
  const [device = "", point = "", text = ""] = args;
  const written = argumentTexts(args[3]);
  const deadlineMs = parseDeadline(options.deadline);
  const { askGateway } = await import("../ask-gateway.ts");
  const known = await askGateway(options, shell, (client) => client.point({ device, point }));
  const value = parseValue(text, known);
  const given = parseArguments(written, known);
  const shown = known.type === "action" ? ["run", ...written].join(" ") : formatValue(value, known.unit);
  await askBack(known, shown, { shell, options });
  const { newCommandId } = await import("../../local-api/client/command-id.ts");
  const commandId = newCommandId(shell.clock.now(), shell.random);
  const order = { name: shell.userName, commandId, device, point, value, args: given, deadlineMs };
  const wait = Millis(deadlineMs + READ_BACK_WAIT_MS);
  const answer = await askGateway(options, shell, (client) => client.command(order, wait)).catch(
    (error: unknown) => {
      throw unknownOutcome(error, commandId);
    },
  );
  const end = options.json ? `${JSON.stringify(answer)}\n` : formatOutcome(answer, palette(shell.colour));
  shell.output.write(end);
  return exitOf(answer.state);
}

/** Commander gives what is variadic as a list. */
function argumentTexts(rest: unknown): readonly string[] {
  return Array.isArray(rest) ? rest.map(String) : [];
}

function parseDeadline(text: string): number {
  try {
    const deadline = Math.round(parseDuration(text));
    if (deadline >= 1 && deadline <= DEADLINE_MAX_MS) return deadline;
  } catch {
    // The message below says it for both.
  }
  throw new CliError(
    "usage",
    `--deadline takes 1 ms to 60 s, not ${JSON.stringify(text)}: write e.g. --deadline 5s`,
  );
}

/** Only what can hurt somebody; a person who can not be asked must have said --yes. */
async function askBack(
  point: PointAnswer,
  value: string,
  { shell, options }: Pick<Acting<WriteOptions>, "shell" | "options">,
): Promise<void> {
  const { pointId, commandClass } = point;
  if (options.yes || (commandClass !== "K2" && commandClass !== "K3")) return;
  if (shell.terminal === "none")
    throw new CliError(
      "usage",
      `${pointId} is of class ${commandClass} and nobody can be asked back: add --yes if it is meant`,
    );
  const { askLine } = await import("../ask-person.ts");
  const answer = await askLine(
    `${pointId} is of class ${commandClass}: bring it to ${value}? Write yes: `,
    shell,
  );
  if (answer.trim().toLowerCase() !== "yes")
    throw new CliError("usage", "nothing was sent: write yes, or add --yes");
}

/** Once the order may have left us, no answer is no proof that nothing moved. */
function unknownOutcome(error: unknown, commandId: string): unknown {
  if (!(error instanceof CliError) || (error.exit !== "no-answer" && error.exit !== "interrupted"))
    return error;
  const exit = error.exit === "interrupted" ? "interrupted" : "outcome-unknown";
  return new CliError(
    exit,
    `command ${commandId} may have been carried out: ${error.message}\n  ask what became of it: nerve commands ${commandId}`,
    { cause: error },
  );
}
