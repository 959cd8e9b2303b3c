import { createHash } from "node:crypto";
import { join } from "node:path";
import t from "tap";
import { findBannedCalls } from "./tidy/banned-calls.ts";
import { findPointsWithoutSource, findUnprovenDrivers } from "./tidy/devices.ts";
import { findDecisionFaults, findMigrationFaults, landMigrations } from "./tidy/landed.ts";
import { type Finding, type ProjectFile, readProject, type TidyCheck } from "./tidy/project-file.ts";
import {
  findBooleanParameters,
  findDeepImports,
  findFullFolders,
  findLongFiles,
  findNamelessFiles,
} from "./tidy/shape.ts";
import {
  findDebtWithoutIssue,
  findHiddenTests,
  findLeaningSimulators,
  findSwitchedOffChecks,
  machinePathCheck,
} from "./tidy/words.ts";

const ROOT = join(import.meta.dirname, "..");
const findMachinePaths = machinePathCheck("/srv/checkouts/nerve");

interface PlantedCase {
  readonly name: string;
  readonly check: TidyCheck;
  /** Path and text of each planted file. */
  readonly bad: Readonly<Record<string, string>>;
  /** Where the findings must be, in order; nothing else may be found. */
  readonly at: readonly string[];
  /** What must not be found. */
  readonly good: Readonly<Record<string, string>>;
}

const DECISION = [
  "# 1. One request a bus",
  "Status: accepted · Date: 2026-11-23",
  "## Decision",
  "## Forces",
  "## What it is not",
  "## Consequences",
  "## Rejected",
].join("\n");
const SQL = "CREATE TABLE reading (id INTEGER) STRICT;\n";
const SQL_HASH = createHash("sha256").update(SQL).digest("hex");
const DRIVER_LINE = 'const D = { x: () => import("./x/x-driver.ts").then((module) => module.xDriver) };';
const lines = (count: number): string => "const line = 1;\n".repeat(count);
const folder = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`domain/part-${index}.ts`, ""]));

