import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { readTapReport } from "./tap-report.ts";

const ROOT = join(import.meta.dirname, "..");
const pkg = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

/** Makes every Node that is not `own` believe it is another one, before the guard asks. */
const pretend = (versions: object, own = ""): string => {
  const source = `if (process.execPath !== ${JSON.stringify(own)}) Object.defineProperty(process, "versions",
    { value: { ...process.versions, ...${JSON.stringify(versions)} } });`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
};

t.test("the guard knows which Node can run us", async (t) => {
  const guard = join(ROOT, "node-version.js");
  const { nodeVersionFault } = (await import(guard)) as {
    nodeVersionFault(versions: { node: string; napi?: string }): string | undefined;
  };
  const cases = [
    { name: "the oldest that erases types", node: "22.18.0", napi: "10", runs: "yes" },
    { name: "ours", node: "24.21.0", napi: "10", runs: "yes" },
    { name: "the last before the stall", node: "25.9.0", napi: "10", runs: "yes" },
    { name: "without type erasure", node: "22.17.1", napi: "10", runs: "no" },
    { name: "SQLite crashes", node: "20.20.2", napi: "9", runs: "no" },
    { name: "an odd build without Node-API 10", node: "24.0.0", napi: "9", runs: "no" },
    { name: "no Node-API told", node: "24.0.0", napi: undefined, runs: "no" },
    { name: "serial reads stall", node: "26.10.0", napi: "10", runs: "no" },
  ];
  for (const { name, node, napi, runs } of cases) {
    const fault = nodeVersionFault({ node, ...(napi !== undefined && { napi }) });
    t.equal(fault === undefined ? "yes" : "no", runs, `${node}: ${name}`);
    if (fault !== undefined) t.match(fault, node, "and it says which Node this is");
  }
  t.equal(pkg.engines.node, ">=22.18.0 <26", "package.json tells npm the same range");
});

t.test("on a wrong Node and without our own, nothing is loaded and the remedy is told", async (t) => {
  const root = plantProgram(t.testdir());
  const args = [
    "--import",
    pretend({ node: "20.20.2", napi: "9" }),
    join(root, "gateway", "cli", "nerve.js"),
  ];
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  t.equal(run.status, 78, "EX_CONFIG");
  t.equal(run.stdout, "", "the program was not loaded");
  t.match(run.stderr, /22\.18.*this is Node\.js 20\.20\.2/);
  t.match(run.stderr, /Run `npm ci`/);
});

t.test("on a wrong Node the project's own takes over, with arguments, signals and exit code", async (t) => {
  const root = plantProgram(t.testdir());
  const folder = join(root, "node_modules", `node-${process.platform}-${process.arch}`);
  const own = join(folder, "bin", "node");
  mkdirSync(dirname(own), { recursive: true });
  linkSync(process.execPath, own);
  writeFileSync(join(folder, "package.json"), "{}");
  const args = ["--import", pretend({ node: "26.10.0" }, own), join(root, "gateway", "cli", "nerve.js")];

  const passed = spawnSync(process.execPath, [...args, "status", "--json"], { encoding: "utf8" });
  t.equal(passed.stdout, `main ${own} status --json\n`);
  t.equal(passed.status, 3, "the exit code is the program's");

  const waiting = spawn(process.execPath, [...args, "wait"], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => waiting.stdout.once("data", resolve));
  waiting.kill("SIGTERM");
  const code = await new Promise((resolve) => waiting.once("exit", resolve));
  t.equal(code, 15, "the program itself was told to end");

  const killed = spawn(process.execPath, [...args, "wait"], { stdio: ["ignore", "pipe", "inherit"] });
  const told = await new Promise<Buffer>((resolve) => killed.stdout.once("data", resolve));
  process.kill(Number(/pid (\d+)/.exec(told.toString())?.[1]), "SIGKILL");
  const signal = await new Promise((resolve) => killed.once("exit", (_code, signal) => resolve(signal)));
  t.equal(signal, "SIGKILL", "and what killed it is told");
});

t.test("the right Node runs the program itself and hands no preload on to its children", async (t) => {
  const root = plantProgram(t.testdir());
  writeFileSync(join(root, "told.js"), "process.stdout.write(JSON.stringify(process.execArgv));");
  const args = ["--no-warnings", "--import", "./node-version.js", "told.js"];
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  t.equal(run.stdout, '["--no-warnings"]');
});

t.test(
  "what Node made of the sources is kept, unless another place for it is named or coverage is measured",
  async (t) => {
    const root = plantProgram(t.testdir());
    const kept = join(root, "node_modules", ".cache");
    const run = (named: Readonly<Record<string, string>>): void => {
      const { NODE_COMPILE_CACHE: _, NODE_V8_COVERAGE: __, ...env } = process.env;
      const args = [join(root, "gateway", "cli", "nerve.js")];
      t.equal(spawnSync(process.execPath, args, { cwd: root, env: { ...env, ...named } }).status, 3);
    };
    run({ NODE_V8_COVERAGE: join(root, "coverage") });
    run({ NODE_COMPILE_CACHE: join(root, "elsewhere") });
    t.notOk(existsSync(kept));
    run({});
    const files = readdirSync(kept, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    t.not(files.length, 0);
  },
);

t.test("a run without a result is never told as a success", async (t) => {
  const run = spawnSync(process.execPath, [join(ROOT, "test", "run.ts"), "test/no-such-folder"], {
    encoding: "utf8",
  });
  t.equal(run.status, 1);
  t.match(run.stdout, /0 passed, 1 failed\n$/);
  t.match(readTapReport(""), { passed: 0, failed: 0, failures: [] });
});

t.test("package.json pins every version and names only programs that exist", async (t) => {
  const pins = { ...pkg.dependencies, ...pkg.devDependencies, ...pkg.optionalDependencies };
  t.same(
    Object.entries(pins).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    [],
  );
  const programs = Object.entries(pkg.scripts).flatMap(([name, line]) =>
    [...line.matchAll(/\S+\.(?:ts|js)\b/g)].map(([path]) => ({ name, path })),
  );
  t.ok(programs.length > 0);
  t.same(
    programs.filter(({ path }) => !existsSync(join(ROOT, path))),
    [],
  );
});

/** The real guard and bin, in front of a program that tells who runs it and with what. */
function plantProgram(root: string): string {
  for (const path of ["node-version.js", "gateway/cli/nerve.js"]) cpSync(join(ROOT, path), join(root, path));
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  const program = `export async function main(argv: readonly string[]): Promise<void> {
    if (argv[2] === "wait") {
      process.on("SIGTERM", () => process.exit(15));
      setTimeout(() => {}, 30_000);
      process.stdout.write(\`pid \${process.pid}\\n\`);
    } else {
      process.stdout.write(\`main \${process.execPath} \${argv.slice(2).join(" ")}\\n\`);
      process.exitCode = 3;
    }
  }`;
  writeFileSync(join(root, "gateway", "cli", "cli.ts"), program);
  return root;
}
