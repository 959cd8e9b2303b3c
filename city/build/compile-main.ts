import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { HOST_HEAP_FLAGS, START_HEAP_FLAGS } from "../../domain/system/heap.ts";

/**
 * Run by `npm run build`, as `node --import ./node-version.js`: each program of the city is loaded once, so that Node
 * keeps what it made of the sources and the first start finds it. Nothing depends on it: what is missing is made at a start.
 */

const ROOT = join(import.meta.dirname, "../..");
/** Loaded by no program before it has work. */
const LOADED_LATER = [
  "gateway/store/writing/telemetry-worker.ts",
  "simulators/opcua/traffic-controllers.ts",
  "drivers/opcua/opcua-bus.ts",
  "drivers/opcua/opcua-connection.ts",
];

const imports = LOADED_LATER.map((path) => `await import(${JSON.stringify(join(ROOT, path))});`);
const drivers = `const { DRIVER_NAMES, loadDriver } = await import(${JSON.stringify(join(ROOT, "drivers/registry.ts"))});`;
const later = `${imports.join("")} ${drivers} for (const name of DRIVER_NAMES) await loadDriver(name);`;
const runs = [
  ["gateway/main.ts", "--help"],
  ["cloud-sync/main.ts", "--help"],
  ["simulators/main.ts", "--help"],
  ["city/main.ts", "--help"],
].map(([path = "", argument = ""]) => [join(ROOT, path), argument]);
for (const run of [...runs, ["--input-type=module", "--eval", later]])
  await once(spawn(process.execPath, [...START_HEAP_FLAGS, ...run], { stdio: "ignore" }), "exit");
const host = fork(join(ROOT, "gateway/field/host/field-host-main.ts"), { execArgv: [...HOST_HEAP_FLAGS] });
host.send({ kind: "stop" });
await once(host, "exit");
