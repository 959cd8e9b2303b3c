import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProgramError } from "./program.ts";

/**
 * Makes the city's folder and holds it for this process alone: a second city with `--fresh` would empty the stores
 * below the first. The lock of a city that was killed counts for nothing. @throws {ProgramError}
 */
export async function holdFolder(folder: string): Promise<AsyncDisposable> {
  // Others may enter but find nothing to read: as root, PostgreSQL runs as another user and must reach its data.
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const file = join(folder, LOCK_FILE);
  const holder = await holderOf(file);
  if (holder !== undefined) {
    throw new ProgramError(
      `${folder} belongs to the city that runs as process ${holder}: end that one first, or give this one another --folder`,
    );
  }
  await rm(file, { force: true });
  await writeFile(file, `${process.pid}\n`, { flag: "wx" });
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

export const LOCK_FILE = "city.pid";

/** A number that another program has by now is no city. */
async function holderOf(file: string): Promise<number | undefined> {
  const pid = Number(await readFile(file, "utf8").catch(() => ""));
  if (!(pid > 0) || pid === process.pid) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.includes("city") ? pid : undefined;
}
