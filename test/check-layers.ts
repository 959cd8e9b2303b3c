/** `npm run check:layers`: every breach of DESIGN §3, with its remedy. */
import { join } from "node:path";
import { cruiseLayers } from "./layers.ts";

const report = cruiseLayers(join(import.meta.dirname, ".."));
const lines = [
  ...report.breaches.map(({ rule, from, to, remedy }) => `${rule}: ${from} → ${to}\n  ${remedy}`),
  ...report.unseen.map(
    (file) => `unseen: ${file}\n  dependency-cruiser did not look at it: check its version and typescript's`,
  ),
];
for (const line of lines) process.stdout.write(`${line}\n`);
process.stdout.write(`${report.seen} modules, ${lines.length} layer findings\n`);
if (lines.length > 0 || report.seen === 0) process.exitCode = 1;