const CASES: readonly PlantedCase[] = [
  {
    name: "time, chance and exit come from outside",
    check: findBannedCalls,
    bad: {
      "gateway/a.ts":
        "const t = Date.now();\nconst d = new Date();\nrun({ now: Date.now });\nprocess.hrtime.bigint();",
      "drivers/b.ts":
        "setTimeout(run, 5);\nglobalThis.setInterval(run, 5);\nMath.random();\nprocess.exit(1);",
      "cloud-sync/c.ts":
        'import { setTimeout as wait } from "node:timers/promises";\nAbortSignal.timeout(5);',
    },
    at: [
      ...["gateway/a.ts:1", "gateway/a.ts:2", "gateway/a.ts:3", "gateway/a.ts:4"],
      ...["drivers/b.ts:1", "drivers/b.ts:2", "drivers/b.ts:3", "drivers/b.ts:4"],
      ...["cloud-sync/c.ts:2", "cloud-sync/c.ts:1"],
    ],
    good: {
      "domain/system-clock.ts": "export const now = () => Date.now();",
      "gateway/d.ts":
        '// Date.now() jumps\nconst text = "Math.random()";\nclock.setTimeout(1);\nnew Date(instant);',
      "gateway/main.ts": "process.exit(2);",
      "test/e.ts": "setTimeout(run, 5);",
    },
  },
  {
    name: "a file is at most 300 lines, a test 400",
    check: findLongFiles,
    bad: { "domain/long.ts": lines(301), "test/long.test.ts": lines(401) },
    at: ["domain/long.ts", "test/long.test.ts"],
    good: { "domain/fits.ts": lines(300), "test/fits.test.ts": lines(400), "docs/long.md": lines(900) },
  },
  {
    name: "a folder holds at most 20 files",
    check: findFullFolders,
    bad: folder(21),
    at: ["domain"],
    good: folder(20),
  },
  {
    name: "an import climbs at most two folders, in tests three",
    check: findDeepImports,
    bad: {
      "a/b.ts": "",
      "domain/x/y/z.ts": 'import "../../../a.ts";',
      "test/x.ts": 'import("../../../../a.ts");',
    },
    at: ["domain/x/y/z.ts:1", "test/x.ts:1"],
    good: {
      "domain/x/y.ts": 'import "../../a.ts";',
      "gateway/a/b/c.ts": 'import "../../../domain/ids.ts";\nimport "../../../drivers/driver.ts";',
      "test/a/b/c.ts": 'import "../../../a.ts";',
    },
  },
  {
    name: "a file is named for what it exports",
    check: findNamelessFiles,
    bad: {
      "domain/utils.ts": "",
      "gateway/store/index.ts": "",
      "drivers/modbus-helpers.ts": "",
      "test/common/a.ts": "",
    },
    at: ["domain/utils.ts", "gateway/store/index.ts", "drivers/modbus-helpers.ts", "test/common/a.ts"],
    good: { "domain/backoff.ts": "", "domain/commonplace.ts": "", "docs/index.md": "" },
  },
  {
    name: "a flag is a named choice",
    check: findBooleanParameters,
    bad: {
      "domain/a.ts":
        "function open(path: string, exclusive: boolean) {}\nclass A { b(c: string, d = false) {} }",
    },
    at: ["domain/a.ts:1", "domain/a.ts:2"],
    good: {
      "domain/b.ts": "export function encodeCoil(value: boolean) {}\nlist.map((a: string, b: boolean) => b);",
    },
  },
  {
    name: "work left to later names its issue",
    check: findDebtWithoutIssue,
    bad: {
      "domain/a.ts": `const a = 1; // bound it, ${"TO"}${"DO"}`,
      "profiles/a.yaml": `# ${"FIX"}${"ME"}`,
    },
    at: ["domain/a.ts:1", "profiles/a.yaml:1"],
    good: { "domain/b.ts": `// ${"TO"}${"DO"} (#12): bound this` },
  },
  {
    name: "no check is switched off in the source",
    check: findSwitchedOffChecks,
    bad: { "domain/a.ts": `// @ts-${"ignore"}`, "test/b.ts": `/* c8 ${"ignore"} next */` },
    at: ["domain/a.ts:1", "test/b.ts:1"],
    good: { "domain/c.ts": "// nothing to ignore here" },
  },
  {
    name: "no file names a path of one machine",
    check: findMachinePaths,
    bad: {
      "domain/a.ts": `const data = "/${"home"}/anna/data";`,
      "docs/b.md": "run it in /srv/checkouts/nerve",
      ".ci/run": `PATH=/${"opt"}/node/bin`,
    },
    at: ["domain/a.ts:1", "docs/b.md:1", ".ci/run:1"],
    good: { "docs/c.md": "GET /api/home/1, /opt/nerve/bin, /var/lib/nerve, network/work/load" },
  },
  {
    name: "a simulator leans on nothing of the product",
    check: findLeaningSimulators,
    bad: {
      "simulators/a.ts": 'readFileSync("../profiles/lighting/lamp.yaml");\nimport "../drivers/driver.ts";',
    },
    at: ["simulators/a.ts:1", "simulators/a.ts:2"],
    good: {
      "simulators/b.ts": 'import "../domain/ids.ts"; // unlike the drivers/',
      "city/c.ts": 'import "../gateway/a.ts";',
    },
  },
  {
    name: "no test hides others or waits for later",
    check: findHiddenTests,
    bad: { "test/a.test.ts": `t.${"only"}("a");\nt.${"todo"}("b");` },
    at: ["test/a.test.ts:1", "test/a.test.ts:2"],
    good: { "test/b.test.ts": 't.test("a", { skip: "no root here" });' },
  },
  {
    name: "decisions are numbered without gap and in one form",
    check: findDecisionFaults,
    bad: {
      "docs/decisions/0001-one.md": DECISION,
      "docs/decisions/0001-twin.md": DECISION,
      "docs/decisions/0004-gap.md": DECISION,
      "docs/decisions/0004-no-form.md": "# 4",
      "docs/decisions/late.md": DECISION,
    },
    at: [
      "docs/decisions/late.md",
      "docs/decisions/0001-twin.md",
      "docs/decisions/0004-gap.md",
      ...Array.from({ length: 5 }, () => "docs/decisions/0004-no-form.md"),
    ],
    good: { "docs/decisions/0001-one.md": DECISION, "docs/decisions/0002-two.md": DECISION },
  },
  {
    name: "a landed migration never changes",
    check: findMigrationFaults,
    bad: {
      "gateway/store/migrations/hashes.json": `{ "0001-create-readings.sql": "${SQL_HASH}", "0009-drop-all.sql": "" }`,
      "gateway/store/migrations/0001-create-readings.sql": `${SQL}-- changed`,
      "gateway/store/migrations/0003-add-lanes.sql": SQL,
      "cloud-sync/store/migrations/first.sql": SQL,
    },
    at: [
      "gateway/store/migrations/0001-create-readings.sql",
      "gateway/store/migrations/0003-add-lanes.sql",
      "gateway/store/migrations/0009-drop-all.sql",
      "gateway/store/migrations/0003-add-lanes.sql",
      ...Array.from({ length: 3 }, () => "cloud-sync/store/migrations/first.sql"),
    ],
    good: {
      "gateway/store/migrations/hashes.json": `{ "critical/0001-create-commands.sql": "${SQL_HASH}" }`,
      "gateway/store/migrations/critical/0001-create-commands.sql": SQL,
    },
  },
  {
    name: "every point of a profile names its source",
    check: findPointsWithoutSource,
    bad: {
      "profiles/lighting/a.yaml":
        "id: a\npoints:\n  - name: level\n    unit: '%'\n  - name: power\n    source: tbd\n",
      "profiles/lighting/b.yaml": "id: b\n",
    },
    at: ["profiles/lighting/a.yaml:3", "profiles/lighting/a.yaml:5", "profiles/lighting/b.yaml"],
    good: { "profiles/lighting/c.yaml": "points:\n  - name: level\n    source: LC-10 map rev. 4, §6.2\n" },
  },
  {
    name: "every driver is registered, tested, simulated and run through the conformance suite",
    check: findUnprovenDrivers,
    bad: {
      "drivers/registry.ts": DRIVER_LINE,
      "drivers/x/x-driver.ts": "",
      "drivers/y/y-driver.ts": "",
    },
    at: ["drivers/y/y-driver.ts", "drivers/x", "drivers/x", "drivers/x"],
    good: {
      "drivers/registry.ts": DRIVER_LINE,
      "drivers/x/x-driver.ts": "",
      "test/drivers/x/x-driver.test.ts": "conformance(xDriver, lamp);",
      "simulators/x/lamp.ts": "",
    },
  },
];

