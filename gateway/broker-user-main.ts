import "../node-version.js";
import { text } from "node:stream/consumers";
import { systemRandom } from "../domain/system-random.ts";
import { passwordLine } from "./broker/password-file.ts";

process.exitCode = await main(process.argv.slice(2));

/** Prints the password file's line for a user; the password comes on standard input. Use: nerve broker-user NAME --role ROLE */
async function main([name, role]: readonly string[]): Promise<number> {
  if (name === undefined || (role !== "reader" && role !== "operator")) {
    process.stderr.write("give a name and a role, reader or operator: nerve broker-user NAME --role ROLE\n");
    return 2;
  }
  const password = await text(process.stdin);
  try {
    process.stdout.write(`${await passwordLine({ name, role }, password, systemRandom)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}: choose another name\n`);
    return 2;
  }
}
