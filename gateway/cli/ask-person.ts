import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CliError } from "./cli-error.ts";
import type { Shell } from "./shell.ts";

/** One line from the terminal. @throws {CliError} `interrupted` at Ctrl-C, `usage` at the end of the input. */
export function askLine(question: string, shell: Shell): Promise<string> {
  return ask(
    question,
    shell,
    new Writable({ write: (chunk, _encoding, done) => done(shell.errors.write(String(chunk)) ?? null) }),
  );
}

/** One line that nobody can read on the screen. @throws {CliError} as {@link askLine} */
export async function askSecret(question: string, shell: Shell): Promise<string> {
  shell.errors.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await ask("", shell, nowhere);
  } finally {
    shell.errors.write("\n");
  }
}

function ask(question: string, shell: Shell, output: Writable): Promise<string> {
  return new Promise((resolve, reject) => {
    // As a terminal, readline itself echoes, and only to the output it was given.
    const lines = createInterface({ input: shell.input, output, terminal: true, historySize: 0 });
    const end = (error: CliError): void => {
      reject(error);
      lines.close();
    };
    lines.once("SIGINT", () => end(new CliError("interrupted", "ended by Ctrl-C: nothing was done")));
    lines.once("close", () =>
      reject(new CliError("usage", "the input ended without an answer: nothing was done")),
    );
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}
