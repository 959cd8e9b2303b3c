import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";

const ROOT = join(import.meta.dirname, "..");

/** One breach of each rule that STYLE names: a rule that moves or is renamed in Biome would fall silent. */
const BREACHES: readonly { readonly rule: string; readonly source: string; readonly file?: string }[] = [
  { rule: "style/noDefaultExport", source: "export default 1;" },
  { rule: "style/useFilenamingConvention", source: "export const a = 1;", file: "domain/camelCase.ts" },
  { rule: "style/noEnum", source: "export enum Lane {\n  A,\n}" },
  {
    rule: "style/noParameterProperties",
    source: "export class A {\n  constructor(readonly a: number) {}\n}",
  },
  {
    rule: "style/useReadonlyClassProperties",
    source: "export class A {\n  #a = 1;\n  get a(): number {\n    return this.#a;\n  }\n}",
  },
  { rule: "style/noNonNullAssertion", source: "export const a = (b: string | null): string => b!;" },
  { rule: "suspicious/noExplicitAny", source: "export const a = (b: any): string => String(b);" },
  { rule: "suspicious/noConsole", source: 'console.log("a");' },
  { rule: "style/noProcessEnv", source: 'export const a = process.env["A"];' },
  { rule: "style/useImportType", source: 'import { A } from "./a.ts";\n\nexport const b = (a: A): A => a;' },
  {
    rule: "style/useNodejsImportProtocol",
    source: 'import { join } from "path";\n\nexport const a = join("a");',
  },
  { rule: "style/useThrowOnlyError", source: 'export function a(): never {\n  throw "a";\n}' },
  {
    rule: "complexity/noExcessiveLinesPerFunction",
    source: `export function a(b: number[]): void {\n${"  b.push(1);\n".repeat(61)}}`,
  },
  {
    rule: "complexity/noExcessiveCognitiveComplexity",
    source: `export function a(b: number): number {\n${Array.from({ length: 13 }, (_, i) => `  if (b === ${i}) return ${i + 1};\n`).join("")}  return 0;\n}`,
  },
  {
    rule: "nursery/noFloatingPromises",
    source:
      "async function a(): Promise<void> {\n  await Promise.resolve();\n}\nexport function b(): void {\n  a();\n}",
  },
  {
    rule: "nursery/noMisusedPromises",
    source:
      "const a = async (): Promise<void> => {};\nexport const b = (): void => [1].forEach(async () => a());",
  },
  {
    rule: "nursery/useExhaustiveSwitchCases",
    source:
      'export function a(b: "x" | "y"): number {\n  switch (b) {\n    case "x":\n      return 1;\n  }\n  return 0;\n}',
  },
  {
    rule: "style/noExcessiveLinesPerFile",
    source: "export const a = [\n".concat("  1,\n".repeat(300), "];"),
  },
  { rule: "performance/noBarrelFile", source: 'export { a } from "./a.ts";' },
];

/** What the exceptions allow. */
const LONG = `${BREACHES.find(({ rule }) => rule.endsWith("noExcessiveLinesPerFunction"))?.source}`;
const ALLOWED: readonly PlantedSource[] = [
  { path: "city/main.ts", source: 'console.log(process.env["A"]);' },
  { path: "test/long.test.ts", source: LONG },
];

const planted = BREACHES.map(({ source, file }, at) => ({ path: file ?? `domain/breach-${at}.ts`, source }));
const found = lint(t.testdir(), [...planted, ...ALLOWED]);

t.test("every rule that the style names is on", async (t) => {
  for (const [at, { rule }] of BREACHES.entries()) {
    const path = planted[at]?.path;
    t.ok(
      found.some((finding) => finding.path === path && finding.category === `lint/${rule}`),
      `${rule} finds ${path}`,
    );
  }
});

t.test("main.ts may read the environment, and tests may have long functions", async (t) => {
  t.same(
    found.filter(({ path }) => ALLOWED.some((allowed) => allowed.path === path)),
    [],
  );
});

interface PlantedSource {
  readonly path: string;
  readonly source: string;
}

function lint(
  root: string,
  files: readonly PlantedSource[],
): readonly { readonly category: string; readonly path: string }[] {
  for (const { path, source } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${source}\n`);
  }
  for (const file of ["biome.json", "package.json", "tsconfig.json"])
    copyFileSync(join(ROOT, file), join(root, file));
  const biome = join(ROOT, "node_modules", ".bin", "biome");
  const options = [
    "--vcs-enabled=false",
    "--config-path=biome.json",
    "--max-diagnostics=none",
    "--reporter=json",
  ];
  const args = [biome, "lint", ...options, "domain", "city", "test"];
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  const report = JSON.parse(run.stdout) as {
    readonly diagnostics: readonly {
      readonly category: string;
      readonly location: { readonly path: string };
    }[];
  };
  return report.diagnostics.map(({ category, location }) => ({ category, path: location.path }));
}