for (const { name, check, bad, at, good } of CASES) {
  t.test(`caught when planted: ${name}`, async (t) => {
    const found = check(plant(bad));
    t.same(
      found.map((finding) => finding.at),
      at,
    );
    t.ok(
      found.every(({ says, remedy }) => says !== "" && remedy !== ""),
      "each says what is wrong and how to mend it",
    );
    t.same(check(plant(good)), [], "and what is right is left alone");
  });
}

t.test("landing new migrations leaves those alone that have landed", async (t) => {
  const folder = "gateway/store/migrations/";
  const before = {
    [`${folder}hashes.json`]: '{ "0001-create-a.sql": "as it landed" }',
    [`${folder}0001-create-a.sql`]: SQL,
  };
  const [landed] = landMigrations(plant({ ...before, [`${folder}0002-add-b.sql`]: SQL }));
  t.equal(landed?.path, `${folder}hashes.json`);
  t.same(JSON.parse(landed?.text ?? ""), { "0001-create-a.sql": "as it landed", "0002-add-b.sql": SQL_HASH });
});

const project = readProject(ROOT);

t.test("the project is read whole", async (t) => {
  const paths = project.map((file) => file.path);
  for (const path of [".ci/run", ".taprc", "package.json", "domain/ids.ts", "test/tidy.test.ts"]) {
    t.ok(paths.includes(path), `${path} is looked at`);
  }
  t.notOk(
    paths.some((path) => /node_modules|^\.(git|tap|nerve)\//.test(path)),
    "and nothing that is not ours",
  );
});

for (const { name, check } of CASES) {
  t.test(`the project itself: ${name}`, async (t) => {
    const findings: readonly Finding[] = (check === findMachinePaths ? machinePathCheck(ROOT) : check)(
      project,
    );
    if (findings.length === 0) t.pass("nothing found");
    for (const { at, says, remedy } of findings) t.fail(`${at} ${says}: ${remedy}`, { at: null, stack: "" });
  });
}

function plant(files: Readonly<Record<string, string>>): readonly ProjectFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
