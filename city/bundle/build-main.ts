import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { HOST_HEAP_FLAGS, START_HEAP_FLAGS } from "../../domain/system/heap.ts";
import { areBundlesFresh, BUNDLES, ENTRIES, ROOT } from "./built-programs.ts";
import { bundlePrograms } from "./bundle-programs.ts";

/**
 * Run by `npm run build`, as `node --import ./node-version.js`: bundles the programs of the city and loads each once, so that Node
 * keeps what it compiled and the first start finds it. Nothing depends on it: without bundles the sources run. Bundles
 * that are as they should be stay untouched: a city may be running from them.
 */

if (!areBundlesFresh()) await loadOnce(await bundlePrograms());
process.stdout.write(`city/bundle/dist: ${Object.keys(ENTRIES).join(", ")}\n`);

async function loadOnce(later: readonly string[]): Promise<void> {
  const imports = later.map((path) => `await import(${JSON.stringify(path)});`);
  const loadLater = ["--input-type=module", "--eval", imports.join("")];
  const runs = [
    [join(BUNDLES, "gateway.js"), "--help"],
    [join(BUNDLES, "center.js"), "--help"],
    [join(BUNDLES, "simulators.js"), "--help"],
    [join(ROOT, "city/main.ts"), "--help"],
    loadLater,
  ];
  for (const run of runs)
    await once(spawn(process.execPath, [...START_HEAP_FLAGS, ...run], { stdio: "ignore" }), "exit");
  // What Node keeps it keeps by the flags of V8, and a field host has others.
  await once(spawn(process.execPath, [...HOST_HEAP_FLAGS, ...loadLater], { stdio: "ignore" }), "exit");
  const host = fork(join(BUNDLES, "field-host.js"), { execArgv: [...HOST_HEAP_FLAGS] });
  host.send({ kind: "stop" });
  await once(host, "exit");
}
