import { buildConsole } from "./build-console.ts";

const sizes = await buildConsole();
for (const [name, bytes] of Object.entries(sizes).sort()) {
  process.stdout.write(`cloud-sync/console/dist/${name} ${(bytes / 1_024).toFixed(1)} KiB\n`);
}
