import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import {
  areBundlesFresh,
  ENTRIES,
  INPUTS_NAME,
  LOCK_OF_PACKAGES,
  ROOT,
} from "../../city/bundle/built-programs.ts";
import { bundlePrograms } from "../../city/bundle/bundle-programs.ts";

t.test("a bundled program is its source", async (t) => {
  const folder = t.testdir({});
  const later = await bundlePrograms(folder);
  t.ok(
    later.some((path) => path.includes("opcua-driver")),
    "drivers stay apart until a site uses them",
  );

  for (const name of ["gateway", "center", "simulators"] as const) {
    const [bundle, source] = [join(folder, `${name}.js`), join(ROOT, ENTRIES[name])].map((path) =>
      spawnSync(process.execPath, [path, "--help"], { encoding: "utf8" }),
    );
    t.equal(bundle?.status, 0, `${name}: ${bundle?.stderr}`);
    t.ok(
      bundle?.stdout.includes("--help") || bundle?.stdout.includes("Exit codes"),
      `${name} says how it is used`,
    );
    t.equal(bundle?.stdout, source?.stdout);
  }

  const text =
    readFileSync(join(folder, "field-host.js"), "utf8") + readFileSync(join(folder, "gateway.js"), "utf8");
  t.match(text, 'new URL("./telemetry-worker.js", import.meta.url)', "a thread is the bundle's");
  t.match(text, 'new URL("./field-host.js", import.meta.url)', "and so is a field host");
  t.notMatch(text, ROOT, "no path of the machine on which it was built");
});

t.test("bundles of other sources than those that stand there count for nothing", async (t) => {
  const folder = t.testdir({});
  await bundlePrograms(folder);
  t.ok(areBundlesFresh(folder));

  const file = join(folder, INPUTS_NAME);
  const inputs: Record<string, string> = JSON.parse(readFileSync(file, "utf8"));
  t.ok(inputs["gateway/main.ts"], "our sources are among them");
  for (const path of ["drivers/registry.ts", LOCK_OF_PACKAGES]) {
    writeFileSync(file, JSON.stringify({ ...inputs, [path]: "1 1" }));
    t.notOk(areBundlesFresh(folder), `${path} was changed`);
  }
  writeFileSync(file, JSON.stringify({ ...inputs, "gateway/removed.ts": "1 1" }));
  t.notOk(areBundlesFresh(folder), "a source was removed");
  t.notOk(areBundlesFresh(join(folder, "nowhere")), "nothing was built");
});
