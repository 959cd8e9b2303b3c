/** Writes the SHA-256 of new migrations into their `hashes.json`. What has landed is never changed by it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { landMigrations } from "./tidy/landed.ts";
import { readProject } from "./tidy/project-file.ts";

const root = join(import.meta.dirname, "..");
for (const { path, text } of landMigrations(readProject(root))) {
  writeFileSync(join(root, path), text);
  process.stdout.write(`${path}\n`);
}
